package solvertest

import (
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/solver"
)

// Network returns the triangle relaxation (Ehlers 2017, "Formal verification of
// piece-wise linear feed-forward neural networks", Sect. 3) of a random ReLU network
// of the given widths over a box of the given radius, minimising the difference of two
// outputs. The last layer is affine and its variables are the last of the problem.
// Pre-activations are variables with interval bounds, defined by equations; a stable
// neuron needs no rows, an unstable one two. It is what verifiers ask: sparse between
// the layers, dense within, many equations, degenerate.
func Network(seed uint64, radius float64, widths ...int) *solver.Problem {
	n := network{p: &solver.Problem{}, rng: rand.New(rand.NewPCG(seed, 0xe41))}
	for range widths[0] {
		c := n.rng.NormFloat64()
		n.push(n.p.AddVariable(c-radius, c+radius, 0), c-radius, c+radius)
	}
	for k, width := range widths[1:] {
		n.layer(width, k == len(widths)-2)
	}
	outputs := n.p.Variables[len(n.p.Variables)-widths[len(widths)-1]:]
	outputs[0].Cost, outputs[1].Cost = 1, -1
	return n.p
}

// network is a layer's variables with their bounds.
type network struct {
	p            *solver.Problem
	rng          *rand.Rand
	variables    []int
	lower, upper []float64
}

func (n *network) push(variable int, lower, upper float64) {
	n.variables = append(n.variables, variable)
	n.lower, n.upper = append(n.lower, lower), append(n.upper, upper)
}

// layer adds an affine layer, and ReLUs unless it is the last.
func (n *network) layer(width int, last bool) {
	next := network{p: n.p, rng: n.rng}
	for range width {
		bias := n.rng.NormFloat64() / 10
		low, high := bias, bias
		var values []float64
		for k := range n.variables {
			w := n.rng.NormFloat64() * math.Sqrt(2/float64(len(n.variables)))
			values = append(values, -w)
			low += min(w*n.lower[k], w*n.upper[k])
			high += max(w*n.lower[k], w*n.upper[k])
		}
		low, high = low-1e-9, high+1e-9 // rounding
		z := n.p.AddVariable(low, high, 0)
		columns := append(append([]int{}, n.variables...), z)
		n.p.AddEqual(bias, columns, append(values, 1))
		if last {
			next.push(z, low, high)
		} else {
			next.relu(z, low, high)
		}
	}
	*n = next
}

// relu adds a = max(z, 0), relaxed.
func (n *network) relu(z int, low, high float64) {
	switch {
	case low >= 0:
		n.push(z, low, high)
	case high <= 0:
		n.push(n.p.AddVariable(0, 0, 0), 0, 0)
	default:
		a := n.p.AddVariable(0, high, 0)
		slope := high / (high - low)
		n.p.AddGreaterEqual(0, []int{a, z}, []float64{1, -1})
		n.p.AddLessEqual(-slope*low, []int{a, z}, []float64{1, -slope})
		n.push(a, 0, high)
	}
}
