package dualapp

// Algorithm 1: under-approximated domains by Monte Carlo.
//
// Inputs are drawn uniformly from the region, the network is evaluated at each,
// and of every pre-activation the least and the greatest value are kept.
//
// The same directions in [−1, 1]ⁿ serve all centres and radii, so that the answer
// is a function of the region alone, and the first layer is evaluated at the
// directions once and for all (evaluate.go). A neuron of the first layer costs
// nothing at all: its extremes over the samples are those over the directions,
// scaled and moved. The first direction is zero, so that the centre is a sample.
//
// Source: Xue et al. 2023, arXiv:2305.00998, Algorithm 1. Deviations: the centre
// is added; samples are not drawn anew for each radius.

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/spec"
)

// MonteCarlo finds under-approximated domains by sampling. The zero value is
// ready to use.
//
// Cost: one forward pass per sample without the first layer, or with it where the
// region is no cube around the centre. Memory: for each sample, one number per
// input and per element of the first layer, in single precision.
type MonteCarlo struct {
	// Samples is how many inputs are drawn, at least 1. Default 0: 1000, the
	// paper's.
	Samples int
	// Seed of the samples.
	Seed uint64
}

// chunk is how many samples go through the network at a time.
const chunk = 64

// For implements UnderApproximator.
func (c MonteCarlo) For(m *bounds.Model) Estimator {
	if c.Samples <= 0 {
		c.Samples = 1000
	}
	s := &sampler{plan: newPlan(m), count: c.Samples + 1}
	n := s.size[0]
	s.directions = make([]float32, s.count*n)
	rng := rand.New(rand.NewPCG(c.Seed, 0x6475616c))
	for k := n; k < len(s.directions); k++ {
		s.directions[k] = 2*rng.Float32() - 1
	}
	s.entries = make([][]float32, len(s.nodes))
	s.extremes = newExtremes(s.plan).under
	e := newEvaluator(s.plan)
	for _, i := range s.entry {
		s.entries[i] = make([]float32, s.count*s.size[i])
	}
	for from := 0; from < s.count; from += chunk {
		s.carryDirections(e, from, min(from+chunk, s.count))
	}
	x := extremes{s.plan, s.extremes}
	for _, i := range s.entry {
		if s.extremes[i].Lower != nil {
			x.add(i, s.entries[i], true)
		}
	}
	return s
}

// sampler is MonteCarlo for one network. Immutable.
type sampler struct {
	*plan
	count      int
	directions []float32         // [count × inputs]
	entries    [][]float32       // per entry node: W·d [count × size]
	extremes   []bounds.Interval // of those, for entry nodes that are targets
}

// carryDirections takes some directions through the prefix. The constant of its
// affine functions is their value at the first direction, which is zero.
func (s *sampler) carryDirections(e *evaluator, from, to int) {
	n, batch := s.size[0], to-from
	// The zero direction goes with every chunk.
	in := e.room(0, batch+1)
	clear(in[:n])
	copy(in[n:], s.directions[from*n:to*n])
	e.forward(batch+1, func(i int) bool { return s.need[i] && s.prefix[i] })
	for _, i := range s.entry {
		size, dst := s.size[i], s.entries[i][from*s.size[i]:to*s.size[i]]
		zero := e.values[i][:size]
		for k, v := range e.values[i][size:] {
			dst[k] = v - zero[k%size]
		}
	}
}

// At implements Estimator.
func (s *sampler) At(_ context.Context, center []float64) (Local, error) {
	l := &sampledAt{sampler: s, center: center, eval: newEvaluator(s.plan), base: make([][]float32, len(s.nodes))}
	narrow(l.eval.room(0, 1), center)
	l.eval.forward(1, func(i int) bool { return s.need[i] && s.prefix[i] })
	for _, i := range s.entry {
		l.base[i] = append([]float32(nil), l.eval.values[i]...)
	}
	l.eval = newEvaluator(s.plan)
	return l, nil
}

// sampledAt is MonteCarlo around one centre.
type sampledAt struct {
	*sampler
	center []float64
	base   [][]float32 // per entry node: its value at the centre
	eval   *evaluator
}

// Under implements Local.
func (l *sampledAt) Under(ctx context.Context, region spec.Region) ([]bounds.Interval, error) {
	x := newExtremes(l.plan)
	radius, cube := l.cube(region)
	deep := !cube
	for _, i := range l.target {
		deep = deep || !l.prefix[i]
	}
	if deep {
		for from := 0; from < l.count; from += chunk {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			to := min(from+chunk, l.count)
			if cube {
				l.scale(from, to, float32(radius))
			} else {
				l.draw(from, to, region)
			}
			l.eval.forward(to-from, func(i int) bool { return l.need[i] && !(cube && l.prefix[i]) })
			for _, i := range l.target {
				if !cube || !l.prefix[i] {
					x.add(i, l.eval.values[i][:(to-from)*l.size[i]], from == 0)
				}
			}
		}
	}
	if !cube {
		return x.under, nil
	}
	for _, i := range l.target {
		if !l.prefix[i] {
			continue
		}
		for k, v := range l.base[i] {
			x.under[i].Lower[k] = float64(v) + radius*l.extremes[i].Lower[k]
			x.under[i].Upper[k] = float64(v) + radius*l.extremes[i].Upper[k]
		}
	}
	return x.under, nil
}

// cube is the radius of a region that is a cube around the centre.
func (l *sampledAt) cube(region spec.Region) (radius float64, ok bool) {
	b, ok := region.(spec.Box)
	if !ok {
		return 0, false
	}
	for i, c := range l.center {
		radius = max(radius, b.Upper[i]-c, c-b.Lower[i])
	}
	for i, c := range l.center {
		slack := 1e-9*radius + 0x1p-50*math.Abs(c)
		if math.Abs(b.Upper[i]-c-radius) > slack || math.Abs(c-b.Lower[i]-radius) > slack {
			return 0, false
		}
	}
	return radius, true
}

// scale sets the entry nodes to their values at samples of the cube.
func (l *sampledAt) scale(from, to int, radius float32) {
	for _, i := range l.entry {
		size := l.size[i]
		dst := l.eval.room(i, to-from)
		for s := range to - from {
			row := dst[s*size : (s+1)*size]
			copy(row, l.base[i])
			blas.Axpy(radius, l.entries[i][(from+s)*size:(from+s+1)*size], row)
		}
	}
}

// draw sets the input to samples of any region: of its box, then projected.
func (l *sampledAt) draw(from, to int, region spec.Region) {
	n, b := l.size[0], region.Box()
	_, box := region.(spec.Box)
	dst := l.eval.room(0, to-from)
	x := make([]float64, n)
	for s := range to - from {
		d := l.directions[(from+s)*n : (from+s+1)*n]
		for i := range x {
			m := 0.5*b.Lower[i] + 0.5*b.Upper[i]
			x[i] = m + float64(d[i])*(b.Upper[i]-m)
		}
		if from+s == 0 {
			copy(x, l.center)
		}
		if !box || from+s == 0 {
			region.Project(x)
		}
		narrow(dst[s*n:(s+1)*n], x)
	}
}
