package bounds

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// Zero tolerance: networks whose floating-point evaluation is badly off, against
// rational arithmetic. With the outward rounding taken out (gamma returning 0,
// below and above their argument), every test here fails.

// exactNet is dense layers with a (leaky) ReLU between them, in rationals.
type exactNet struct {
	sizes   []int
	weights [][]float64
	biases  [][]float64
	slope   float64 // of the activation below 0
	skip    bool    // adds the value before the last activation to that after it
}

func ratOf(x float64) *big.Rat { return new(big.Rat).SetFloat64(x) }

// randomExactNet has weights of very different sizes, pairs of which almost
// cancel in the next layer.
func randomExactNet(rng *rand.Rand, spread float64) *exactNet {
	n := &exactNet{sizes: []int{1 + rng.IntN(4)}, slope: []float64{0, 0.1, 1}[rng.IntN(3)], skip: rng.IntN(2) == 0}
	for range 1 + rng.IntN(3) {
		n.sizes = append(n.sizes, 2+2*rng.IntN(3))
	}
	n.sizes = append(n.sizes, 1+rng.IntN(2))
	random := func() float64 { return rng.NormFloat64() * math.Pow(10, spread*(2*rng.Float64()-1)) }
	for l := 1; l < len(n.sizes); l++ {
		in, out := n.sizes[l-1], n.sizes[l]
		w, b := make([]float64, in*out), make([]float64, out)
		for i := range w {
			w[i] = random()
		}
		for o := range b {
			b[o] = random()
			if o%2 == 1 { // nearly the neuron before, so that differences cancel
				for i := range in {
					w[o*in+i] = w[(o-1)*in+i] * (1 + 1e-14*rng.NormFloat64())
				}
				b[o] = b[o-1]
			}
			if l > 1 {
				for i := 1; i < in; i += 2 {
					w[o*in+i] = -w[o*in+i-1] * (1 + 1e-14*rng.NormFloat64())
				}
			}
		}
		n.weights, n.biases = append(n.weights, w), append(n.biases, b)
	}
	return n
}

func (n *exactNet) graph(t *testing.T) *nn.Graph {
	b := nn.NewBuilder(nn.Shape{n.sizes[0]})
	at := b.Input()
	for l := range n.weights {
		d, err := nn.NewDense(n.sizes[l+1], n.sizes[l], append([]float64(nil), n.weights[l]...), append([]float64(nil), n.biases[l]...))
		require.NoError(t, err)
		if l > 0 {
			before := at
			switch n.slope {
			case 0:
				at = b.Add("", nn.ReLU{}, at)
			default:
				at = b.Add("", nn.LeakyReLU{Slope: n.slope}, at)
			}
			if n.skip && l == len(n.weights)-1 {
				at = b.Add("", nn.Add{}, at, before)
			}
		}
		at = b.Add("", d, at)
	}
	g, err := b.Build(at)
	require.NoError(t, err)
	return g
}

// eval is the value of every node.
func (n *exactNet) eval(x []*big.Rat) [][]*big.Rat {
	values := [][]*big.Rat{x}
	slope := ratOf(n.slope)
	for l := range n.weights {
		if l > 0 {
			before := x
			x = make([]*big.Rat, len(before))
			for i, v := range before {
				x[i] = v
				if v.Sign() < 0 {
					x[i] = new(big.Rat).Mul(v, slope)
				}
			}
			values = append(values, x)
			if n.skip && l == len(n.weights)-1 {
				sum := make([]*big.Rat, len(x))
				for i := range x {
					sum[i] = new(big.Rat).Add(x[i], before[i])
				}
				x = sum
				values = append(values, x)
			}
		}
		y := make([]*big.Rat, n.sizes[l+1])
		for o := range y {
			y[o] = ratOf(n.biases[l][o])
			for i, v := range x {
				y[o].Add(y[o], new(big.Rat).Mul(ratOf(n.weights[l][o*n.sizes[l]+i]), v))
			}
		}
		x = y
		values = append(values, x)
	}
	return values
}

// outsideExactly reports whether v is outside [lo, up].
func outsideExactly(lo, up float64, v *big.Rat) bool {
	return (!math.IsInf(lo, 0) && v.Cmp(ratOf(lo)) < 0) || (!math.IsInf(up, 0) && v.Cmp(ratOf(up)) > 0) ||
		math.IsNaN(lo) || math.IsNaN(up) || math.IsInf(lo, 1) || math.IsInf(up, -1)
}

func TestBoundsHoldExactly(t *testing.T) {
	inexact, total := 0, 0
	for seed := range 400 {
		rng := rand.New(rand.NewPCG(uint64(seed), 3))
		net := randomExactNet(rng, []float64{0, 2, 6}[seed%3])
		g := net.graph(t)
		m := mustCompile(t, g)
		f := randomFunctions(rng, m)
		lo, up := make([]float64, m.inputs), make([]float64, m.inputs)
		for i := range lo {
			lo[i] = rng.NormFloat64()
			up[i] = lo[i]
			if seed%2 == 0 { // else a point: the bounds have no slack but rounding
				up[i] += math.Pow(10, -16+14*rng.Float64())
			}
		}
		box, err := spec.NewBox(lo, up)
		require.NoError(t, err)
		q := &Query{Domains: []Domain{{Region: box}}, Functions: f, Upper: true}
		results := map[string]DomainResult{}
		for name, b := range bounders {
			results[name] = mustBound(t, b, m, q)[0]
			require.False(t, results[name].Infeasible, "%s calls a feasible domain infeasible", name)
		}
		for k := range 1 << m.inputs { // every corner
			x, xr := make([]float64, m.inputs), make([]*big.Rat, m.inputs)
			for i := range x {
				x[i] = [2]float64{lo[i], up[i]}[k>>i&1]
				xr[i] = ratOf(x[i])
			}
			values := net.eval(xr)
			fn := f.exactly(m, xr, values[len(values)-1])
			y, err := nn.Evaluate(g, x)
			require.NoError(t, err)
			for i, v := range f.at(m, x, y) {
				total++
				if fn[i].Cmp(ratOf(v)) != 0 {
					inexact++
				}
			}
			for name, r := range results {
				for i := range values {
					for j, v := range values[i] {
						if outsideExactly(r.Nodes[i].Lower[j], r.Nodes[i].Upper[j], v) {
							a, _ := v.Float64()
							t.Fatalf("seed %d, %s: node %d element %d is %v, outside [%v, %v]", seed, name, i, j, a, r.Nodes[i].Lower[j], r.Nodes[i].Upper[j])
						}
					}
				}
				for i, v := range fn {
					if outsideExactly(r.Lower[i], r.Upper[i], v) {
						a, _ := v.Float64()
						t.Fatalf("seed %d, %s: function %d is %v, outside [%v, %v]", seed, name, i, a, r.Lower[i], r.Upper[i])
					}
				}
			}
		}
	}
	assert.Greater(t, inexact, total/2, "the networks do not round enough to test anything")
}

// exactly is at in rationals.
func (f *Functions) exactly(m *Model, x, y []*big.Rat) []*big.Rat {
	v := make([]*big.Rat, f.count(m))
	add := func(sum *big.Rat, coef []float64, x []*big.Rat) {
		for j, a := range coef {
			sum.Add(sum, new(big.Rat).Mul(ratOf(a), x[j]))
		}
	}
	for k := range v {
		v[k] = ratOf(f.Const[k])
		add(v[k], f.Output[k*m.outputs:(k+1)*m.outputs], y)
		add(v[k], f.Input[k*m.inputs:(k+1)*m.inputs], x)
	}
	return v
}

// The cost of rounding outward, on an ordinary network: far below what a
// verifier could notice.
func TestRoundingCostsLittle(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	mk := newNetMaker(t, rng, nn.Shape{100}, nn.ReLU{})
	for range 4 {
		mk.dense(100)
		mk.activation()
	}
	mk.dense(3)
	g := mk.build()
	m := mustCompile(t, g)
	point := randomBox(t, rng, m.inputs, 0)
	f := randomFunctions(rng, m)
	y, err := nn.Evaluate(g, point.Lower)
	require.NoError(t, err)
	v := f.at(m, point.Lower, y)
	r := mustBound(t, Crown{}, m, &Query{Domains: []Domain{{Region: point}}, Functions: f, Upper: true})[0]
	for k := range v {
		require.InDelta(t, v[k], r.Lower[k], 1e-10*(1+math.Abs(v[k])))
		require.InDelta(t, v[k], r.Upper[k], 1e-10*(1+math.Abs(v[k])))
	}
}

// Both ends and the kink decide whether lines hold around a leaky ReLU.
func TestLeakyLinesAreExactlySound(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	random := func() float64 {
		x := randomEnd(rng)
		if rng.IntN(20) == 0 {
			x = math.MaxFloat64 * (1 - rng.Float64()/8) // u − l overflows
		}
		return x
	}
	for range 120_000 {
		a, b := random(), random()
		over := Range{min(a, b), max(a, b)}
		slope := []float64{0, rng.Float64(), 1, 0x1p-60, 1 - 0x1p-53, 5e-324, 0.01}[rng.IntN(7)]
		var f nn.Elementwise = nn.LeakyReLU{Slope: slope}
		if slope == 0 {
			f = nn.ReLU{}
		}
		lines := Relax(f, over)
		for _, x := range []float64{over.Lower, 0, over.Upper} {
			if x < over.Lower || x > over.Upper {
				continue
			}
			v := bigOf(x)
			v.SetPrec(4000)
			if x < 0 {
				v.Mul(v, bigOf(slope))
			}
			require.GreaterOrEqual(t, exactGap(lines.UpperSlope, lines.UpperIntercept, x, v), 0, "%v %+v %+v", slope, over, lines)
			require.LessOrEqual(t, exactGap(lines.LowerSlope, lines.LowerIntercept, x, v), 0, "%v %+v %+v", slope, over, lines)
		}
		if over.Lower < 0 && over.Upper > 0 && over.Upper-over.Lower < 1e300 {
			// Tight at both ends.
			for _, x := range []float64{over.Lower, over.Upper} {
				gap := lines.UpperSlope*x + lines.UpperIntercept - f.Value(x)
				require.LessOrEqual(t, gap, 1e-15*max(-over.Lower, over.Upper)+1e-322, "%v %+v %+v", slope, over, lines)
			}
		}
	}
}

// exactGap is the sign of slope·x + intercept − v, without any rounding.
func exactGap(slope, intercept, x float64, v *big.Float) int {
	g := new(big.Float).SetPrec(4400).Mul(bigOf(slope), bigOf(x))
	g.Add(g, bigOf(intercept))
	return g.Sub(g, v).Sign()
}

// Many small contributions to one large coefficient, each of which is rounded
// away: the large one must pay for the additions that the others make.
func TestCoefficientsThatMeetAreRoundedOutward(t *testing.T) {
	const copies = 200
	const small = 0x1.4p-54 // 0.3 units of the last place of 1
	dense := func(in int, w float64) nn.Operator {
		d, err := nn.NewDense(1, in, repeat(w, in), nil)
		require.NoError(t, err)
		return d
	}
	// Operators that make copies of one element.
	window := []int{copies}
	pool, err := nn.NewMaxPool(nn.PoolConfig{Kernel: window, Pad: []int{copies - 1, copies - 1}})
	require.NoError(t, err)
	gather, err := nn.NewGather(0, make([]int, copies), nn.Shape{copies})
	require.NoError(t, err)
	sum, err := nn.NewConstArith(nn.ArithAdd, make([]float64, copies), nn.Shape{copies}, false)
	require.NoError(t, err)
	conv, err := nn.NewConv(nn.ConvConfig{Kernel: window, Pad: []int{copies - 1, copies - 1}}, 1, 1, repeat(1, copies), nil)
	require.NoError(t, err)
	for name, branch := range map[string][]nn.Operator{
		"max pool": {pool},
		"gather":   {gather},
		"constant": {sum},
		"conv":     {nn.NewReshape(nn.Shape{1, 1}), conv, nn.NewReshape(nn.Shape{copies})},
	} {
		for _, byInput := range []bool{false, true} {
			b := nn.NewBuilder(nn.Shape{1})
			at := b.Add("", dense(1, 1), b.Input())
			if byInput {
				at = b.Input()
			}
			end := at
			for _, op := range branch {
				end = b.Add("", op, end)
			}
			end = b.Add("", dense(copies, small), end)
			f := Functions{Output: []float64{1}, Input: []float64{1}, Const: []float64{0}}
			if !byInput {
				f.Input[0] = 0
				end = b.Add("", nn.Add{}, end, b.Add("", dense(1, 1), at))
			}
			g, err := b.Build(end)
			require.NoError(t, err)
			m := mustCompile(t, g)
			for _, x := range []float64{-1, -1 / 3.0} {
				box, err := spec.NewBox([]float64{x}, []float64{x})
				require.NoError(t, err)
				want := new(big.Rat).Mul(ratOf(small), big.NewRat(copies, 1))
				want.Add(want, ratOf(1))
				want.Mul(want, ratOf(x))
				for method, bounder := range bounders {
					r := mustBound(t, bounder, m, &Query{Domains: []Domain{{Region: box}}, Functions: f, Upper: true})[0]
					require.False(t, outsideExactly(r.Lower[0], r.Upper[0], want), "%s, %s: [%v, %v] for %v", name, method, r.Lower[0], r.Upper[0], want.FloatString(20))
				}
			}
		}
	}
}

func repeat(v float64, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = v
	}
	return x
}
