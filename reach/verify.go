package reach

// Verification: is an unsafe output in the set?
//
// With an approximate method each case of a property goes through
//
//	the set without linear programs ──► every conjunction excluded: done
//	     │ points at which bounds are attained, replayed ──► Falsified
//	     ▼
//	attack on what is open (attack.go) ──► Falsified
//	     ▼
//	the method's own set, then a program per conjunction ──► excluded
//	     ▼
//	Unknown, or with Options.Refine exact-star on what is open
//
// The first set contains the method's own, so what it excludes the method would
// exclude too; most answers come from there. exact-star takes the last step only, and
// attacks once when its first look at the region has proven nothing.

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// Verify decides whether net has the property; see Model.Verify. Who asks more than
// once compiles once.
func Verify(ctx context.Context, net nn.Network, prop *spec.Property, opts Options) (*spec.Result, error) {
	m, err := Compile(net)
	if err != nil {
		return nil, err
	}
	return m.Verify(ctx, prop, opts)
}

// Verify decides whether the network has the property.
//
// Guarantee: Verified is a proof over the real numbers: every set contains the exact
// one in spite of rounding, and bounds of linear programs come from their dual
// solutions. Falsified comes with a counterexample that was replayed in float64 and
// float32. Approximate methods may answer Unknown with spec.ReasonIncomplete;
// ExactStar decides what does not hinge on the last bits (spec.ReasonNumerical), for
// regions that are boxes. Other regions are replaced by the box around them.
//
// The context's end yields Unknown with spec.ReasonTimeout or spec.ReasonCancelled.
// Safe for concurrent use.
// Errors: *spec.Error, *nn.ShapeError, *nn.UnsupportedError (ExactStar and a curved
// activation), *OptionError.
func (m *Model) Verify(ctx context.Context, prop *spec.Property, opts Options) (*spec.Result, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	if err := prop.Validate(); err != nil {
		return nil, err
	}
	if prop.Inputs != m.Inputs() || prop.Outputs != m.Outputs() {
		return nil, &spec.Error{Field: "property", Detail: fmt.Sprintf("it has %d inputs and %d outputs, the network %d and %d", prop.Inputs, prop.Outputs, m.Inputs(), m.Outputs())}
	}
	opts = opts.withDefaults()
	if opts.Method == ExactStar {
		if err := m.checkExact(); err != nil {
			return nil, err
		}
	}
	v := &verification{m: m, prop: prop, o: &opts, attacker: newAttacker(m.net, prop), begun: time.Now(), lower: math.Inf(1)}
	res := &spec.Result{}
	v.reason = spec.ReasonNone
	for i := range prop.Cases {
		cex, err := v.decide(ctx, i)
		if reason, ok := reasonOf(err); ok {
			res.Reason, v.reason, v.lower = reason, reason, math.Inf(-1)
			break
		} else if err != nil {
			return nil, err
		}
		if cex != nil {
			res.Verdict, res.Counterexample = spec.Falsified, cex
			break
		}
	}
	res.LowerBound = v.lower
	if res.Verdict == spec.Falsified {
		res.LowerBound = math.Inf(-1) // of what was not looked at any more nothing is known
	}
	if res.Verdict == spec.Unknown {
		if res.Reason = v.reason; v.reason == spec.ReasonNone {
			res.Verdict = spec.Verified
		}
	}
	res.Stats = spec.Stats{Elapsed: time.Since(v.begun), Domains: v.stars, Splits: v.splits, MaxFrontier: v.frontier, Attacks: v.attacker.Count, Choices: map[string]string{
		"method": opts.Method.String(), "linear programs": strconv.Itoa(v.lps),
	}}
	return res, nil
}

// checkExact reports activations that exact-star cannot split into straight pieces.
func (m *Model) checkExact() error {
	for i, n := range m.nodes {
		if op := m.rules[i].activation; op != nil {
			if _, ok := piecewise(op); !ok {
				return &nn.UnsupportedError{Node: n.Name, Op: op.Kind(), Detail: "exact-star needs piecewise linear activations"}
			}
		}
	}
	return nil
}

// reasonOf is the reason that an error stands for, if it is not one of the caller.
func reasonOf(err error) (spec.Reason, bool) {
	switch {
	case err == nil:
	case errors.Is(err, context.DeadlineExceeded):
		return spec.ReasonTimeout, true
	case errors.Is(err, context.Canceled):
		return spec.ReasonCancelled, true
	case errors.Is(err, ErrMemory):
		return spec.ReasonMemory, true
	case errors.Is(err, ErrStars):
		return spec.ReasonNodeLimit, true
	case errors.Is(err, ErrOverflow):
		return spec.ReasonNumerical, true
	}
	return spec.ReasonNone, false
}

// verification is one call of Verify.
type verification struct {
	m        *Model
	prop     *spec.Property
	o        *Options
	attacker *attacker
	begun    time.Time
	lower    float64     // of the violations, over what has been decided
	reason   spec.Reason // why the answer is Unknown; ReasonNone as long as it is not
	// Of the statistics.
	stars, splits, frontier, lps int
}

// decide settles one case: a counterexample, or nil if there is none or it is left
// open, which v.reason says.
func (v *verification) decide(ctx context.Context, index int) (*spec.Counterexample, error) {
	c := &v.prop.Cases[index]
	open := make([]int, len(c.Unsafe))
	for k := range open {
		open[k] = k
	}
	if len(open) == 0 {
		return nil, nil
	}
	if v.o.Method == ExactStar {
		return v.exact(ctx, index, open)
	}
	bounds := make([]float64, len(open))
	for k := range bounds {
		bounds[k] = math.Inf(-1)
	}
	open, cex, err := v.approximate(ctx, index, open, bounds)
	if err != nil || cex != nil {
		return cex, err
	}
	refine := len(open) > 0 && v.o.Refine && v.m.checkExact() == nil
	for u, b := range bounds {
		if !refine || !slices.Contains(open, u) {
			v.lower = min(v.lower, b)
		}
	}
	if refine {
		return v.exact(ctx, index, open)
	}
	if len(open) > 0 {
		v.reason = spec.ReasonIncomplete
	}
	return nil, nil
}

// approximate excludes conjunctions of a case by an approximate method, and returns
// those that are left. It raises bounds.
func (v *verification) approximate(ctx context.Context, index int, open []int, bounds []float64) ([]int, *spec.Counterexample, error) {
	box := v.prop.Cases[index].Region.Box()
	a, err := v.m.approximate(ctx, box, v.o, !v.o.NoPrefilter)
	if err != nil {
		return nil, nil, err
	}
	v.stars++
	v.lps += a.lps
	open, findings, cex := v.examine(ctx, a, index, open, bounds)
	if len(open) == 0 || cex != nil {
		return open, cex, ctx.Err()
	}
	if !v.o.NoAttack {
		if cex := v.attacker.attack(ctx, goalsOf(index, open), v.o); cex != nil {
			return open, cex, nil
		}
	}
	if a.skipped > 0 {
		if a, err = v.m.approximate(ctx, box, v.o, false); err != nil {
			return nil, nil, err
		}
		v.lps += a.lps
		if open, findings, cex = v.examine(ctx, a, index, open, bounds); len(open) == 0 || cex != nil {
			return open, cex, nil
		}
	}
	if v.o.Method == Zono {
		return open, nil, nil // the box's bounds are all there is
	}
	img := newImage(a.p, a.forms[0], a.forms[v.m.output])
	var left []int
	for k, u := range open {
		f := findings[k]
		if f.ceiling > 0 {
			n, err := img.solve(ctx, v.o.Solver, f)
			v.lps += n
			if err != nil {
				return nil, nil, err
			}
			bounds[u] = max(bounds[u], f.bound)
		}
		if f.excluded() {
			continue
		}
		if cex := v.attacker.Try(img.point(f.point), index); cex != nil {
			return open, cex, nil
		}
		left = append(left, u)
	}
	return left, nil, nil
}

// goalsOf is the open conjunctions of a case as an attack wants them.
func goalsOf(index int, open []int) []goal {
	goals := make([]goal, len(open))
	for k, u := range open {
		goals[k] = goal{index, u}
	}
	return goals
}

// examine bounds the open conjunctions on an analysis's output set without a
// solver, and tries the points at which bounds are attained.
func (v *verification) examine(ctx context.Context, a *analysis, index int, open []int, bounds []float64) (left []int, findings []*finding, cex *spec.Counterexample) {
	img := newImage(a.p, a.forms[0], a.forms[v.m.output])
	sub := newSubstitution(a.p)
	for _, u := range open {
		f := img.quick(ctx, sub, v.prop.Cases[index].Unsafe[u])
		bounds[u] = max(bounds[u], f.bound)
		if f.excluded() {
			continue
		}
		if cex = v.attacker.Try(img.point(f.point), index); cex != nil {
			return nil, nil, cex
		}
		left, findings = append(left, u), append(findings, f)
	}
	return left, findings, nil
}

// exactFinding is what a star at the output says, or a set that contains it.
type exactFinding struct {
	bound  float64
	inputs [][]float64 // at which a conjunction that could not be excluded is worst
	hint   bool        // the star is still to come
}

// exact decides conjunctions of a case by exact-star.
func (v *verification) exact(ctx context.Context, index int, open []int) (*spec.Counterexample, error) {
	e := &exact{m: v.m, o: v.o, begun: v.begun}
	unsafe := v.prop.Cases[index].Unsafe
	if !v.o.NoPrefilter {
		e.look = func(ctx context.Context, a *analysis) (bool, any) { return look(ctx, a, unsafe, open) }
	}
	examine := func(ctx context.Context, l *leaf) (any, error) { return v.leaf(ctx, l, unsafe, open) }
	var cex *spec.Counterexample
	unsettled := false
	attacked := v.o.Method != ExactStar || v.o.NoAttack // an approximate method has done it
	err := e.run(ctx, v.prop.Cases[index].Region.Box(), examine, func(x any) bool {
		found := x.(*exactFinding)
		if !found.hint {
			v.lower = min(v.lower, found.bound)
		}
		for _, x := range found.inputs {
			if cex = v.attacker.Try(x, index); cex != nil {
				return true
			}
			unsettled = unsettled || !found.hint
		}
		if found.hint && !attacked {
			attacked = true
			cex = v.attacker.attack(ctx, goalsOf(index, open), v.o)
		}
		return cex != nil
	})
	v.stars += e.stars
	v.splits += e.splits
	v.frontier = max(v.frontier, e.frontier)
	v.lps += e.lps
	if cex != nil {
		return cex, nil
	}
	if err != nil {
		return nil, err
	}
	if unsettled {
		v.reason = spec.ReasonNumerical
		if _, ok := v.prop.Cases[index].Region.(spec.Box); !ok {
			v.reason = spec.ReasonIncomplete
		}
	}
	return nil, nil
}

// look judges an approximation: settled if it excludes all conjunctions, else a
// point at which it does not.
func look(ctx context.Context, a *analysis, unsafe []spec.Conjunction, open []int) (settled bool, found any) {
	img := newImage(a.p, a.forms[0], a.forms[a.m.output])
	sub := newSubstitution(a.p)
	f := &exactFinding{bound: math.Inf(1)}
	for _, u := range open {
		q := img.quick(ctx, sub, unsafe[u])
		if !q.excluded() {
			a.weigh(sub)
			return false, &exactFinding{hint: true, inputs: img.candidates(q)}
		}
		f.bound = min(f.bound, q.bound)
	}
	return true, f
}

// leaf judges a star at the output.
func (v *verification) leaf(ctx context.Context, l *leaf, unsafe []spec.Conjunction, open []int) (any, error) {
	found := &exactFinding{bound: math.Inf(1)}
	sub := newSubstitution(l.image.p)
	for _, u := range open {
		f := l.image.quick(ctx, sub, unsafe[u])
		if !f.excluded() && len(f.values) > 0 {
			l.lps++
			if _, err := l.image.solve(ctx, v.o.Solver, f); err != nil {
				return nil, err
			}
		}
		found.bound = min(found.bound, f.bound)
		if !f.excluded() {
			found.inputs = append(found.inputs, l.image.point(f.point))
		}
	}
	return found, nil
}
