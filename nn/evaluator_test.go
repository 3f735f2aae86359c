package nn

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBackwardByDifferences checks the gradients of whole graphs, with
// residual and joined branches, to the input and to every parameter.
func TestBackwardByDifferences(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	branched := 0
	for range 150 {
		g := randomGraph(t, r, true)
		readers := make([]int, len(g.Nodes()))
		grads := make([][][]float64, len(g.Nodes()))
		for i, n := range g.Nodes() {
			for _, j := range n.Inputs {
				if readers[j]++; readers[j] == 2 {
					branched++
				}
			}
			if n.Op == nil {
				continue
			}
			for _, p := range n.Op.Params() {
				grads[i] = append(grads[i], make([]float64, len(p.Values())))
			}
		}
		e := NewEvaluator[float64](g)
		const batch = 2
		x := gaussians(r, batch*InputShape(g).Size())
		weights := gaussians(r, batch*OutputShape(g).Size())
		value := func() float64 {
			s := 0.0
			for i, v := range e.Forward(x, batch) {
				s += v * weights[i]
			}
			return s
		}
		top := math.Abs(value()) + 1
		gx := append([]float64(nil), e.Backward(weights, grads)...)
		check := func(got float64, v *float64) {
			const h = 1e-5
			old := *v
			*v = old + h
			up := value()
			*v = old - h
			down := value()
			*v = old
			want := (up - down) / (2 * h)
			require.InDelta(t, want, got, 1e-4*(top+math.Abs(want)), kinds(g))
		}
		for i := range x {
			check(gx[i], &x[i])
		}
		for i, n := range g.Nodes() {
			for k, p := range grads[i] {
				if name := n.Op.Params()[k].Name; name == "mean" || name == "variance" {
					continue
				}
				for m := range p {
					check(p[m], &n.Op.Params()[k].Values()[m])
				}
			}
		}
	}
	assert.Greater(t, branched, 50)
}

func TestBackwardWithoutParameters(t *testing.T) {
	g := chain(t, Shape{2}, must(NewDense(2, 2, []float64{1, 2, 3, 4}, []float64{0, 0})), ReLU{})
	e := NewEvaluator[float32](g)
	assert.Equal(t, []float32{5, 7}, e.Forward([]float32{-3, 4}, 1))
	assert.Equal(t, []float32{5, 7}, e.Value(1))
	assert.Equal(t, []float32{4, 6}, e.Backward([]float32{1, 1}, nil))
}

func TestEvaluatorDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	r := rand.New(rand.NewPCG(6, 6))
	for range 20 {
		g := randomGraph(t, r, false)
		e := NewEvaluator[float32](g)
		x := to32(gaussians(r, 3*InputShape(g).Size()))
		y := to32(gaussians(r, 3*OutputShape(g).Size()))
		assert.Zero(t, testing.AllocsPerRun(10, func() {
			e.Forward(x, 3)
			e.Backward(y, nil)
		}), kinds(g))
	}
}

// TestConcurrentShapes runs one operator from several goroutines at different
// input shapes, so that they fight for its cached plan.
func TestConcurrentShapes(t *testing.T) {
	ops := []Operator{
		must(NewTranspose([]int{1, 0})), must(NewAveragePool(PoolConfig{Kernel: []int{2}})),
		must(NewReduce(ReduceMean, []int{-1}, false)),
		must(NewConv(ConvConfig{Kernel: []int{2}}, 2, 3, ones(12), nil)),
	}
	for _, op := range ops {
		var wg sync.WaitGroup
		for n := range 4 {
			wg.Go(func() {
				c := testCase{op, []Shape{{3, n + 2}}}
				x := make([]float64, 3*(n+2))
				for i := range x {
					x[i] = float64(i)
				}
				k := call(c, [][]float64{x}, 1)
				for range 50 {
					op.Forward64(k)
					for i, want := range naive(op, c.in, [][]num{exacts(x)}) {
						w, _ := want.Float64()
						if math.Abs(w-k.Out[i]) > 1e-12*(1+math.Abs(w)) {
							t.Errorf("%s at %v: %v", op.Kind(), c.in, k.Out)
							return
						}
					}
				}
			})
		}
		wg.Wait()
	}
}

func TestEvaluateChecksTheInput(t *testing.T) {
	g := chain(t, Shape{2}, ReLU{})
	_, err := Evaluate(g, []float64{1})
	var s *ShapeError
	require.ErrorAs(t, err, &s)
	y, err := Evaluate(g, []float64{-1, 2})
	require.NoError(t, err)
	assert.Equal(t, []float64{0, 2}, y)
	assert.Panics(t, func() { NewEvaluator[float64](g).Forward([]float64{1}, 1) })
}

func TestArgMax(t *testing.T) {
	require.Equal(t, -1, ArgMax[int64](nil))
	require.Equal(t, 1, ArgMax([]float32{-3, 2, 2}))
	require.Equal(t, 1, ArgMax([]float64{math.NaN(), -1, math.NaN()}))
	require.Equal(t, 2, ArgMax([]int64{-5, -7, -1}))
}
