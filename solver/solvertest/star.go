package solvertest

import (
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/solver"
)

// StarSequence is a star set and what reachability asks of it: the ranges of affine
// functions of its predicate variables, one linear program per end, all over the same
// rows.
type StarSequence struct {
	Problem    *solver.Problem // without an objective
	Objectives [][]float64     // each to be minimised and maximised
}

// Star returns the star set before the last layer of a random ReLU network of the
// given widths over a box of the given radius, and the last layer's neurons as
// objectives. As in approx-star (Tran et al. 2019, "Star-based reachability analysis of
// deep neural networks", FM, Sect. 3.3) every unstable neuron adds a predicate variable
// with three rows,
//
//	a ≥ 0,  a ≥ x,  a ≤ u(x − l)/(u − l),
//
// where x is affine in the variables before. Bounds l and u are those of intervals
// over the predicates' boxes.
func Star(seed uint64, radius float64, widths ...int) StarSequence {
	rng := rand.New(rand.NewPCG(seed, 0x57a))
	s := star{p: &solver.Problem{}}
	for range widths[0] {
		s.p.AddVariable(-1, 1, 0)
		f := affineOf{constant: rng.NormFloat64(), of: make([]float64, len(s.p.Variables))}
		f.of[len(f.of)-1] = radius
		s.neurons = append(s.neurons, f)
	}
	for k, width := range widths[1:] {
		s.affine(rng, width)
		if k < len(widths)-2 {
			s.relu()
		}
	}
	out := StarSequence{Problem: s.p}
	for _, f := range s.neurons {
		out.Objectives = append(out.Objectives, f.padded(len(s.p.Variables)))
	}
	return out
}

// affineOf is a neuron in terms of predicate variables; later ones have none.
type affineOf struct {
	constant float64
	of       []float64
}

func (f affineOf) padded(n int) []float64 {
	return append(append(make([]float64, 0, n), f.of...), make([]float64, n-len(f.of))...)
}

type star struct {
	p       *solver.Problem
	neurons []affineOf
}

// affine applies a random affine layer.
func (s *star) affine(rng *rand.Rand, width int) {
	next := make([]affineOf, width)
	for i := range next {
		f := affineOf{rng.NormFloat64() / 10, make([]float64, len(s.p.Variables))}
		for _, n := range s.neurons {
			w := rng.NormFloat64() * math.Sqrt(2/float64(len(s.neurons)))
			f.constant += w * n.constant
			for j, a := range n.of {
				f.of[j] += w * a
			}
		}
		next[i] = f
	}
	s.neurons = next
}

// relu relaxes every neuron.
func (s *star) relu() {
	boxes := len(s.p.Variables)
	for i, f := range s.neurons {
		low, high := f.constant, f.constant
		var columns []int
		var values []float64
		for j, a := range f.of[:boxes] {
			if a == 0 {
				continue
			}
			columns, values = append(columns, j), append(values, a)
			v := &s.p.Variables[j]
			low += min(a*v.Lower, a*v.Upper)
			high += max(a*v.Lower, a*v.Upper)
		}
		switch {
		case low >= 0:
			continue
		case high <= 0:
			s.neurons[i] = affineOf{of: []float64{}}
			continue
		}
		a := s.p.AddVariable(0, high, 0)
		slope := high / (high - low)
		all := append(append([]int{}, columns...), a)
		rise, fall := make([]float64, len(all)), make([]float64, len(all))
		for k, v := range values {
			rise[k], fall[k] = -v, -slope*v
		}
		rise[len(values)], fall[len(values)] = 1, 1
		s.p.AddGreaterEqual(0, []int{a}, []float64{1})
		s.p.AddGreaterEqual(f.constant, all, rise)
		s.p.AddLessEqual(slope*(f.constant-low), all, fall)
		of := make([]float64, a+1)
		of[a] = 1
		s.neurons[i] = affineOf{of: of}
	}
}

// ReLUs returns a mixed-integer problem that verifiers ask: the least difference of two
// outputs of a random ReLU network over a box, exactly, with a binary per unstable
// neuron (Tjeng, Xiao & Tedrake 2019, "Evaluating robustness of neural networks with
// mixed integer programming", ICLR, Sect. 4.1). Shapes as in Network.
func ReLUs(seed uint64, radius float64, widths ...int) *solver.Problem {
	p := Network(seed, radius, widths...)
	for i := range p.Rows {
		r := &p.Rows[i]
		if len(r.Columns) != 2 || !math.IsInf(r.Upper, 1) {
			continue
		}
		a, z := r.Columns[0], r.Columns[1] // a ≥ z; a ≤ z − l(1−b), a ≤ u·b
		b := p.AddInteger(0, 1, 0)
		low, high := p.Variables[z].Lower, p.Variables[z].Upper
		p.AddLessEqual(-low, []int{a, z, b}, []float64{1, -1, -low})
		p.AddLessEqual(0, []int{a, b}, []float64{1, -high})
	}
	return p
}
