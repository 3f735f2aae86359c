package reach

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// randomForm is a form over count variables with patches of all sizes.
func randomForm(rng *rand.Rand, shape nn.Shape, count int) (*form, *box) {
	b := &box{}
	v := viewOf(shape)
	f := &form{shape: shape, view: v, centre: make([]float64, v.size()), slack: make([]float64, v.size()), gens: generators{start: []int{0}}}
	for i := range f.centre {
		f.centre[i], f.slack[i] = rng.NormFloat64(), 1e-3*rng.Float64()
	}
	for range count {
		j := b.add(-1-rng.Float64(), rng.Float64())
		if rng.IntN(6) == 0 {
			continue // a variable that does not occur
		}
		y, x := rng.IntN(v.height), rng.IntN(v.width)
		p := patch{int32(y), int32(y + 1 + rng.IntN(v.height-y)), int32(x), int32(x + 1 + rng.IntN(v.width-x))}
		dst := f.gens.append(v, j, p)
		for i := range dst {
			dst[i] = rng.NormFloat64()
		}
	}
	return f, b
}

// dense is all generators as a matrix [variables × size].
func (f *form) matrix(count int) [][]float64 {
	m := make([][]float64, count)
	for j := range m {
		m[j] = make([]float64, len(f.centre))
	}
	for k, j := range f.gens.vars {
		f.fill(k, m[j])
	}
	return m
}

// operators is one affine operator of every kind that has a way of its own, with the
// shapes of its inputs.
func operators(t *testing.T, rng *rand.Rand) map[string]struct {
	op nn.Affine
	in []nn.Shape
} {
	type entry = struct {
		op nn.Affine
		in []nn.Shape
	}
	normals := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = rng.NormFloat64()
		}
		return x
	}
	out := map[string]entry{}
	one := func(name string, op nn.Affine, err error, in nn.Shape) {
		require.NoError(t, err)
		out[name] = entry{op, []nn.Shape{in}}
	}
	for k := range 12 {
		cfg := nn.ConvConfig{
			Kernel: []int{1 + rng.IntN(3), 1 + rng.IntN(3)}, Stride: []int{1 + rng.IntN(3), 1 + rng.IntN(3)},
			Dilation: []int{1 + rng.IntN(2), 1 + rng.IntN(2)}, Pad: []int{rng.IntN(3), rng.IntN(2), rng.IntN(2), rng.IntN(3)},
			Groups: 1 + rng.IntN(2),
		}
		n := 4 * (2 / cfg.Groups) * cfg.Kernel[0] * cfg.Kernel[1]
		op, err := nn.NewConv(cfg, 4, 2, normals(n), normals(4))
		one(fmt.Sprint("conv ", k, cfg), op, err, nn.Shape{1, 2, 6, 7}[k%2:])
		pool := nn.PoolConfig{
			Kernel: []int{2 + rng.IntN(2), 2 + rng.IntN(2)}, Stride: []int{1 + rng.IntN(3), 1 + rng.IntN(3)},
			Dilation: []int{1, 1 + rng.IntN(2)}, Pad: []int{rng.IntN(2), rng.IntN(2), rng.IntN(2), rng.IntN(2)},
			CeilMode: rng.IntN(2) == 0, CountIncludePad: rng.IntN(2) == 0,
		}
		average, err := nn.NewAveragePool(pool)
		require.NoError(t, err)
		if _, err := average.OutShape([]nn.Shape{{2, 6, 7}}); err == nil {
			one(fmt.Sprint("pool ", k, pool), average, nil, nn.Shape{2, 6, 7})
		}
	}
	flat, err := nn.NewConv(nn.ConvConfig{Kernel: []int{3}, Stride: []int{2}, Pad: []int{1, 1}}, 3, 2, normals(18), normals(3))
	one("conv, one axis", flat, err, nn.Shape{2, 9})
	line, err := nn.NewAveragePool(nn.PoolConfig{Kernel: []int{3}, Stride: []int{2}, Pad: []int{1, 0}})
	one("pool, one axis", line, err, nn.Shape{2, 9})
	norm, err := nn.NewBatchNorm(0, normals(2), normals(2), normals(2), []float64{0.5, 2}, 1e-5)
	one("batch norm", norm, err, nn.Shape{2, 5, 4})
	d, err := nn.NewDense(4, 40, normals(160), normals(4))
	one("dense", d, err, nn.Shape{40})
	rows, err := nn.NewDense(4, 5, normals(20), normals(4))
	one("dense, rows", rows, err, nn.Shape{3, 5})
	for kind := nn.ArithAdd; kind <= nn.ArithDiv; kind++ {
		op, err := nn.NewConstArith(kind, normals(4), nn.Shape{4}, kind == nn.ArithSub)
		one("arith "+kind.String(), op, err, nn.Shape{2, 3, 4})
		op, err = nn.NewConstArith(kind, normals(8), nn.Shape{2, 1, 4}, false)
		one("broadcast "+kind.String(), op, err, nn.Shape{3, 4})
	}
	transpose, err := nn.NewTranspose([]int{2, 0, 1})
	one("transpose", transpose, err, nn.Shape{2, 3, 4})
	one("reshape", nn.NewReshape(nn.Shape{6, 4}), nil, nn.Shape{2, 3, 4})
	one("global pool", nn.NewGlobalAveragePool(1), nil, nn.Shape{2, 3, 4})
	out["add"] = entry{nn.Add{}, []nn.Shape{{2, 3, 4}, {2, 3, 4}, {2, 3, 4}}}
	out["sub"] = entry{nn.Sub{}, []nn.Shape{{2, 3, 4}, {2, 3, 4}}}
	out["add, broadcast"] = entry{nn.Add{}, []nn.Shape{{2, 3, 4}, {4}}}
	out["concat"] = entry{nn.Concat{Axis: 0}, []nn.Shape{{2, 3, 4}, {1, 3, 4}}}
	return out
}

// TestAffineAgainstForward: for every operator, W·V computed in patches is the
// difference of the operator's own values, the centre is its value, and the slack
// covers |W|·slack.
func TestAffineAgainstForward(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for name, c := range operators(t, rng) {
		t.Run(name, func(t *testing.T) {
			shape, err := c.op.OutShape(c.in)
			require.NoError(t, err)
			const count = 30
			var b *box
			ins := make([]*form, len(c.in))
			for i, s := range c.in {
				ins[i], b = randomForm(rng, s, count)
			}
			a := newAffine(c.op, c.in, shape)
			got := a.apply(ins, b)
			require.Equal(t, shape.Size(), got.view.size())
			value := func(pick func(f *form) []float64) []float64 {
				call := a.call(1)
				for i, f := range ins {
					call.In[i] = pick(f)
				}
				c.op.Forward64(call)
				return call.Out
			}
			zero := value(func(f *form) []float64 { return make([]float64, len(f.centre)) })
			require.Equal(t, value(func(f *form) []float64 { return f.centre }), got.centre)
			matrix := got.matrix(count)
			for j := range count {
				want := value(func(f *form) []float64 { return f.matrix(count)[j] })
				for i := range want {
					require.InDelta(t, want[i]-zero[i], matrix[j][i], 1e-12, "variable %d, element %d", j, i)
				}
			}
			errs := value(func(f *form) []float64 {
				x := append([]float64(nil), f.centre...)
				for i := range x {
					x[i] += f.slack[i] * float64(1-2*rng.IntN(2))
				}
				return x
			})
			for i, v := range errs {
				require.LessOrEqual(t, math.Abs(v-got.centre[i]), got.slack[i]+1e-13)
				require.Less(t, got.slack[i], 1.0)
			}
			// Rows are the matrix's columns.
			for _, i := range []int{0, shape.Size() - 1} {
				e := got.row(i, b)
				col := make([]float64, count)
				for k, j := range e.vars {
					col[j] = e.coef[k]
				}
				for j := range col {
					require.Equal(t, matrix[j][i], col[j])
				}
			}
		})
	}
}

// TestSpread: ranges by the box hold at corners and are attained, also where
// intervals do not contain zero.
func TestSpread(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for round := range 20 {
		f, b := randomForm(rng, nn.Shape{2, 3, 4}, 12)
		if round%2 == 1 {
			b.set(3, 0.25, 0.5)
			b.set(5, -2, -1.5)
			require.True(t, b.shifted)
		}
		s := f.spread(b)
		m := f.matrix(12)
		for i, c := range f.centre {
			low, up, size := c-f.slack[i], c+f.slack[i], math.Abs(c)
			for j := range m {
				l, u := m[j][i]*b.lower[j], m[j][i]*b.upper[j]
				low, up = low+min(l, u), up+max(l, u)
				size += math.Abs(m[j][i]) * b.reach[j]
			}
			require.LessOrEqual(t, s.lower[i], low)
			require.GreaterOrEqual(t, s.upper[i], up)
			require.InDelta(t, low, s.lower[i], 1e-12)
			require.InDelta(t, up, s.upper[i], 1e-12)
			require.GreaterOrEqual(t, s.size[i], size)
		}
	}
}

// TestPredicateAdd: tightening the box by a row loses no point of the predicate.
func TestPredicateAdd(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 4))
	tightened := 0
	for range 300 {
		p := &predicate{}
		for range 4 {
			p.box.add(-1, 1)
		}
		points := make([][]float64, 200)
		for k := range points {
			points[k] = make([]float64, 4)
			for j := range points[k] {
				points[k][j] = 2*rng.Float64() - 1
			}
		}
		for range 3 {
			x := &expr{vars: []int32{0, 1, 2, 3}, coef: make([]float64, 4), centre: rng.NormFloat64()}
			for j := range x.coef {
				x.coef[j] = rng.NormFloat64()
			}
			p.add(x.atMost(0))
			kept := points[:0]
			for _, a := range points {
				if x.value(a) <= 0 {
					kept = append(kept, a)
				}
			}
			points = kept
		}
		for j := range 4 {
			if p.box.upper[j]-p.box.lower[j] < 1.9 {
				tightened++
			}
			for _, a := range points {
				require.True(t, a[j] >= p.box.lower[j] && a[j] <= p.box.upper[j])
			}
		}
	}
	require.Greater(t, tightened, 100)

	// One row, and the point that is farthest in one variable: all others at the ends
	// where they leave it most.
	farthest := 0
	for range 300 {
		p := &predicate{}
		x := &expr{vars: []int32{0, 1, 2}, coef: make([]float64, 3), centre: rng.NormFloat64()}
		for j := range x.coef {
			p.box.add(-1, 1)
			x.coef[j] = rng.NormFloat64()
		}
		p.add(x.atMost(0))
		for j := range 3 {
			rest := x.centre
			for k, c := range x.coef {
				if k != j {
					rest -= math.Abs(c)
				}
			}
			if far := -rest / x.coef[j]; math.Abs(far) <= 1 && rest-math.Abs(x.coef[j]) <= 0 {
				farthest++
				require.True(t, far >= p.box.lower[j]-1e-15 && far <= p.box.upper[j]+1e-15)
				require.InDelta(t, far, map[bool]float64{true: p.box.upper[j], false: p.box.lower[j]}[x.coef[j] > 0], 1e-9)
			}
		}
	}
	require.Greater(t, farthest, 50)
}

// holds reports whether a satisfies a row.
func (r *row) holds(a []float64) bool {
	sum := 0.0
	for i, j := range r.vars {
		sum += r.coef[i] * a[j]
	}
	return sum <= r.bound
}

// TestRowsAllowForSlack: an expression is known up to its slack. No row made of one, of a
// half-space or of a relaxed neuron's lines, and no bound of the box by it, excludes
// variables for which some error within the slack makes it true.
func TestRowsAllowForSlack(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 4))
	used := 0
	for range 400 {
		x := &expr{vars: []int32{0, 1, 2}, coef: make([]float64, 3), centre: rng.NormFloat64(), slack: 0.3 * rng.Float64(), mag: 3}
		p := &predicate{}
		for j := range x.coef {
			p.box.add(-1, 1)
			x.coef[j] = 2*rng.Float64() - 1
		}
		g := 0.5 * rng.NormFloat64()
		p.add(x.atMost(g))
		e := enclose([]nn.Elementwise{nn.ReLU{}, nn.LeakyReLU{Slope: 0.2}, nn.Tanh{}}[rng.IntN(3)], -5, 5)
		v := &predicate{box: p.box.clone()}
		_, centre := v.relax(x, -5, 5, &e)
		for range 50 {
			a := make([]float64, 4)
			for j := range 3 {
				a[j] = 2*rng.Float64() - 1
			}
			value := x.value(a[:3]) + x.slack*(2*rng.Float64()-1)
			if value <= g {
				require.True(t, p.rows[0].holds(a))
				for j := range 3 {
					require.True(t, a[j] >= p.box.lower[j] && a[j] <= p.box.upper[j])
				}
				if x.value(a[:3]) > g {
					used++
				}
			}
			low, up := e.low, e.up
			for _, s := range e.lower {
				low = max(low, s.at(value))
			}
			for _, s := range e.upper {
				up = min(up, s.at(value))
			}
			for _, y := range []float64{low, up} {
				a[3] = y - centre
				for _, r := range v.problem().Rows {
					sum := 0.0
					for i, j := range r.Columns {
						sum += r.Values[i] * a[j]
					}
					require.LessOrEqual(t, sum, r.Upper)
				}
			}
		}
	}
	require.Greater(t, used, 100, "the slack was to matter")
}
