package bab

// Branch and bound.
//
// A domain is a case's region with the intervals of its pre-activations; a
// split clips one of these intervals, or one side of the box of inputs (node 0)
// into two. Bounding a domain gives a lower bound of every inequality's value;
// a conjunction with a positive one is impossible there, and a domain in which
// every conjunction is impossible is closed. Domains are bounded a batch at a
// time, the most violated first. What is left when the frontier is empty is a
// proof; a point that survives its replay is a refutation.
//
// Source: Bunel et al. 2018, arXiv:1711.00455; Bunel et al. 2020 (BaBSR),
// JMLR 21(42); batches: Xu et al. 2021, arXiv:2011.13824.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// Verify decides whether net has the property.
//
// Guarantee: Verified is a proof over the real numbers (see package bounds for
// the rounding); Falsified comes with a counterexample that was replayed in
// float64 and float32. Complete in the limit: a property that holds with some
// margin on a bounded region is decided given time, as is one violated on a
// set with interior points; one decided only by the exact equality of a bound
// may end in a limit.
//
// The context's deadline or cancellation yields Unknown with ReasonTimeout or
// ReasonCancelled, not an error. Safe for concurrent use.
// Errors: *spec.Error, *nn.UnsupportedError, *nn.ShapeError, or a field of
// opts out of range.
func Verify(ctx context.Context, net nn.Network, prop *spec.Property, opts Options) (*spec.Result, error) {
	start := time.Now()
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	if err := checkFit(net, prop); err != nil {
		return nil, err
	}
	simple, err := nn.Simplify(net)
	if err != nil {
		return nil, err
	}
	model, err := bounds.Compile(simple)
	if err != nil {
		return nil, err
	}
	e := newEngine(model, net, simple, prop, opts, start)
	res, err := e.run(ctx)
	if err != nil {
		if ctx.Err() == nil {
			return nil, err
		}
		res = e.interrupted(ctx)
	}
	res.Stats.Elapsed = time.Since(start)
	return res, nil
}

func checkFit(net nn.Network, prop *spec.Property) error {
	if err := prop.Validate(); err != nil {
		return err
	}
	in, out := nn.InputShape(net).Size(), nn.OutputShape(net).Size()
	if prop.Inputs != in || prop.Outputs != out {
		return &spec.Error{Field: "property", Detail: fmt.Sprintf("speaks of %d inputs and %d outputs, the network has %d and %d", prop.Inputs, prop.Outputs, in, out)}
	}
	return nil
}

// engine is one run of Verify.
type engine struct {
	opts    Options
	model   *bounds.Model
	net     nn.Network // simplified: what is bounded
	prop    *spec.Property
	bounder bounds.Bounder
	replay  *replayer
	attack  *attacker
	points  *nn.Evaluator[float64]
	keep    []int // nodes whose intervals domains carry
	start   time.Time
	ticked  time.Time

	res      spec.Result
	closed   float64 // least bound among closed domains
	stuck    bool    // some domain could not be split further
	frontier frontier
	waiting  [][]*domain // roots of groups still to be branched on
}

func newEngine(model *bounds.Model, net, simple nn.Network, prop *spec.Property, opts Options, start time.Time) *engine {
	if opts.MaxMemory == 0 {
		opts.MaxMemory = 2 << 30
	}
	opts.Attack = opts.Attack.withDefaults()
	e := &engine{
		opts: opts, model: model, net: simple, prop: prop, bounder: opts.Bounder,
		replay: newReplayer(net, prop), points: nn.NewEvaluator[float64](simple),
		keep: model.Preactivations(), start: start, ticked: start, closed: math.Inf(1),
	}
	e.attack = newAttacker(simple, prop, e.replay, opts.Seed^opts.Attack.Seed)
	if e.opts.Batch == 0 {
		e.opts.Batch = automaticBatch(model)
	}
	if e.opts.Split == SplitAuto {
		e.opts.Split = automaticSplit(prop)
	}
	if e.bounder == nil {
		e.bounder = bounds.Crown{}
		if e.opts.Split == SplitNeuron {
			e.bounder = bounds.AlphaBeta{}
		}
	}
	e.res.LowerBound = math.Inf(-1)
	e.res.Stats.Choices = map[string]string{"split": e.opts.Split.String(), "batch": strconv.Itoa(e.opts.Batch)}
	if e.opts.Logger == nil {
		e.opts.Logger = slog.New(slog.DiscardHandler)
	}
	return e
}

// automaticBatch keeps the coefficients of a batch near the size of a cache.
func automaticBatch(m *bounds.Model) int {
	nodes := m.Network().Nodes()
	neurons, widest := 1, 1
	for _, i := range m.Preactivations() {
		neurons += nodes[i].Shape.Size()
	}
	for _, n := range nodes {
		widest = max(widest, n.Shape.Size())
	}
	return min(max((1<<24)/(neurons*widest), 4), 1024)
}

// splitInputsUpTo is the number of varying inputs up to which boxes are split.
const splitInputsUpTo = 16

func automaticSplit(prop *spec.Property) SplitKind {
	for i := range prop.Cases {
		b, varying := prop.Cases[i].Region.Box(), 0
		for j := range b.Lower {
			if b.Lower[j] < b.Upper[j] {
				varying++
			}
		}
		if varying > splitInputsUpTo {
			return SplitNeuron
		}
	}
	return SplitInput
}

// run attacks, bounds the roots and branches.
func (e *engine) run(ctx context.Context) (*spec.Result, error) {
	if !e.opts.NoAttack {
		if cex := e.attack.round(ctx, allCases(e.prop), 1, min(10, e.opts.Attack.Steps)); cex != nil {
			return e.falsified(cex), nil
		}
	}
	groups := e.groups()
	open := make([][]*domain, len(groups))
	var rest []int
	for g := range groups {
		roots, cex, err := e.bound(ctx, &groups[g], e.roots(&groups[g]))
		if err != nil {
			return nil, err
		}
		if cex != nil {
			return e.falsified(cex), nil
		}
		open[g] = roots
		for _, d := range roots {
			rest = append(rest, d.caseIndex)
		}
	}
	e.waiting = open
	if !e.opts.NoAttack && len(rest) > 0 {
		if cex := e.attack.round(ctx, rest, e.opts.Attack.Restarts, e.opts.Attack.Steps); cex != nil {
			return e.falsified(cex), nil
		}
	}
	for g := range groups {
		for _, d := range open[g] {
			e.frontier.push(d)
		}
		e.waiting = open[g+1:]
		cex, err := e.branch(ctx, &groups[g])
		switch {
		case err != nil:
			return nil, err
		case cex != nil:
			return e.falsified(cex), nil
		case e.res.Reason != spec.ReasonNone:
			return e.unknown(e.res.Reason), nil
		}
	}
	if e.stuck {
		return e.unknown(spec.ReasonNumerical), nil
	}
	e.res.Verdict, e.res.LowerBound = spec.Verified, e.closed
	return e.finish(), nil
}

// branch empties the frontier of one group.
func (e *engine) branch(ctx context.Context, g *group) (*spec.Counterexample, error) {
	for e.frontier.len() > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if e.opts.MaxDomains > 0 && e.res.Stats.Domains >= e.opts.MaxDomains {
			e.res.Reason = spec.ReasonNodeLimit
			return nil, nil
		}
		if e.frontier.bytes > 2*e.opts.MaxMemory {
			e.res.Reason = spec.ReasonMemory
			return nil, nil
		}
		parents := e.frontier.pop(e.opts.Batch, e.frontier.bytes > e.opts.MaxMemory)
		children := make([]*domain, 0, 2*len(parents))
		for _, d := range parents {
			children = append(children, d.children()...)
		}
		e.res.Stats.Splits += len(parents)
		open, cex, err := e.bound(ctx, g, children)
		if err != nil {
			for _, d := range parents {
				e.frontier.push(d)
			}
			return nil, err
		}
		if cex != nil {
			return cex, nil
		}
		for _, d := range open {
			e.frontier.push(d)
		}
		e.res.Stats.MaxFrontier = max(e.res.Stats.MaxFrontier, e.frontier.len())
		e.tick()
	}
	return nil, nil
}

// bound bounds domains and returns those that stay open, with their splits
// chosen, or a counterexample found on the way.
func (e *engine) bound(ctx context.Context, g *group, domains []*domain) ([]*domain, *spec.Counterexample, error) {
	if len(domains) == 0 {
		return nil, nil, nil
	}
	q := &bounds.Query{Functions: g.functions, Linear: true, AnyOf: g.rows, Impact: e.opts.Split == SplitNeuron}
	for _, d := range domains {
		q.Domains = append(q.Domains, d.query(g, e.prop))
	}
	res, err := e.bounder.Bound(ctx, e.model, q)
	if err != nil {
		return nil, nil, err
	}
	e.res.Stats.Domains += len(domains)
	var open []*domain
	var results []*bounds.DomainResult
	for i, d := range domains {
		r := &res[i]
		if r.Infeasible || e.outside(d) {
			continue
		}
		if d.judge(g, r); len(d.open) == 0 {
			e.closed = min(e.closed, d.bound)
			continue
		}
		open = append(open, d)
		results = append(results, r)
	}
	if cex := e.probe(g, open, results); cex != nil {
		return nil, cex, nil
	}
	kept := open[:0]
	for i, d := range open {
		d.adopt(results[i], e.keep)
		if !g.clip(d, results[i], d.known[0]) {
			e.closed = min(e.closed, 0)
			continue
		}
		results[i].Nodes[0] = d.known[0]
		d.split = e.chooseSplit(g, d, results[i])
		if d.split.node < 0 {
			e.stuck = true
			e.closed = min(e.closed, d.bound)
			continue
		}
		kept = append(kept, d)
	}
	return kept, nil, nil
}

// outside reports whether the domain's box misses a region that is not a box:
// a direction separates them.
func (e *engine) outside(d *domain) bool {
	region := e.prop.Cases[d.caseIndex].Region
	if _, ok := region.(spec.Box); ok || d.known == nil || d.known[0].Lower == nil {
		return false
	}
	box := spec.Box{Lower: d.known[0].Lower, Upper: d.known[0].Upper}
	p := make([]float64, len(box.Lower))
	for j := range p {
		p[j] = 0.5*box.Lower[j] + 0.5*box.Upper[j]
	}
	q := make([]float64, len(p))
	for range 4 {
		copy(q, p)
		region.Project(q)
		copy(p, q)
		box.Project(p)
	}
	for j := range q {
		q[j] = p[j] - q[j]
	}
	least := box.MinLinear(q)
	for j := range q {
		q[j] = -q[j]
	}
	return least > -region.MinLinear(q)
}

// probe evaluates the minimiser of each open domain's worst function.
func (e *engine) probe(g *group, open []*domain, results []*bounds.DomainResult) *spec.Counterexample {
	if len(open) == 0 || results[0].Coef == nil {
		return nil
	}
	n, m := e.prop.Inputs, e.prop.Outputs
	x := make([]float64, len(open)*n)
	for i, d := range open {
		f := g.weakest(d, results[i])
		box := spec.Box{Lower: results[i].Nodes[0].Lower, Upper: results[i].Nodes[0].Upper}
		box.Minimizer(results[i].Coef[f*n:(f+1)*n], x[i*n:(i+1)*n])
	}
	y := e.points.Forward(x, len(open))
	for i, d := range open {
		xi, yi := x[i*n:(i+1)*n], y[i*m:(i+1)*m]
		for _, c := range d.open {
			if e.prop.Cases[d.caseIndex].Unsafe[c].Violation(xi, yi) <= 0 {
				if cex := e.replay.try(xi, d.caseIndex); cex != nil {
					return cex
				}
			}
		}
	}
	return nil
}

func (e *engine) falsified(cex *spec.Counterexample) *spec.Result {
	e.res.Verdict, e.res.Reason, e.res.Counterexample = spec.Falsified, spec.ReasonNone, cex
	return e.finish()
}

// interrupted is the result when the context has ended.
func (e *engine) interrupted(ctx context.Context) *spec.Result {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return e.unknown(spec.ReasonTimeout)
	}
	return e.unknown(spec.ReasonCancelled)
}

// unknown is the result with domains left open. What has been proven is the
// least bound of all domains, once every root has one.
func (e *engine) unknown(reason spec.Reason) *spec.Result {
	e.res.Reason = reason
	if e.waiting != nil {
		e.res.LowerBound = min(e.closed, e.frontier.least())
		for _, roots := range e.waiting {
			for _, d := range roots {
				e.res.LowerBound = min(e.res.LowerBound, d.bound)
			}
		}
	}
	return e.finish()
}

func (e *engine) finish() *spec.Result {
	e.res.Stats.Attacks = e.attack.points
	return &e.res
}

// tick reports progress about ten times a second.
func (e *engine) tick() {
	now := time.Now()
	if now.Sub(e.ticked) < 100*time.Millisecond {
		return
	}
	e.ticked = now
	p := Progress{Elapsed: now.Sub(e.start), Domains: e.res.Stats.Domains, Open: e.frontier.len(), LowerBound: e.frontier.least()}
	e.opts.Logger.Debug("branch and bound", "domains", p.Domains, "open", p.Open, "bound", p.LowerBound)
	if e.opts.Progress != nil {
		e.opts.Progress(p)
	}
}

// group is the cases that share their unsafe condition.
type group struct {
	functions bounds.Functions
	rows      [][2]int // per conjunction: its functions [from, to)
	cases     []int
}

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

func (e *engine) roots(g *group) []*domain {
	var roots []*domain
	for _, c := range g.cases {
		d := &domain{caseIndex: c, open: make([]int, len(g.rows)), bound: math.Inf(-1)}
		for k := range d.open {
			d.open[k] = k
		}
		if len(d.open) > 0 {
			roots = append(roots, d)
		}
	}
	return roots
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
