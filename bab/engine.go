package bab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/internal/pgd"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/solver/simplex"
	"github.com/vouchnn/vouch/spec"
)

// engine is one run of Verify: the attack, the roots, and one or two searches
// for each group of cases.
type engine struct {
	opts      Options
	model     *bounds.Model
	net       nn.Network // simplified: what is bounded
	prop      *spec.Property
	kinds     []SplitKind // the searches to run
	envelopes envelopes
	replay    *pgd.Replayer
	attack    *attacker
	points    *nn.Evaluator[float64]
	keep      []int // nodes whose intervals domains carry
	// corners says that domains are bounded in their corners.
	corners bool
	shared  sharedBounds
	// batchChosen says that the batch follows the network's size.
	batchChosen bool
	start       time.Time
	ticked      time.Time

	res      spec.Result
	batches  int       // bounded so far
	closed   float64   // least bound of the groups that are done
	bounded  bool      // every root has been bounded
	roots    [][]root  // open roots of the groups that are not done, this one first
	current  []*search // on the group that is being decided
	proved   float64   // of that group, by a search that was given up; else −Inf
	refining int64     // bytes of the searches for ends of intervals
}

func newEngine(model *bounds.Model, net, simple nn.Network, prop *spec.Property, opts Options, start time.Time) *engine {
	if opts.MaxMemory == 0 {
		opts.MaxMemory = 2 << 30
	}
	opts.Attack = opts.Attack.withDefaults()
	chosen := opts.Batch == 0
	if chosen {
		opts.Batch = automaticBatch(model)
	}
	if opts.Solver == nil {
		opts.Solver = simplex.Solver{}
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	e := &engine{
		opts: opts, model: model, net: simple, prop: prop, kinds: automaticSplits(opts.Split, prop),
		replay: pgd.NewReplayer(net, prop), points: nn.NewEvaluator[float64](simple),
		keep: model.Preactivations(), start: start, ticked: start, closed: math.Inf(1), proved: math.Inf(-1),
	}
	// With inputs alone to split the box follows the corner by itself.
	e.batchChosen = chosen
	e.corners = slices.Contains(e.kinds, SplitNeuron)
	e.attack = newAttacker(simple, prop, e.replay, opts.Seed^opts.Attack.Seed)
	e.res.LowerBound = math.Inf(-1)
	bounder := "automatic"
	if opts.Bounder != nil {
		bounder = fmt.Sprintf("%T", opts.Bounder)
	}
	var names []string
	for _, k := range e.kinds {
		names = append(names, k.String())
	}
	e.res.Stats.Choices = map[string]string{"split": strings.Join(names, "+"), "batch": strconv.Itoa(opts.Batch), "bounder": bounder, "conjunctions": ConjunctionsTogether.String(), "refine": RefineOff.String()}
	return e
}

// choose records an automatic choice for the statistics.
func (e *engine) choose(name, value string) { e.res.Stats.Choices[name] = value }

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

// Up to the first number of varying inputs boxes alone are split, above the
// second neurons alone; in between both are tried side by side.
const (
	inputsAlone  = 6
	inputsAtMost = 64
)

// automaticSplits is the searches to run.
func automaticSplits(kind SplitKind, prop *spec.Property) []SplitKind {
	if kind != SplitAuto {
		return []SplitKind{kind}
	}
	most := 0
	for i := range prop.Cases {
		b, varying := prop.Cases[i].Region.Box(), 0
		for j := range b.Lower {
			if b.Lower[j] < b.Upper[j] {
				varying++
			}
		}
		most = max(most, varying)
	}
	switch {
	case most <= inputsAlone:
		return []SplitKind{SplitInput}
	case most <= inputsAtMost:
		return []SplitKind{SplitInput, SplitNeuron}
	default:
		return []SplitKind{SplitNeuron}
	}
}

// run attacks, bounds the roots and searches group by group.
func (e *engine) run(ctx context.Context) (*spec.Result, error) {
	if !e.opts.NoAttack {
		if cex := e.attack.round(ctx, allCases(e.prop), 1, min(10, e.opts.Attack.Steps)); cex != nil {
			return e.falsified(cex), nil
		}
	}
	groups := e.groups()
	var rest []int
	for g := range groups {
		roots, cex, err := e.boundRoots(ctx, &groups[g])
		if err != nil {
			return nil, err
		}
		if cex != nil {
			return e.falsified(cex), nil
		}
		e.roots = append(e.roots, roots)
		for _, r := range roots {
			rest = append(rest, r.d.caseIndex)
		}
	}
	e.bounded = true
	if !e.opts.NoAttack && len(rest) > 0 {
		if cex := e.attack.round(ctx, rest, e.opts.Attack.Restarts, e.opts.Attack.Steps); cex != nil {
			return e.falsified(cex), nil
		}
	}
	for g := range groups {
		cex, reason, err := e.decide(ctx, &groups[g], e.roots[0])
		switch {
		case err != nil:
			return nil, err
		case cex != nil:
			return e.falsified(cex), nil
		case reason != spec.ReasonNone:
			return e.unknown(reason), nil
		}
		e.roots, e.current, e.proved = e.roots[1:], nil, math.Inf(-1)
	}
	e.res.Verdict, e.res.LowerBound = spec.Verified, e.closed
	return e.finish(), nil
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
// least bound of all of them, once every root has one.
func (e *engine) unknown(reason spec.Reason) *spec.Result {
	e.res.Reason = reason
	if e.bounded {
		e.res.LowerBound = e.proven()
	}
	return e.finish()
}

// proven is the least bound of all that is not done, and of what is.
func (e *engine) proven() float64 {
	v := e.closed
	for k, roots := range e.roots {
		if k == 0 && e.current != nil {
			best := e.proved
			for _, s := range e.current {
				best = max(best, s.least())
			}
			v = min(v, best)
			continue
		}
		for _, r := range roots {
			v = min(v, r.d.bound)
		}
	}
	return v
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
	p := Progress{Elapsed: now.Sub(e.start), Domains: e.res.Stats.Domains, LowerBound: e.proven()}
	for _, s := range e.current {
		p.Open += s.frontier.len()
	}
	e.opts.Logger.Debug("branch and bound", "domains", p.Domains, "open", p.Open, "bound", p.LowerBound)
	if e.opts.Progress != nil {
		e.opts.Progress(p)
	}
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
