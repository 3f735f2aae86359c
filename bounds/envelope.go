package bounds

// Joint envelopes of neurons that read the same few inputs.
//
// A backward pass replaces each neuron by a line of its own. Behind the first layer
// of a convolution with a small kernel that gives much away: all channels of one
// position read the same few inputs, and their errors cannot all be worst at one
// point. So the ReLUs of the first layer are kept as they are, and what arrives
// behind them,
//
//	f(x)  ≥  c·x + const + Σ a_j·ReLU(z_j(x)),
//
// is bounded by groups of neurons that read the same inputs x_g. In a group the terms
// with a_j < 0 are a concave function of x_g. It is least at a corner of the group's
// box, whatever linear function is subtracted, so for any λ_g
//
//	Σ_{j∈g, a_j<0} a_j·ReLU(z_j(x))  ≥  λ_g·x_g + min over corners v of (Σ a_j·ReLU(z_j(v)) − λ_g·v).
//
// The terms with a_j > 0 are replaced by lines with slopes α_j as always. The bound is
// concave in α and λ together; projected gradient steps (Adam) improve it, from the
// chords, at which it is what the backward pass has found or better. At the best λ each group has
// the convex envelope of its concave part over the box: that of each neuron by itself
// is what Anderson et al. 2020 (arXiv:1811.01988) describe by exponentially many
// inequalities, and De Palma et al. 2021 (arXiv:2101.05844) optimise by some of them.
// Groups, and corners in place of inequalities, are ours.

import (
	"context"
	"math"
	"slices"

	"github.com/vouchnn/vouch/internal/parallel"
)

// Envelope raises lower bounds that another Bounder has found by joint envelopes of
// the neurons of the first ReLU layer that read the same few inputs. It does nothing
// where the first nonlinear node is not a ReLU, or where its neurons read many inputs.
// The zero value is ready to use.
//
// Guarantee: sound for real arithmetic, rounded outward; never looser than the other
// Bounder; incomplete. Linear functions, intervals and upper bounds stay as they are.
// Cost: for each function that is not positive, a backward pass and Iterations times
// the number of the layer's undecided neurons and of all corners of their groups' boxes.
// Safe for concurrent use.
type Envelope struct {
	// Bounder bounds first. Default nil: AlphaBeta{}.
	Bounder Bounder
	// Iterations of the optimiser for each function. Default 0: 300.
	Iterations int
	// Inputs is the most inputs that a group may read, at most 12; it has two to this
	// power corners. Default 0: 6.
	Inputs int
	// Parts says to work on domains that are parts of ones bounded before, too.
	Parts bool
}

// Bound implements Bounder.
func (e Envelope) Bound(ctx context.Context, m *Model, q *Query) ([]DomainResult, error) {
	if e.Bounder == nil {
		e.Bounder = AlphaBeta{}
	}
	if e.Iterations <= 0 {
		e.Iterations = 300
	}
	if e.Inputs <= 0 {
		e.Inputs = 6
	}
	e.Inputs = min(e.Inputs, 12)
	out, err := e.Bounder.Bound(ctx, m, q)
	if err != nil {
		return nil, err
	}
	first := m.firstReLU()
	for d := range out {
		if first == 0 || out[d].Infeasible || (!e.Parts && !fresh(q.Domains[d])) || q.decided(&out[d], &q.Domains[d]) {
			continue
		}
		if err := e.raise(ctx, m, q, d, first, &out[d]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// firstReLU is the first nonlinear node if it is a ReLU or a LeakyReLU, else 0.
func (m *Model) firstReLU() int {
	for i := 1; i < len(m.nodes); i++ {
		if m.rules[i].linear() {
			continue
		}
		if e, ok := m.rules[i].(elementwise); ok && e.tuned() {
			return i
		}
		break
	}
	return 0
}

// raise raises the lower bounds of domain d that are not positive.
func (e Envelope) raise(ctx context.Context, m *Model, q *Query, d, first int, r *DomainResult) error {
	dom := q.Domains[d]
	dom.Known, dom.Settled, dom.Warm = r.Nodes, math.MaxInt, r.Warm
	s := newState(m, []Domain{dom}, nil)
	defer s.close()
	s.makeViews()
	for i := 1; i < len(m.nodes); i++ {
		s.advance(i)
	}
	if s.empty[0] {
		return nil
	}
	g, err := s.newPatches(ctx, first, e.Inputs)
	if g == nil || err != nil {
		return err
	}
	var rows []row
	for f, v := range r.Lower {
		if !(v > 0) && (dom.Only == nil || slices.Contains(dom.Only, f)) {
			rows = append(rows, row{index: f, sign: 1})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	starts, err := g.carry(ctx, q, rows)
	if err != nil {
		return err
	}
	parallel.For(len(rows), 1, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			f := rows[k].index
			r.Lower[f] = max(r.Lower[f], g.ascend(ctx, &starts[k], e.Iterations))
		}
	})
	return ctx.Err()
}

// patches is the undecided neurons of a layer that read few inputs, in groups that
// read the same ones.
type patches struct {
	s       *state
	first   int // the ReLU
	slope   float64
	neurons []patchNeuron
	groups  []patch
}

// patchNeuron is one neuron: its input is weight·x + bias, x being the group's inputs,
// but for slack.
type patchNeuron struct {
	index  int
	weight []float64
	bias   float64
	slack  float64
	size   float64   // of the terms that add up to its input
	chord  float64   // slope of the upper line
	values []float64 // after the ReLU, at the corners of the group's box
}

// patch is one group.
type patch struct {
	inputs  []int
	members []int // places in patches.neurons, ascending
}

// corners is the number of corners of the group's box.
func (g *patch) corners() int { return 1 << len(g.inputs) }

const (
	// patchRows is how many neurons are carried back to the input at a time, and
	// patchProbe how many at first, to see whether they read few inputs.
	patchRows  = 128
	patchProbe = 8
	// mostCorners bounds the memory for values at corners.
	mostCorners = 1 << 23
)

// newPatches finds the groups; nil if there are none.
func (s *state) newPatches(ctx context.Context, first, most int) (*patches, error) {
	j := s.m.nodes[first].Inputs[0]
	g := &patches{s: s, first: first, slope: s.m.rules[first].(elementwise).lowestSlope()}
	if !(g.slope >= 0 && g.slope <= 1) {
		return nil, nil // not convex
	}
	var undecided []int
	for k, lo := range s.lower[j] {
		if up := s.upper[j][k]; lo < 0 && up > 0 && finite(lo) && finite(up) {
			undecided = append(undecided, k)
		}
	}
	p := passes.Get().(*pass)
	defer passes.Put(p)
	byInputs := map[string]int{}
	for from, size := 0, patchProbe; from < len(undecided); from, size = from+size, patchRows {
		part := undecided[from:min(from+size, len(undecided))]
		g.add(ctx, p, j, part, most, byInputs)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if len(g.neurons) == 0 && from == 0 {
			return nil, nil
		}
	}
	corners := 0
	for k := range g.groups {
		corners += len(g.groups[k].members) * g.groups[k].corners()
	}
	if corners == 0 || corners > mostCorners {
		return nil, nil
	}
	for k := range g.groups {
		g.fill(&g.groups[k])
	}
	return g, nil
}

// add carries elements of node j back to the input, and keeps those that read few.
func (g *patches) add(ctx context.Context, p *pass, j int, elements []int, most int, byInputs map[string]int) {
	s, n := g.s, g.s.m.inputs
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
	var inputs []int
	var key []byte
	for k, e := range elements {
		inputs, key = inputs[:0], key[:0]
		w := coef[k*n : (k+1)*n]
		for i, v := range w {
			if v != 0 {
				inputs = append(inputs, i)
			}
		}
		if len(inputs) > most || len(inputs) == 0 {
			continue
		}
		for _, i := range inputs {
			key = append(key, byte(i), byte(i>>8), byte(i>>16), byte(i>>24))
		}
		at, ok := byInputs[string(key)]
		if !ok {
			at = len(g.groups)
			byInputs[string(key)] = at
			g.groups = append(g.groups, patch{inputs: slices.Clone(inputs)})
		}
		lo, up := s.lower[j][e], s.upper[j][e]
		u := patchNeuron{index: e, bias: p.value[k], slack: p.slack(k), chord: (up - g.slope*lo) / (up - lo), size: math.Abs(p.value[k])}
		for _, i := range inputs {
			u.weight = append(u.weight, w[i])
			u.size += math.Abs(w[i]) * s.magnitude[0][i]
		}
		if finite(u.bias) && finite(u.slack) && finite(u.size) {
			g.groups[at].members = append(g.groups[at].members, len(g.neurons))
			g.neurons = append(g.neurons, u)
		}
	}
	for i := range p.coef {
		p.release(i)
	}
	p.s, p.rows = nil, nil
}

// corner writes the corner of the group's box with the given number: bit i tells which
// end input i is at.
func (g *patches) corner(t *patch, number int, x []float64) {
	for k, i := range t.inputs {
		x[k] = g.s.lower[0][i]
		if number>>k&1 == 1 {
			x[k] = g.s.upper[0][i]
		}
	}
}

// fill computes the values at corners.
func (g *patches) fill(t *patch) {
	x := make([]float64, len(t.inputs))
	for _, k := range t.members {
		g.neurons[k].values = make([]float64, t.corners())
	}
	for v := range t.corners() {
		g.corner(t, v, x)
		for _, k := range t.members {
			u := &g.neurons[k]
			z := u.bias
			for i, w := range u.weight {
				z += w * x[i]
			}
			u.values[v] = max(z, g.slope*z)
		}
	}
}

// patchStart is a function where the ascent begins: at least value + coef·x +
// Σ after[j]·ReLU(z_j), but for slack.
type patchStart struct {
	value, slack float64
	coef         []float64 // [inputs]
	after        []float64 // by neuron
	alpha        []float64 // by neuron
}

// carry carries the functions back to the input, but for the neurons of groups.
func (g *patches) carry(ctx context.Context, q *Query, rows []row) ([]patchStart, error) {
	s, m := g.s, g.s.m
	for k := range rows {
		rows[k].id = k
	}
	p := passes.Get().(*pass)
	defer passes.Put(p)
	var u *tuner
	if m.tunable {
		s.prepareTangents(m.output)
		u = newTuner(s, rows, false, &task{start: m.output, functions: &q.Functions})
		defer u.finish(p)
	}
	p.reset(s, rows, false)
	p.tune = u
	p.startFunctions(&q.Functions, m.output)
	p.sweepTo(ctx, m.output, g.first)
	behind := p.coefOf(g.first)
	out := make([]patchStart, len(rows))
	size, lines := m.size[g.first], s.lines[g.first].lowerSlope
	for r := range out {
		t := &out[r]
		t.after, t.alpha = make([]float64, len(g.neurons)), make([]float64, len(g.neurons))
		for k := range g.neurons {
			i := g.neurons[k].index
			t.after[k], behind[r*size+i] = behind[r*size+i], 0
			t.alpha[k] = lines[i]
			if u != nil {
				t.alpha[k] = u.slopes(p, g.first, r)[i]
			}
		}
	}
	p.sweep(ctx, g.first)
	coef := p.coefOf(0)
	for r := range out {
		out[r].value, out[r].slack = p.value[r], p.slack(r)
		out[r].coef = slices.Clone(coef[r*m.inputs : (r+1)*m.inputs])
	}
	for i := range p.coef {
		p.release(i)
	}
	if u == nil {
		p.s, p.rows = nil, nil
	}
	return out, ctx.Err()
}
