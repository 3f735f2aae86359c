package reach

// relax-star: linear programs for some of the undecided neurons only.
//
// Of m undecided neurons n = round((1−factor)·m) get bounds from the solver, two
// programs each, or 2n bounds are chosen one by one; the rest keep their estimates.
// Source: Tran et al. 2021, "Robustness verification of semantic segmentation neural
// networks using relaxed reachability", CAV; the choices are those of NNV.

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// wanted is which bounds of the listed neurons the solver is to find; nil if none.
func (o *Options) wanted(list []int, s *spread) []side {
	m := len(list)
	if m == 0 || o.Method == Zono {
		return nil
	}
	wanted := make([]side, m)
	if o.Method != RelaxStar {
		for r := range wanted {
			wanted[r] = lowerSide | upperSide
		}
		return wanted
	}
	n := int(math.Round((1 - o.RelaxFactor) * float64(m)))
	if n == 0 {
		return nil
	}
	lower := func(r int) float64 { return -s.lower[list[r]] }
	upper := func(r int) float64 { return s.upper[list[r]] }
	switch o.Choice {
	case ByBound:
		for _, i := range greatest(2*m, 2*n, func(i int) float64 {
			if i < m {
				return math.Abs(upper(i))
			}
			return math.Abs(lower(i - m))
		}) {
			if i < m {
				wanted[i] |= upperSide
			} else {
				wanted[i-m] |= lowerSide
			}
		}
	case UpperFirst:
		for _, i := range greatest(m, min(2*n, m), upper) {
			wanted[i] |= upperSide
		}
		if 2*n > m {
			for _, i := range greatest(m, 2*n-m, func(i int) float64 { return math.Abs(lower(i)) }) {
				wanted[i] |= lowerSide
			}
		}
	case ByRandom:
		rng := rand.New(rand.NewPCG(o.Seed, uint64(m)))
		for _, i := range rng.Perm(m)[:n] {
			wanted[i] = lowerSide | upperSide
		}
	default:
		key := func(i int) float64 { return lower(i) + upper(i) }
		switch o.Choice {
		case ByArea:
			key = func(i int) float64 { return math.Abs(lower(i)) * upper(i) }
		case ByOrder:
			key = func(i int) float64 { return -float64(i) }
		}
		for _, i := range greatest(m, n, key) {
			wanted[i] = lowerSide | upperSide
		}
	}
	return wanted
}

// greatest is the k of n items with the greatest keys; among equals the first.
func greatest(n, k int, key func(int) float64) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(key(b), key(a)) })
	return order[:k]
}
