package bab

import (
	"math"
	"reflect"

	"github.com/vouchnn/vouch/bounds"
)

// group is the cases that share their unsafe condition.
type group struct {
	functions bounds.Functions
	rows      [][2]int // per conjunction: its functions [from, to)
	cases     []int
}

// groups sorts the property's cases by their unsafe condition.
func (e *engine) groups() []group {
	var out []group
	for i := range e.prop.Cases {
		c := &e.prop.Cases[i]
		at := -1
		for g := range out {
			if reflect.DeepEqual(e.prop.Cases[out[g].cases[0]].Unsafe, c.Unsafe) {
				at = g
				break
			}
		}
		if at < 0 {
			g := group{functions: bounds.PropertyFunctions(c, e.prop.Inputs, e.prop.Outputs)}
			from := 0
			for _, conj := range c.Unsafe {
				g.rows = append(g.rows, [2]int{from, from + len(conj)})
				from += len(conj)
			}
			at = len(out)
			out = append(out, g)
		}
		out[at].cases = append(out[at].cases, i)
	}
	return out
}

// weakest is the function that bounds the most violated open conjunction.
func (g *group) weakest(d *domain, r *bounds.DomainResult) int {
	least, at := math.Inf(1), -1
	for _, c := range d.open {
		v, f := g.best(c, r)
		if v <= least && f >= 0 {
			least, at = v, f
		}
	}
	return max(at, 0)
}

// best is the largest lower bound among a conjunction's functions, and which.
func (g *group) best(c int, r *bounds.DomainResult) (float64, int) {
	v, at := math.Inf(-1), -1
	for f := g.rows[c][0]; f < g.rows[c][1]; f++ {
		if at < 0 || r.Lower[f] > v {
			v, at = r.Lower[f], f
		}
	}
	return v, at
}
