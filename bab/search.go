package bab

import (
	"context"
	"math"
	"slices"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/spec"
)

// search is branch and bound on one group with one kind of split.
type search struct {
	e        *engine
	g        *group
	kind     SplitKind
	bounder  bounds.Bounder
	raises   bool // the bounder is bounds.Envelope by choice
	frontier frontier
	closed   float64 // least bound among closed domains
	stuck    float64 // least bound among domains that could not be split
	spent    int     // work so far, in domains bounded by Crown
}

// root is a domain with the bounds that it was just given.
type root struct {
	d *domain
	r *bounds.DomainResult
}

// neuronCost is about how many domains of an input search cost as much as one
// of a neuron search, which optimises.
const neuronCost = 8

// rootIterations is how often the intermediate bounds of a root are improved;
// all its sub-problems inherit them.
const rootIterations = 10

// firstTurn is how much work the first of two searches does before the other
// has its turn; it doubles from turn to turn.
const firstTurn = 4096

func (e *engine) newSearch(g *group, kind SplitKind) *search {
	s := &search{e: e, g: g, kind: kind, bounder: e.opts.Bounder, closed: math.Inf(1), stuck: math.Inf(1)}
	if s.bounder == nil {
		s.bounder = bounds.Crown{}
		if kind == SplitNeuron {
			s.bounder = bounds.AlphaBeta{Intermediate: rootIterations}
			if len(e.kinds) == 1 {
				e.choose("envelopes", e.envelopes.String())
				if e.envelopes.worth() {
					s.bounder, s.raises = bounds.Envelope{Bounder: s.bounder, Parts: true}, true
				}
			}
		}
	}
	return s
}

// optimizesRoots reports whether roots get optimised intermediate bounds.
func (e *engine) optimizesRoots() bool {
	return e.opts.Bounder == nil && slices.Contains(e.kinds, SplitNeuron)
}

// boundRoots bounds a group's cases as a whole and returns what stays open.
func (e *engine) boundRoots(ctx context.Context, g *group) ([]root, *spec.Counterexample, error) {
	var whole []*domain
	for _, c := range g.cases {
		d := &domain{caseIndex: c, open: make([]int, len(g.rows)), bound: math.Inf(-1), apart: math.Inf(-1)}
		for k := range d.open {
			d.open[k] = k
		}
		if len(d.open) == 0 {
			continue
		}
		if e.shared != nil {
			var err error
			if d.known, d.settled, err = e.shared(ctx, c); err != nil {
				return nil, nil, err
			}
			if e.optimizesRoots() {
				d.settled = 0 // better bounds than the shared ones are to come
			}
		}
		whole = append(whole, d)
	}
	s := e.newSearch(g, e.kinds[len(e.kinds)-1])
	open, cex, err := s.bound(ctx, whole)
	e.closed = min(e.closed, s.closed)
	return open, cex, err
}

// decide searches a group until every domain is closed. With two kinds of
// split the searches take turns of doubling length, so that neither costs more
// than about four times what the better one alone would.
func (e *engine) decide(ctx context.Context, g *group, roots []root) (*spec.Counterexample, spec.Reason, error) {
	if len(roots) == 0 {
		return nil, spec.ReasonNone, nil
	}
	e.current = nil
	if len(e.kinds) == 1 && e.kinds[0] == SplitNeuron {
		s := e.newSearch(g, SplitNeuron)
		open, cex, err := s.narrow(ctx, roots)
		e.closed = min(e.closed, s.closed)
		if err != nil || cex != nil || len(open) == 0 {
			return cex, spec.ReasonNone, err
		}
		return e.decideByNeurons(ctx, g, e.reduce(open))
	}
	done, cex, err := e.beginEach(ctx, g, e.reduce(roots))
	if done || cex != nil || err != nil {
		return cex, spec.ReasonNone, err
	}
	budget := firstTurn
	if len(e.kinds) == 1 {
		budget = math.MaxInt
	}
	for {
		decided, cex, reason, err := e.turn(ctx, budget)
		if decided || cex != nil || err != nil || reason != spec.ReasonNone {
			return cex, reason, err
		}
		budget *= 2
	}
}

// beginEach begins a search for each kind of split. It reports whether the roots
// are decided before.
func (e *engine) beginEach(ctx context.Context, g *group, roots []root) (bool, *spec.Counterexample, error) {
	for _, kind := range e.kinds {
		s, starts := e.newSearch(g, kind), roots
		if kind == SplitNeuron {
			open, cex, err := s.narrow(ctx, roots)
			if err != nil || cex != nil {
				return false, cex, err
			}
			if len(open) == 0 {
				e.closed = min(e.closed, s.closed)
				return true, nil, nil
			}
			starts = open
		}
		if cex, err := s.begin(ctx, starts); cex != nil || err != nil {
			return false, cex, err
		}
	}
	return false, nil, nil
}

// begin queues roots, which stay as they are.
func (s *search) begin(ctx context.Context, roots []root) (*spec.Counterexample, error) {
	var own []root
	for _, r := range roots {
		d := *r.d
		if !s.e.envelopes.worth() { // bounds that sub-problems do not reach would hide which is worst
			d.bound = d.apart
			if d.whole != 0 {
				d.whole = d.apart
			}
		}
		own = append(own, root{&d, r.r})
	}
	s.e.current = append(s.e.current, s)
	return s.push(ctx, own)
}

// turn lets each of the current searches go on until its work reaches the
// budget. It reports whether one of them has closed all domains, and a reason
// if none can go on.
func (e *engine) turn(ctx context.Context, budget int) (bool, *spec.Counterexample, spec.Reason, error) {
	exhausted := 0
	for _, s := range e.current {
		cex, reason, err := s.branch(ctx, budget)
		if cex != nil || err != nil || reason != spec.ReasonNone {
			return false, cex, reason, err
		}
		if s.frontier.len() > 0 {
			continue
		}
		if math.IsInf(s.stuck, 1) {
			e.closed = min(e.closed, s.closed)
			return true, nil, spec.ReasonNone, nil
		}
		exhausted++
	}
	if exhausted == len(e.current) {
		return false, nil, spec.ReasonNumerical, nil
	}
	return false, nil, spec.ReasonNone, nil
}

// bytes is about what all queued domains occupy, those of refining among them.
func (e *engine) bytes() int64 {
	n := e.refining
	for _, s := range e.current {
		n += s.frontier.bytes
	}
	return n
}

// least is the least bound of an open domain of the search.
func (s *search) least() float64 { return min(s.frontier.least(), s.stuck) }

// push chooses the splits of open domains and queues them. It may find a
// counterexample where nothing is left to split.
func (s *search) push(ctx context.Context, open []root) (*spec.Counterexample, error) {
	still, cex, err := s.plan(ctx, open)
	if err != nil || cex != nil {
		for _, o := range open { // they stay open
			s.stuck = min(s.stuck, o.d.bound)
		}
		return cex, err
	}
	for _, o := range still {
		if o.d.split.node < 0 {
			s.stuck = min(s.stuck, o.d.bound)
			continue
		}
		s.frontier.push(o.d)
	}
	return nil, nil
}

// branch splits and bounds until nothing is open or the work is spent.
func (s *search) branch(ctx context.Context, budget int) (*spec.Counterexample, spec.Reason, error) {
	e := s.e
	for s.frontier.len() > 0 && s.spent < budget {
		if err := ctx.Err(); err != nil {
			return nil, spec.ReasonNone, err
		}
		if e.full() {
			return nil, spec.ReasonNodeLimit, nil
		}
		bytes := e.bytes()
		if bytes > e.opts.MaxMemory {
			for _, t := range e.current {
				t.frontier.shed()
			}
			bytes = e.bytes()
		}
		if bytes > 2*e.opts.MaxMemory {
			return nil, spec.ReasonMemory, nil
		}
		parents := s.frontier.pop(e.opts.Batch, bytes > e.opts.MaxMemory)
		children := make([]*domain, 0, 2*len(parents))
		for _, d := range parents {
			children = append(children, d.children()...)
		}
		open, cex, err := s.bound(ctx, children)
		if err != nil {
			for _, d := range parents {
				s.frontier.push(d)
			}
			return nil, spec.ReasonNone, err
		}
		if cex != nil {
			return cex, spec.ReasonNone, nil
		}
		e.res.Stats.Splits += len(parents)
		if cex, err := s.push(ctx, open); cex != nil || err != nil {
			return cex, spec.ReasonNone, err
		}
		e.res.Stats.MaxFrontier = max(e.res.Stats.MaxFrontier, s.frontier.len())
		e.tick()
	}
	return nil, spec.ReasonNone, nil
}

// bound bounds domains and returns those that stay open, with their boxes
// clipped, or a counterexample found on the way.
func (s *search) bound(ctx context.Context, domains []*domain) ([]root, *spec.Counterexample, error) {
	if len(domains) == 0 {
		return nil, nil, nil
	}
	e, g := s.e, s.g
	q := &bounds.Query{Functions: g.functions, Linear: true, AnyOf: g.rows, Impact: s.kind == SplitNeuron}
	s.spent += len(domains)
	if s.kind == SplitNeuron {
		s.spent += (neuronCost - 1) * len(domains)
	}
	for _, d := range domains {
		q.Domains = append(q.Domains, d.query(g, e.prop))
	}
	res, err := s.bounder.Bound(ctx, e.model, q)
	if err != nil {
		return nil, nil, err
	}
	e.res.Stats.Domains += len(domains)
	var open []root
	for i, d := range domains {
		r := &res[i]
		if r.Infeasible || e.outside(d) {
			s.closed = min(s.closed, d.nothing(math.Inf(1)))
			continue
		}
		if s.raises && d.depth == 0 {
			before := r.Apart
			if before == nil { // they are not for this network
				before = r.Lower
			}
			e.envelopes.add(d.least(g, before), d.least(g, r.Lower))
		}
		if d.judge(g, r); len(d.open) == 0 {
			s.closed = min(s.closed, d.bound)
			continue
		}
		open = append(open, root{d, r})
	}
	if cex := e.probe(ctx, g, open); cex != nil {
		return nil, cex, nil
	}
	kept := open[:0]
	for _, o := range open {
		o.d.adopt(o.r, e.keep)
		if e.corners {
			o.d.setCorner(g, o.r)
		}
		if !g.clip(o.d, o.r, o.d.known[0]) {
			s.closed = min(s.closed, 0)
			continue
		}
		o.r.Nodes[0] = o.d.known[0]
		kept = append(kept, o)
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
