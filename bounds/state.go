package bounds

import (
	"math"

	"github.com/vouchnn/vouch/spec"
)

// state is the bounds of a batch of domains while they are being computed.
// Every per-node slice is [domains × size of the node].
type state struct {
	m       *Model
	domains []Domain
	count   int
	boxes   bool // every region is a box, and no domain has half-spaces
	shallow bool // passes end in front of the last nonlinear node
	serial  bool // other parts of the query keep the other processors busy
	relaxer Relaxer

	lower, upper [][]float64
	// magnitude is the vector v of rounding.go: per output element of a node,
	// the size of the terms whose rounding its backward step suffers. For the
	// input it is the size of its elements.
	magnitude [][]float64
	lines     []lineSet     // of nonlinear element-wise nodes
	pools     []poolSet     // of MaxPool nodes
	tangents  []*tangentSet // of S-curve nodes, once an optimiser wants them
	empty     []bool        // per domain: infeasible
	views     []view        // per domain: its live neurons; nil if all are kept
	corners   []*corner     // per domain: its half-spaces; nil if there are none
	scratch   *scratch      // memory that results do not keep
}

// lineSet is the relaxation of every neuron of one node, [domains × size].
type lineSet struct {
	lowerSlope, lowerIntercept, upperSlope, upperIntercept []float64
}

func newState(m *Model, domains []Domain, relaxer Relaxer) *state {
	n := len(m.nodes)
	s := &state{
		m: m, domains: domains, count: len(domains), boxes: true, relaxer: relaxer,
		lower: make([][]float64, n), upper: make([][]float64, n), magnitude: make([][]float64, n),
		lines: make([]lineSet, n), pools: make([]poolSet, n), tangents: make([]*tangentSet, n), empty: make([]bool, len(domains)),
		scratch: scratches.Get().(*scratch),
	}
	total := 0
	for _, z := range m.size {
		total += z
	}
	// One allocation for all bounds; it is handed to the results.
	all := make([]float64, 2*total*len(domains))
	for i, z := range m.size {
		k := z * len(domains)
		s.lower[i], s.upper[i], all = all[:k:k], all[k:2*k:2*k], all[2*k:]
	}
	for d := range domains {
		b := domains[d].Region.Box()
		copy(s.lower[0][d*m.inputs:], b.Lower)
		copy(s.upper[0][d*m.inputs:], b.Upper)
		if _, ok := domains[d].Region.(spec.Box); !ok {
			s.boxes = false
		}
	}
	s.intersect(0)
	s.makeCorners()
	s.magnitude[0] = s.scratch.floats(len(s.lower[0]))
	for k, lo := range s.lower[0] {
		s.magnitude[0][k] = max(-lo, s.upper[0][k])
	}
	return s
}

// close gives back what results do not keep. The state must not be used after.
func (s *state) close() { s.scratch.giveBack() }

// span is domain d's part of a [domains × size of node i] slice.
func (s *state) span(x []float64, i, d int) []float64 {
	n := s.m.size[i]
	return x[d*n : (d+1)*n : (d+1)*n]
}

// known is what domain d knows of node i.
func (s *state) known(i, d int) (Interval, bool) {
	k := s.domains[d].Known
	if i >= len(k) || k[i].Lower == nil {
		return Interval{}, false
	}
	return k[i], true
}

// settled reports whether node i need not be bounded anew in any domain.
func (s *state) settled(i int) bool {
	for d := range s.domains {
		if i >= s.domains[d].Settled {
			return false
		}
		if _, ok := s.known(i, d); !ok {
			return false
		}
	}
	return true
}

// intersect narrows the bounds of node i to what is known, and marks domains
// in which nothing is left. A NaN bound, which only an overflow can make,
// becomes an infinite one.
func (s *state) intersect(i int) {
	for d := range s.count {
		lo, up := s.span(s.lower[i], i, d), s.span(s.upper[i], i, d)
		k, known := s.known(i, d)
		if !known {
			k = Interval{lo, up}
		}
		least, most := k.Lower[:len(lo)], k.Upper[:len(lo)]
		up = up[:len(lo)]
		for j, l := range lo {
			u := up[j]
			if !(l >= least[j]) { // NaN too
				l = least[j]
			}
			if !(u <= most[j]) {
				u = most[j]
			}
			if math.IsNaN(l) {
				l = math.Inf(-1)
			}
			if math.IsNaN(u) {
				u = math.Inf(1)
			}
			if l > u {
				s.empty[d] = true
				u = l
			}
			lo[j], up[j] = l, u
		}
	}
}

// checkEmpty marks domain d infeasible if node i has an empty interval there,
// and makes such intervals single points so that the batch can go on.
func (s *state) checkEmpty(i, d int) {
	lo, up := s.span(s.lower[i], i, d), s.span(s.upper[i], i, d)
	for j := range lo {
		if lo[j] > up[j] {
			s.empty[d] = true
			up[j] = lo[j]
		}
	}
}
