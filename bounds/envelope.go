package bounds

// Joint envelopes of neurons that read the same inputs.
//
// A backward pass replaces each neuron by a line of its own. Behind a first layer that
// gives much away: all channels of one position of a convolution read the same inputs,
// and their errors cannot all be worst at one point. So the ReLUs of the first layer are
// kept as they are, and what arrives behind them,
//
//	f(x)  ≥  c·x + const + Σ a_j·ReLU(z_j(x)),
//
// is bounded by groups of neurons that read the same inputs x_g. In a group the terms
// with a_j < 0 are a concave function of x_g, whose least value over a box is known
// exactly, whatever linear function is subtracted: where the inputs are few it is at a
// corner of the box; and where the members of the group are few it is the least of 2ⁿ
// linear functions, one for each choice of the sides that n ReLUs are on. So for any λ_g
//
//	Σ_{j∈g, a_j<0} a_j·ReLU(z_j(x))  ≥  λ_g·x_g + min over the box of (Σ a_j·ReLU(z_j(v)) − λ_g·v).
//
// The terms with a_j > 0 are replaced by lines with slopes α_j as always. The bound is
// concave in α and λ together; projected gradient steps (Adam) improve it, from the
// chords, at which it is what the backward pass has found or better. At the best λ each group has
// the convex envelope of its concave part over the box: that of each neuron by itself
// is what Anderson et al. 2020 (arXiv:1811.01988) describe by exponentially many
// inequalities, and De Palma et al. 2021 (arXiv:2101.05844) optimise by some of them.
// Groups, and enumeration in place of inequalities, are ours.
//
// In a part of a domain the groups and their λ go on from where they were
// (Warm), so that few steps are enough.

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/vouchnn/vouch/internal/parallel"
)

// Envelope raises lower bounds that another Bounder has found by joint envelopes of
// the neurons of the first ReLU layer that read the same inputs. It does nothing
// where the first nonlinear node is not a ReLU or LeakyReLU. The zero value is ready to
// use.
//
// Guarantee: sound for real arithmetic, rounded outward; never looser than the other
// Bounder; incomplete. Linear functions, intervals and upper bounds stay as they are.
// Cost: for each function that is not positive, a backward pass and Iterations times
// the number of the layer's undecided neurons, the inputs that they read, and some 2⁴.
// Safe for concurrent use.
type Envelope struct {
	// Bounder bounds first. Default nil: AlphaBeta{}.
	Bounder Bounder
	// Iterations of the optimiser for each function; half of it in parts of domains
	// bounded before. Default 0: 300.
	Iterations int
	// Inputs is up to how many inputs of a group the corners of its box are enumerated,
	// at most 12; of groups that read more, at most four neurons are taken together.
	// Default 0: 6.
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
	if first == 0 {
		return out, nil
	}
	var wanted []int
	for d := range out {
		if !out[d].Infeasible && (e.Parts || fresh(q.Domains[d])) && !q.decided(&out[d], &q.Domains[d]) {
			wanted = append(wanted, d)
		}
	}
	errs := make([]error, len(wanted))
	parallel.For(len(wanted), 1, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			errs[k] = e.raise(ctx, m, q, wanted[k], first, &out[wanted[k]])
		}
	})
	return out, errors.Join(errs...)
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
	before, iterations := dom.Warm, e.Iterations
	if !fresh(dom) {
		iterations = (iterations + 1) / 2
	}
	dom.Known, dom.Settled, dom.Warm = r.Nodes, math.MaxInt, r.Warm
	s := newState(m, []Domain{dom}, nil)
	defer s.close()
	s.makeViews()
	for i := 1; i < len(m.nodes); i++ {
		s.advance(i)
	}
	var rows []row
	for f, v := range r.Lower {
		if !(v > 0) && (dom.Only == nil || slices.Contains(dom.Only, f)) {
			rows = append(rows, row{index: f, sign: 1})
		}
	}
	if s.empty[0] || len(rows) == 0 {
		return nil
	}
	g, err := s.newPatches(ctx, first, e.Inputs, before)
	if g == nil || err != nil {
		return err
	}
	starts, err := g.carry(ctx, q, rows)
	if err != nil {
		return err
	}
	joint := make([]*jointWarm, len(rows))
	r.Apart = slices.Clone(r.Lower)
	parallel.For(len(rows), 1, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			f := rows[k].index
			var v float64
			v, joint[k] = g.ascend(ctx, &starts[k], before.jointOf(g.rows, f), iterations)
			r.Lower[f] = max(r.Lower[f], v)
		}
	})
	if r.Warm != nil {
		r.Warm.rows, r.Warm.joint = g.rows, map[int]*jointWarm{}
		for k := range rows {
			r.Warm.joint[rows[k].index] = joint[k]
		}
	}
	return ctx.Err()
}

// jointWarm is the groups and lines of one function.
type jointWarm struct {
	group []int32     // by neuron: its group, or −1
	lines [][]float32 // by group
}

// jointOf is where function f starts, nil if w does not know or its neurons are others.
func (w *Warm) jointOf(rows *patchRows, f int) *jointWarm {
	if w == nil || w.rows != rows {
		return nil
	}
	return w.joint[f]
}

// bytes is about what w occupies.
func (w *jointWarm) bytes() int64 {
	n := int64(64 + 4*len(w.group))
	for _, l := range w.lines {
		n += 24 + 4*int64(len(l))
	}
	return n
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
		t.after, t.alpha = make([]float64, len(g.rows.neurons)), make([]float64, len(g.rows.neurons))
		for _, k := range g.open {
			i := g.rows.neurons[k].index
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
