package bab

// The search for counterexamples by projected gradient descent.
//
// Each start is a point of one case's region with one conjunction to satisfy.
// Half of the starts minimise the conjunction's largest violation, half the sum
// of its positive violations (the two differ where several inequalities must
// hold at once). The search runs in rounds of growing budget and ends with the
// first point that survives its replay.

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/internal/pgd"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// attacker holds what rounds of attack share. Not safe for concurrent use.
type attacker struct {
	prop   *spec.Property
	net    nn.Network
	search *pgd.Searcher
	// surrogate searches the network with leaking ReLUs; nil until needed.
	surrogate *pgd.Searcher
	replay    *pgd.Replayer
	rng       *rand.Rand
	points    int // points evaluated
	inputs    int
	maxBatch  int
	boxes     bool // every region is a box
}

// goal is one start: what it tries to reach.
type goal struct {
	caseIndex int
	conj      spec.Conjunction
	sum       bool // minimise the sum of positive violations
}

func newAttacker(net nn.Network, prop *spec.Property, replay *pgd.Replayer, seed uint64) *attacker {
	widest := 1
	for _, n := range net.Nodes() {
		widest = max(widest, n.Shape.Size())
	}
	boxes := true
	for i := range prop.Cases {
		_, ok := prop.Cases[i].Region.(spec.Box)
		boxes = boxes && ok
	}
	return &attacker{
		net: net, boxes: boxes, prop: prop, search: pgd.NewSearcher(net), replay: replay, inputs: prop.Inputs,
		rng: rand.New(rand.NewPCG(seed, 0x766f756368)), maxBatch: max(1, min(512, (1<<22)/widest)),
	}
}

// round attacks every conjunction of the listed cases with so many restarts.
func (a *attacker) round(ctx context.Context, cases []int, restarts, steps int) *spec.Counterexample {
	var goals []goal
	for r := range restarts {
		for _, c := range cases {
			for _, conj := range a.prop.Cases[c].Unsafe {
				goals = append(goals, goal{c, conj, r%2 == 1 && len(conj) > 1})
			}
			if len(goals) >= a.maxBatch {
				if cex := a.batch(ctx, goals, r == 0, steps); cex != nil || ctx.Err() != nil {
					return cex
				}
				goals = goals[:0]
			}
		}
	}
	if len(goals) == 0 {
		return nil
	}
	return a.batch(ctx, goals, restarts == 1, steps)
}

// batch descends from one start per goal: the centre, a corner or anywhere.
func (a *attacker) batch(ctx context.Context, goals []goal, centre bool, steps int) *spec.Counterexample {
	n := a.inputs
	x := make([]float64, len(goals)*n)
	for p, g := range goals {
		box := a.prop.Cases[g.caseIndex].Region.Box()
		corner := a.rng.IntN(3) == 0
		for i := range n {
			f := a.rng.Float64()
			switch {
			case centre:
				f = 0.5
			case corner:
				f = math.Round(f)
			}
			x[p*n+i] = box.Lower[i] + f*(box.Upper[i]-box.Lower[i])
		}
	}
	return a.descend(ctx, goals, x, pgd.Schedule{Steps: steps, First: 0.25, Last: 0.0005})
}

// descend descends from the given starts [goals × inputs].
func (a *attacker) descend(ctx context.Context, goals []goal, starts []float64, plan pgd.Schedule) *spec.Counterexample {
	n := a.inputs
	b := &pgd.Batch{Points: len(goals), X: make([]float32, len(goals)*n), Lower: make([]float32, len(goals)*n), Upper: make([]float32, len(goals)*n)}
	for p, g := range goals {
		box := a.prop.Cases[g.caseIndex].Region.Box()
		for i := range n {
			lo, up := float32(box.Lower[i]), float32(box.Upper[i])
			b.Lower[p*n+i], b.Upper[p*n+i] = lo, up
			b.X[p*n+i] = min(max(float32(starts[p*n+i]), lo), up)
		}
	}
	var cex *spec.Counterexample
	point := make([]float64, n)
	project := func(p int, xp []float32) []float64 {
		for i, f := range xp {
			point[i] = float64(f)
		}
		a.prop.Cases[goals[p].caseIndex].Region.Project(point)
		return point
	}
	if !a.boxes {
		b.Project = func(p int, xp []float32) {
			for i, v := range project(p, xp) {
				xp[i] = float32(v)
			}
		}
		for p := range goals {
			b.Project(p, b.X[p*n:(p+1)*n])
		}
	}
	loss := func(p int, xp, yp, gx, gy []float32) float32 {
		return pgd.Violation(goals[p].conj, goals[p].sum, xp, yp, gx, gy)
	}
	found := func(p int, xp, _ []float32, v float32) bool {
		a.points++
		if v > 0 {
			return false
		}
		cex = a.replay.Try(project(p, xp), goals[p].caseIndex)
		return cex != nil
	}
	first := append([]float32(nil), b.X...)
	if a.search.Descend(ctx, b, loss, plan, found) || 2*a.search.Flat() < len(goals) {
		return cex
	}
	// Most starts lie where every path to the output is dead. Where the ReLUs
	// leak there is a slope to follow; go on from where it leads.
	if a.surrogate == nil {
		a.surrogate = pgd.NewSearcher(leaking(a.net))
	}
	copy(b.X, first)
	if !a.surrogate.Descend(ctx, b, loss, plan, found) {
		a.search.Descend(ctx, b, loss, plan, found)
	}
	return cex
}

// leaking is net with every ReLU replaced by a LeakyReLU.
func leaking(net nn.Network) nn.Network {
	nodes := net.Nodes()
	b := nn.NewBuilder(nodes[0].Shape)
	for _, n := range nodes[1:] {
		op := n.Op
		if _, ok := op.(nn.ReLU); ok {
			op = nn.LeakyReLU{Slope: 0.1}
		}
		b.Add(n.Name, op, n.Inputs...)
	}
	g, err := b.Build(net.Output())
	if err != nil {
		return net // a caller's network that a Builder does not take
	}
	return g
}

// Attack searches for a counterexample only, by projected gradient descent
// from random starts. It returns nil if it found none, which says nothing.
//
// The counterexample has been replayed (see package spec). The context's end
// ends the search, without an error.
// Errors: *spec.Error, or a field of opts out of range.
func Attack(ctx context.Context, net nn.Network, prop *spec.Property, opts AttackOptions) (*spec.Counterexample, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	if err := checkFit(net, prop); err != nil {
		return nil, err
	}
	opts = opts.withDefaults()
	a := newAttacker(net, prop, pgd.NewReplayer(net, prop), opts.Seed)
	cases := allCases(prop)
	if cex := a.round(ctx, cases, 1, min(10, opts.Steps)); cex != nil || opts.Restarts == 1 {
		return cex, nil
	}
	return a.round(ctx, cases, opts.Restarts-1, opts.Steps), nil
}

func (o AttackOptions) withDefaults() AttackOptions {
	if o.Restarts == 0 {
		o.Restarts = 32
	}
	if o.Steps == 0 {
		o.Steps = 40
	}
	return o
}

func allCases(p *spec.Property) []int {
	all := make([]int, len(p.Cases))
	for i := range all {
		all[i] = i
	}
	return all
}
