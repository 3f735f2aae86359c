package blas

import (
	"math"
	"unsafe"
)

// AdamRule is one step of Adam (Kingma and Ba 2014, arXiv:1412.6980, algorithm 1) or
// AdamW on float32 parameters: with gradient d,
//
//	m ← m + first·(d − m),  v ← v + second·(d² − v),  w ← keep·w − rate·m/(√v + floor).
//
// A moment below 2⁻¹⁰⁰ becomes 0: towards the least float32 arithmetic becomes a
// hundred times slower. Every operation rounds by itself.
type AdamRule struct{ constants [6 * adamLanes]float32 }

const (
	adamLanes = 8
	adamLeast = 0x1p-100
)

// NewAdamRule is the rule with these numbers.
func NewAdamRule(first, second, floor, rate, keep float32) *AdamRule {
	r := &AdamRule{}
	for i, c := range [6]float32{first, second, floor, rate, keep, adamLeast} {
		for lane := range adamLanes {
			r.constants[i*adamLanes+lane] = c
		}
	}
	return r
}

// Step moves parameters w and their moments by gradient g. It panics if a slice is
// shorter than w. Slices must not overlap.
func (r *AdamRule) Step(w, g, first, second []float32) {
	n := len(w)
	if n == 0 {
		return
	}
	_, _, _ = g[:n], first[:n], second[:n]
	active.Load().adam(n, &w[0], &g[0], &first[0], &second[0], &r.constants[0])
}

func genericAdam(n int, w, g, first, second, constants *float32) {
	c := unsafe.Slice(constants, 6*adamLanes)
	f, s, floor, rate, keep := c[0], c[adamLanes], c[2*adamLanes], c[3*adamLanes], c[4*adamLanes]
	values, m, v := unsafe.Slice(w, n), unsafe.Slice(first, n), unsafe.Slice(second, n)
	for i, d := range unsafe.Slice(g, n) {
		// The conversions keep a compiler from joining two roundings to one.
		mean := Settled(m[i] + float32(f*(d-m[i])))
		square := Settled(v[i] + float32(s*(float32(d*d)-v[i])))
		m[i], v[i] = mean, square
		values[i] = float32(keep*values[i]) - float32(rate*mean)/(float32(math.Sqrt(float64(square)))+floor)
	}
}

// Settled is v, or 0 where nothing else is left of a moving mean whose numbers have been
// 0 for long.
func Settled(v float32) float32 {
	if v < adamLeast && v > -adamLeast {
		return 0
	}
	return v
}
