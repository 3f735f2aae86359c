package simplex

import "math"

// Pseudo-costs.
//
// How much the bound rose per unit by which a variable was moved, on average over the
// branchings so far, predicts what the next branching brings (Benichou et al. 1971,
// "Experiments in mixed-integer linear programming", Math. Program. 1). Predictions
// that rest on few observations are replaced by trial (branching.go).

// pseudoCosts of all variables, by direction.
type pseudoCosts struct {
	sum   [2][]float64
	count [2][]float64
	all   [2]float64 // over all variables
	seen  [2]float64
}

// directions of branching.
const (
	goDown = 0
	goUp   = 1
)

// observation is what one branching brought per unit.
type observation struct {
	j, direction int
	gain         float64
}

func newPseudoCosts(n int) *pseudoCosts {
	c := &pseudoCosts{}
	for d := range c.sum {
		c.sum[d], c.count[d] = make([]float64, n), make([]float64, n)
	}
	return c
}

func (c *pseudoCosts) copyFrom(o *pseudoCosts) {
	for d := range c.sum {
		copy(c.sum[d], o.sum[d])
		copy(c.count[d], o.count[d])
	}
	c.all, c.seen = o.all, o.seen
}

func (c *pseudoCosts) add(o observation) {
	c.sum[o.direction][o.j] += o.gain
	c.count[o.direction][o.j]++
	c.all[o.direction] += o.gain
	c.seen[o.direction]++
}

// gain predicts the rise of the bound when variable j is moved by distance.
func (c *pseudoCosts) gain(j, direction int, distance float64) float64 {
	switch {
	case c.count[direction][j] > 0:
		return distance * c.sum[direction][j] / c.count[direction][j]
	case c.seen[direction] > 0:
		return distance * c.all[direction] / c.seen[direction]
	}
	return distance
}

// reliability is the number of observations in the direction with fewer.
func (c *pseudoCosts) reliability(j int) float64 { return min(c.count[0][j], c.count[1][j]) }

// product is the score of a branching by its two gains (Achterberg 2007, Sect. 5.1).
func product(down, up float64) float64 { return max(down, 1e-6) * max(up, 1e-6) }

// score predicts the product for a variable with value x.
func (c *pseudoCosts) score(j int, x float64) float64 {
	f := x - math.Floor(x)
	return product(c.gain(j, goDown, f), c.gain(j, goUp, 1-f))
}
