package train

// Every loss and every kind of operator: values and gradients against central
// differences of the twins, in float64.

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// checked is a loss evaluated at a batch.
type checked struct {
	m     *model
	s     *Step
	batch Batch
	value float64
	grad  []float32
}

// evaluate computes a loss and its gradient at a fresh step.
func evaluate(t testing.TB, net nn.Network, loss Loss, b Batch, opts *Options) *checked {
	m, err := newModel(net, opts)
	require.NoError(t, err)
	require.NoError(t, loss.Validate(net))
	s := newStep(m)
	s.begin(b, 0.5, rand.New(rand.NewPCG(3, 4)))
	before := make([]float32, m.weights)
	m.pull(before)
	var statistics [][]float32
	for _, p := range m.statistics() {
		statistics = append(statistics, slices.Clone(p.Values32()))
	}
	v, err := s.gradient(context.Background(), loss)
	require.NoError(t, err)
	for i, p := range m.statistics() {
		p.Set32(statistics[i])
	}
	return &checked{m, s, b, v, slices.Clone(s.grad)}
}

// differences compares with central differences of twin along random
// directions and random coordinates of every parameter. Twin reads the network.
func (c *checked) differences(t *testing.T, twin func() float64) {
	t.Helper()
	w := make([]float64, c.m.weights)
	for _, p := range c.m.params {
		copy(w[p.from:p.to], p.Values())
	}
	set := func(w []float64) {
		for _, p := range c.m.params {
			p.Set(w[p.from:p.to])
		}
	}
	defer set(w)
	assert.InDelta(t, twin(), c.value, 2e-5*(1+math.Abs(c.value)), "value")
	norm := 0.0
	for _, g := range c.grad {
		norm += float64(g) * float64(g)
	}
	norm = math.Sqrt(norm)
	require.Greater(t, norm, 1e-6, "there is a gradient")
	rng := rand.New(rand.NewPCG(1, 9))
	worst := 0.0
	check := func(d []float64, what string) {
		const h = 1e-6
		at := make([]float64, len(w))
		side := func(sign float64) float64 {
			for i := range at {
				at[i] = w[i] + sign*h*d[i]
			}
			set(at)
			return twin()
		}
		want, got, size := (side(1)-side(-1))/(2*h), 0.0, 0.0
		for i, g := range c.grad {
			got += float64(g) * d[i]
			size += d[i] * d[i]
		}
		off := math.Abs(want-got) / (norm * math.Sqrt(size))
		worst = max(worst, off)
		require.LessOrEqual(t, off, 2e-4, "%s: differences %g, gradient %g", what, want, got)
	}
	for range 4 {
		d := make([]float64, len(w))
		for i := range d {
			d[i] = rng.NormFloat64()
		}
		check(d, "direction")
	}
	check(wide(c.grad), "along the gradient")
	for _, p := range c.m.params {
		for range 2 {
			d := make([]float64, len(w))
			d[p.from+rng.IntN(p.to-p.from)] = 1
			check(d, c.m.nodes[p.node].Name+" "+p.Name)
		}
	}
	t.Logf("largest deviation %.1e of the gradient's length", worst)
}

func TestCrossEntropyGradient(t *testing.T) {
	for name, net := range zoo(t) {
		t.Run(name, func(t *testing.T) {
			b := randomBatch(net, 1, 7)
			c := evaluate(t, net, CrossEntropy{}, b, &Options{})
			c.differences(t, func() float64 { return twinCE(naive(net, wide(b.X), b.Size, true)[net.Output()], b.Labels) })
		})
	}
}

// Losses at the same pass add to each other's gradients.
func TestSumAtOnePass(t *testing.T) {
	for name, net := range zoo(t) {
		b := randomBatch(net, 1, 7)
		one := evaluate(t, net, CrossEntropy{}, b, &Options{})
		sum := evaluate(t, net, Sum{{Loss: CrossEntropy{}}, {Loss: CrossEntropy{}, Weight: Constant(2)}}, b, &Options{})
		assert.InDelta(t, 3*one.value, sum.value, 1e-9*one.value, name)
		largest := float64(max(slices.Max(one.grad), -slices.Min(one.grad)))
		for i, g := range one.grad {
			require.InDelta(t, 3*g, sum.grad[i], 1e-4*largest, "%s, parameter %d", name, i)
		}
	}
}

var smallAttack = Attack{Epsilon: Constant(0.1), Steps: 3}

func TestMadryGradient(t *testing.T) {
	for name, net := range zoo(t) {
		t.Run(name, func(t *testing.T) {
			b := randomBatch(net, 2, 6)
			c := evaluate(t, net, Madry{smallAttack}, b, &Options{})
			x := slices.Clone(c.s.last.X())
			c.differences(t, func() float64 { return twinCE(naive(net, wide(x), b.Size, true)[net.Output()], b.Labels) })
		})
	}
}

func TestTRADESGradient(t *testing.T) {
	for name, net := range zoo(t) {
		t.Run(name, func(t *testing.T) {
			b := randomBatch(net, 3, 6)
			c := evaluate(t, net, NewTRADES(Constant(2), smallAttack), b, &Options{})
			x, o := slices.Clone(c.s.last.X()), net.Output()
			c.differences(t, func() float64 {
				y, z := naive(net, wide(b.X), b.Size, true)[o], naive(net, wide(x), b.Size, true)[o]
				return twinCE(y, b.Labels) + 2*twinKL(y, z, b.Size)
			})
		})
	}
}

// gammas is γ by node, from sorted sizes.
func gammas(net nn.Network, ordinal bool) map[int]float64 {
	m, _ := newModel(net, &Options{})
	sizes := []int{}
	for _, h := range m.hidden {
		if n := m.nodes[h].Shape.Size(); ordinal || !slices.Contains(sizes, n) {
			sizes = append(sizes, n)
		}
	}
	slices.Sort(sizes)
	out, taken := map[int]float64{}, map[int]int{}
	for _, h := range m.hidden {
		n := m.nodes[h].Shape.Size()
		rank := slices.Index(sizes, n) + 1
		if ordinal {
			rank += taken[n]
			taken[n]++
		}
		out[h] = math.Pow(2, float64(rank))
	}
	return out
}

func TestNBCGradient(t *testing.T) {
	for name, net := range zoo(t) {
		for _, ordinal := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				b := randomBatch(net, 4, 6)
				loss := Sum{{Loss: CrossEntropy{}}, {Loss: NBC{Attack: smallAttack, Ordinal: ordinal}, Weight: Constant(1.5)}}
				c := evaluate(t, net, loss, b, &Options{})
				x, gamma := slices.Clone(c.s.last.X()), gammas(net, ordinal)
				c.differences(t, func() float64 {
					v, w := naive(net, wide(b.X), b.Size, true), naive(net, wide(x), b.Size, true)
					return twinCE(v[net.Output()], b.Labels) - 1.5*twinNBC(net, v, w, b.Size, gamma)
				})
			})
		}
	}
}

// TestSharedGradient: TRADES and NBC on one adversarial point.
func TestSharedGradient(t *testing.T) {
	net := zoo(t)["conv"]
	b := randomBatch(net, 4, 6)
	loss := append(NewTRADES(Constant(1), smallAttack), Term{Loss: NBC{Shared: true}, Weight: Constant(2)})
	c := evaluate(t, net, loss, b, &Options{})
	require.Equal(t, 2, c.s.count, "passes: the clean one and one other")
	x, gamma := slices.Clone(c.s.last.X()), gammas(net, false)
	c.differences(t, func() float64 {
		v, w := naive(net, wide(b.X), b.Size, true), naive(net, wide(x), b.Size, true)
		y, z := v[net.Output()], w[net.Output()]
		return twinCE(y, b.Labels) + twinKL(y, z, b.Size) - 2*twinNBC(net, v, w, b.Size, gamma)
	})
}

func TestPenaltyGradients(t *testing.T) {
	net := zoo(t)["conv"]
	b := randomBatch(net, 7, 2)
	sumOf := func(f func(v float64) float64, times map[string]float64) func() float64 {
		return func() float64 {
			sum := 0.0
			for _, n := range net.Nodes()[1:] {
				for _, p := range n.Op.Params() {
					if p.Name != "weight" {
						continue
					}
					for _, v := range p.Values() {
						sum += times[n.Name] * f(v)
					}
				}
			}
			return sum
		}
	}
	all := map[string]float64{"conv1": 1, "conv2": 1, "fc1": 1, "fc2": 1}
	square := func(v float64) float64 { return v * v / 2 }
	evaluate(t, net, L2{}, b, &Options{}).differences(t, sumOf(square, all))
	evaluate(t, net, L1{}, b, &Options{}).differences(t, sumOf(math.Abs, all))
	nodes := net.Nodes()
	positions := func(name string) float64 {
		i := slices.IndexFunc(nodes, func(n nn.Node) bool { return n.Name == name })
		return float64(nodes[i].Shape[1] * nodes[i].Shape[2])
	}
	stable := map[string]float64{"conv1": positions("conv1"), "conv2": positions("conv2"), "fc1": 1}
	evaluate(t, net, L1{PerPosition: true, SkipOutput: true}, b, &Options{}).differences(t, sumOf(math.Abs, stable))
}

func TestJacobianGradient(t *testing.T) {
	for name, net := range zoo(t) {
		for _, head := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				b := randomBatch(net, 8, 4)
				c := evaluate(t, net, Jacobian{Softmax: head}, b, &Options{})
				// The same directions, from the same randomness.
				probe := newStep(c.m)
				probe.begin(b, 0.5, rand.New(rand.NewPCG(3, 4)))
				v := wide(Jacobian{}.directions(probe))
				c.differences(t, func() float64 { return twinJacobian(net, b, v, head) })
			})
		}
	}
}

// twinJacobian is ½·C·mean‖vᵀJ‖² from the network's float64 gradients.
func twinJacobian(net nn.Network, b Batch, v []float64, head bool) float64 {
	e := nn.NewEvaluator[float64](net)
	y := e.Forward(wide(b.X), b.Size)
	k := len(y) / b.Size
	g := slices.Clone(v)
	if head {
		for i := range b.Size {
			p := softmax(y[i*k : (i+1)*k])
			for j := range k {
				g[i*k+j] = 0
				for m := range k {
					d := -p[m] * p[j]
					if m == j {
						d += p[m]
					}
					g[i*k+j] += v[i*k+m] * d
				}
			}
		}
	}
	sum := 0.0
	for _, d := range e.Backward(g, nil) {
		sum += d * d
	}
	return sum * float64(k) / float64(b.Size) / 2
}

// TestInputGradient: what attacks descend on.
func TestInputGradient(t *testing.T) {
	for name, net := range zoo(t) {
		t.Run(name, func(t *testing.T) {
			b := randomBatch(net, 9, 3)
			m, err := newModel(net, &Options{})
			require.NoError(t, err)
			for _, o := range []Objective{Untargeted, Margin, Targeted} {
				a := Attack{Objective: o}
				p, values := newPass(m), make([]float64, b.Size)
				p.run(b.X, b.Size, false, nil)
				a.ofLabels(b.Labels)(p, values)
				g := slices.Clone(p.back(nil, true))
				twin := func(x []float64) float64 {
					y := naive(net, x, b.Size, false)[net.Output()]
					if o == Targeted {
						return twinCE(y, b.Labels) * float64(b.Size)
					}
					if o == Untargeted {
						return -twinCE(y, b.Labels) * float64(b.Size)
					}
					k, sum := len(y)/b.Size, 0.0
					for i, l := range b.Labels {
						row := slices.Clone(y[i*k : (i+1)*k])
						sum += row[l]
						row[l] = math.Inf(-1)
						sum -= slices.Max(row)
					}
					return sum
				}
				x := wide(b.X)
				total := 0.0
				for _, v := range values {
					total += v
				}
				assert.InDelta(t, twin(x), total, 1e-4)
				for _, i := range []int{0, 3, len(x) - 1} {
					const h = 1e-6
					at := slices.Clone(x)
					at[i] += h
					up := twin(at)
					at[i] -= 2 * h
					assert.InDelta(t, (up-twin(at))/(2*h), g[i], 2e-4*(1+math.Abs(float64(g[i]))))
				}
			}
		})
	}
}
