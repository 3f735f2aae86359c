package simplex

import (
	"cmp"
	"math"
	"slices"

	"github.com/vouchnn/vouch/solver"
)

// Lifted cover cuts.
//
// A side of a row, with binaries of negative weight complemented and everything else at
// the end that takes least, is a knapsack: Σ aⱼzⱼ ≤ b, a > 0. Items whose weights exceed b
// together, a cover C, are not all in it: Σ over C of zⱼ ≤ |C| − 1. The others get the
// greatest coefficients that keep this true, one after the other:
//
//	αⱼ = |C| − 1 − max{Σ αᵢzᵢ : Σ aᵢzᵢ ≤ b − aⱼ}
//
// (Balas 1975, "Facets of the knapsack polytope", Math. Program. 8; Zemel 1989, "Easily
// computable facets of the knapsack polytope", Math. Oper. Res. 14, for the table of least
// weights). Coefficients are small integers and exact. Weights are sums of the row's
// entries, rounded down, and b is rounded up, so rounding can only miss a cover or make a
// coefficient smaller.

// item of a knapsack.
type item struct {
	j       int
	a       float64 // weight
	x       float64 // what the linear program has of it
	flipped bool    // z = 1 − x
	lift    int     // coefficient
}

// knapsack is a side of a row.
type knapsack struct {
	items []item
	b     float64
}

// knapsackOf is a side of a row, sign·activity ≤ sign·end, in the box; false if the row
// says nothing of two binaries.
func knapsackOf(p *solver.Problem, i int, upper bool, low, high, x []float64) (knapsack, bool) {
	r := &p.Rows[i]
	sign, end := 1.0, r.Upper
	if !upper {
		sign, end = -1, -r.Lower
	}
	var k knapsack
	if math.IsInf(end, 0) {
		return k, false
	}
	var right bounded
	right.add(end)
	for t, j := range r.Columns {
		a := sign * r.Values[t]
		switch {
		case a == 0:
		case p.Variables[j].Integer && low[j] == 0 && high[j] == 1:
			it := item{j: j, a: math.Abs(a), x: min(max(x[j], 0), 1), flipped: a < 0}
			if it.flipped {
				right.add(-a)
				it.x = 1 - it.x
			}
			k.items = append(k.items, it)
		case a > 0:
			right.add(-a * low[j])
		default:
			right.add(-a * high[j])
		}
	}
	k.b = right.above()
	return k, len(k.items) >= 2 && !math.IsInf(k.b, 0) && k.b >= 0
}

// cover looks for a cover that the point violates, lifts it, and returns the cut.
func (k *knapsack) cover() (solver.Row, bool) {
	// Greedily the items that cost least violation for their weight.
	order := slices.Clone(k.items)
	slices.SortStableFunc(order, func(s, t item) int {
		return cmp.Compare((1-s.x)*t.a, (1-t.x)*s.a)
	})
	count, weight := 0, 0.0
	for ; count < len(order) && !(weight > k.b); count++ {
		weight = downward(weight + order[count].a)
	}
	if !(weight > k.b) {
		return solver.Row{}, false
	}
	c, rest := order[:count], slices.Clone(order[count:])
	// A minimal one: drop what the point has least of.
	slices.SortStableFunc(c, func(s, t item) int { return cmp.Compare(s.x, t.x) })
	kept := make([]item, 0, count)
	for t := range c {
		weight = 0
		for _, it := range kept {
			weight = downward(weight + it.a)
		}
		for _, it := range c[t+1:] {
			weight = downward(weight + it.a)
		}
		if weight > k.b {
			rest = append(rest, c[t])
		} else {
			kept = append(kept, c[t])
		}
	}
	slices.SortStableFunc(rest, func(s, t item) int { return cmp.Compare(t.x, s.x) })
	return k.lift(kept, rest)
}

// lift gives the items outside of the cover coefficients.
func (k *knapsack) lift(cover, rest []item) (solver.Row, bool) {
	most := len(cover) - 1
	if most < 1 {
		return solver.Row{}, false
	}
	least := make([]float64, most+2) // weight that the value v takes, at least
	for v := 1; v <= most+1; v++ {
		least[v] = math.Inf(1)
	}
	add := func(it item) {
		for v := most + 1; v >= 1; v-- {
			if w := downward(least[max(0, v-it.lift)] + it.a); it.lift > 0 && w < least[v] {
				least[v] = w
			}
		}
	}
	for t := range cover {
		cover[t].lift = 1
		add(cover[t])
	}
	for t := range rest {
		room := upward(k.b - rest[t].a)
		value := 0 // of what fits beside it
		for v := most; v >= 1; v-- {
			if least[v] <= room {
				value = v
				break
			}
		}
		if rest[t].lift = most - value; room < 0 {
			rest[t].lift = most // it does not fit at all
		}
		if rest[t].lift > 0 {
			add(rest[t])
		}
	}
	row := solver.Row{Lower: math.Inf(-1), Upper: float64(most)}
	for _, it := range slices.Concat(cover, rest) {
		if it.lift == 0 {
			continue
		}
		v := float64(it.lift)
		if it.flipped {
			v = -v
			row.Upper += v
		}
		row.Columns, row.Values = append(row.Columns, it.j), append(row.Values, v)
	}
	return row, true
}
