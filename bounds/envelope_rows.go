package bounds

// The neurons whose envelopes are taken jointly, and what they read.

import (
	"context"
	"math"
	"slices"
)

// patchRows is the inputs of a first layer's undecided neurons as functions of the
// network's. It is made for one domain and holds in all its parts.
type patchRows struct {
	model   *Model
	sizes   []float64 // of the inputs, that slack and size of the neurons are for
	neurons []patchNeuron
	reads   [][]int // lists of inputs
}

// serves reports whether the rows hold in a domain of the state.
func (g *patchRows) serves(s *state) bool {
	if g == nil || g.model != s.m {
		return false
	}
	for i, v := range s.magnitude[0] {
		if !(v <= g.sizes[i]) {
			return false
		}
	}
	return true
}

// patchNeuron is one neuron: its input is weight·x + bias, x being the inputs of its
// list, but for slack.
type patchNeuron struct {
	index  int // in the layer
	reads  int // place of its list in patchRows.reads
	weight []float64
	bias   float64
	slack  float64
	size   float64 // of the terms that add up to its input
}

// patches is what is known of the neurons in one domain.
type patches struct {
	s       *state
	rows    *patchRows
	first   int // the ReLU
	slope   float64
	corners int         // up to so many inputs corners are enumerated
	open    []int       // places of the neurons that are undecided in the domain, ascending
	chord   []float64   // by neuron: slope of the upper line
	bottom  [][]float64 // by list: the lower ends of its inputs, and their upper ends
	top     [][]float64
	values  [][]float64 // by neuron that reads few inputs: after the ReLU, at the corners
}

const (
	// patchBlock is how many neurons are carried back to the input at a time.
	patchBlock = 128
	// mostWeights bounds the memory for neurons' weights, and mostCorners that for values at corners.
	mostWeights = 1 << 23
	mostCorners = 1 << 23
)

// newPatches finds the neurons, from those of a domain that contains this one where
// they are known; nil if there are none.
func (s *state) newPatches(ctx context.Context, first, corners int, before *Warm) (*patches, error) {
	g := &patches{s: s, first: first, slope: s.m.rules[first].(elementwise).lowestSlope(), corners: corners}
	if !(g.slope >= 0 && g.slope <= 1) {
		return nil, nil // not convex
	}
	if before != nil && before.rows.serves(s) {
		g.rows = before.rows
	} else {
		var err error
		if g.rows, err = s.newPatchRows(ctx, first); err != nil {
			return nil, err
		}
	}
	j, rows := s.m.nodes[first].Inputs[0], g.rows
	g.chord, g.values = make([]float64, len(rows.neurons)), make([][]float64, len(rows.neurons))
	total := 0
	for k := range rows.neurons {
		lo, up := s.lower[j][rows.neurons[k].index], s.upper[j][rows.neurons[k].index]
		n := len(rows.neurons[k].weight)
		if !(lo < 0 && up > 0) || (g.slope > 0 && n > corners) {
			continue
		}
		if n <= corners {
			total += 1 << n
		}
		g.open = append(g.open, k)
		g.chord[k] = (up - g.slope*lo) / (up - lo)
	}
	if len(g.open) == 0 || total > mostCorners {
		return nil, nil
	}
	for _, list := range rows.reads {
		lo, up := make([]float64, len(list)), make([]float64, len(list))
		for k, i := range list {
			lo[k], up[k] = s.lower[0][i], s.upper[0][i]
		}
		g.bottom, g.top = append(g.bottom, lo), append(g.top, up)
	}
	for _, k := range g.open {
		g.fill(k)
	}
	return g, nil
}

// newPatchRows carries the undecided neurons back to the input.
func (s *state) newPatchRows(ctx context.Context, first int) (*patchRows, error) {
	j := s.m.nodes[first].Inputs[0]
	g := &patchRows{model: s.m, sizes: slices.Clone(s.magnitude[0])}
	var undecided []int
	for k, lo := range s.lower[j] {
		if up := s.upper[j][k]; lo < 0 && up > 0 && finite(lo) && finite(up) {
			undecided = append(undecided, k)
		}
	}
	p := passes.Get().(*pass)
	defer passes.Put(p)
	byInputs, counted, total := map[string]int{}, 0, 0
	for from := 0; from < len(undecided); from += patchBlock {
		g.add(ctx, s, p, j, undecided[from:min(from+patchBlock, len(undecided))], byInputs)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for ; counted < len(g.neurons); counted++ {
			total += len(g.neurons[counted].weight)
		}
		if total > mostWeights {
			g.neurons, g.reads = nil, nil
			break
		}
	}
	return g, nil
}

// add carries elements of node j back to the input.
func (g *patchRows) add(ctx context.Context, s *state, p *pass, j int, elements []int, byInputs map[string]int) {
	n := s.m.inputs
	rows := make([]row, len(elements))
	for k, e := range elements {
		rows[k] = row{index: e, sign: 1, id: k}
	}
	p.reset(s, rows, false)
	for k, c := range elements {
		p.coefOf(j)[k*s.m.size[j]+c] = 1
	}
	p.sweep(ctx, j)
	coef := p.coefOf(0)
	var list []int
	var key []byte
	for k, e := range elements {
		list, key = list[:0], key[:0]
		w := coef[k*n : (k+1)*n]
		for i, v := range w {
			if v != 0 {
				list = append(list, i)
				key = append(key, byte(i), byte(i>>8), byte(i>>16), byte(i>>24))
			}
		}
		at, ok := byInputs[string(key)]
		if !ok {
			at = len(g.reads)
			byInputs[string(key)] = at
			g.reads = append(g.reads, slices.Clone(list))
		}
		u := patchNeuron{index: e, reads: at, bias: p.value[k], slack: p.slack(k), size: math.Abs(p.value[k])}
		for _, i := range list {
			u.weight = append(u.weight, w[i])
			u.size += math.Abs(w[i]) * s.magnitude[0][i]
		}
		if finite(u.bias) && finite(u.slack) && finite(u.size) {
			g.neurons = append(g.neurons, u)
		}
	}
	for i := range p.coef {
		p.release(i)
	}
	p.s, p.rows = nil, nil
}

// corner writes the corner of the box of a list's inputs with the given number: bit i
// tells which end input i is at.
func (g *patches) corner(list, number int, x []float64) {
	for k := range x {
		x[k] = g.bottom[list][k]
		if number>>k&1 == 1 {
			x[k] = g.top[list][k]
		}
	}
}

// fill computes a neuron's values at corners, if it reads few inputs.
func (g *patches) fill(k int) {
	u := &g.rows.neurons[k]
	n := len(u.weight)
	if n > g.corners {
		return
	}
	x := make([]float64, n)
	g.values[k] = make([]float64, 1<<n)
	for v := range g.values[k] {
		g.corner(u.reads, v, x)
		z := u.bias
		for i, w := range u.weight {
			z += w * x[i]
		}
		g.values[k][v] = max(z, g.slope*z)
	}
}
