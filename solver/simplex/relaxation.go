package simplex

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/solver"
)

// The linear program of a node.
//
// A relaxation is a session whose variables' bounds are moved from node to node; the
// dual method starts from the last basis. What it says is believed only as far as it
// is shown: a node is infeasible if its Farkas ray proves it over the real numbers,
// and its bound is what its duals prove (outward.go; where that shows nothing, package
// solver's tighter evaluation). An answer that cannot be shown is asked for again from
// a fresh factorisation with tighter tolerances, and is nothing if that fails too.

// verdict on a node's linear program.
type verdict int

const (
	vague   verdict = iota // nothing was shown
	empty                  // no point: shown
	cutOff                 // no point better than the cutoff: shown
	relaxed                // x is optimal up to tolerances, bound is shown
	halted                 // the context ended, or the iterations given
	endless                // unbounded, unproved
)

// relaxation is the linear program of the current node.
type relaxation struct {
	s     *session
	check certificate

	// The last answer.
	x        []float64
	y        []float64
	bound    float64 // shown
	plain    float64 // what y shows by check, whose vectors are y's
	believed float64 // the optimum, where bound is not near; otherwise NaN
	pivot    int     // iterations it took
	total    int     // iterations of all answers
}

// newRelaxation shares p's rows.
func newRelaxation(p *solver.Problem, opts *solver.Options, keep keeping) *relaxation {
	q := *p
	q.Variables = append([]solver.Variable{}, p.Variables...)
	q.Rows = append([]solver.Row{}, p.Rows...)
	return &relaxation{s: newSession(&q, opts, keep)}
}

// setBounds moves to a node's box.
func (r *relaxation) setBounds(lower, upper []float64) {
	for j := range r.s.p.Variables {
		v := &r.s.p.Variables[j]
		if v.Lower != lower[j] || v.Upper != upper[j] {
			v.Lower, v.Upper = lower[j], upper[j]
			r.s.e.setVariable(j, lower[j], upper[j])
		}
	}
}

// start makes the engine; false means that there is no memory for it.
func (r *relaxation) start() bool {
	if r.s.e == nil {
		keep := r.s.keeping()
		if keep == notAtAll {
			return false
		}
		r.s.e = newEngine(r.s.p, keep)
	}
	return true
}

// relaxTries is how often a linear program is solved for an answer that is shown.
const relaxTries = 3

// solve answers the current box. Points worse than cutoff do not matter. It may take
// most iterations, or any number if that is zero.
func (r *relaxation) solve(ctx context.Context, cutoff float64, most int) verdict {
	e := r.s.e
	e.prepare(&r.s.opts)
	e.given = most
	defer func() { r.pivot, r.total = e.count, r.total+e.count }()
	r.bound, r.believed = math.Inf(-1), math.NaN()
	e.cut = math.Inf(1)
	if !math.IsInf(cutoff, 1) {
		room := 1e-6 * max(1, math.Abs(cutoff)) // what rounding may cost the proof
		e.cut = (cutoff - r.s.p.Offset + room) * e.costBy
	}
	for try := range relaxTries {
		if try > 0 {
			e.cut = math.Inf(1)
			e.feasible, e.optimal = max(e.feasible/10, 1e-12), max(e.optimal/10, 1e-12)
			if e.restore(ctx) != done {
				return halted
			}
		}
		last := try == relaxTries-1
		v := r.judge(e.turn(ctx), cutoff, last)
		if v == vague && !math.IsInf(e.cut, 1) { // the cut was believed too early
			e.cut = math.Inf(1)
			v = r.judge(e.turn(ctx), cutoff, last)
		}
		if v != vague {
			return v
		}
	}
	return vague
}

// judge shows what a turn's outcome stands for.
func (r *relaxation) judge(out outcome, cutoff float64, last bool) verdict {
	e, p := r.s.e, r.s.p
	switch out {
	case infeasible:
		if r.proves(e.farkasRay()) {
			return empty
		}
	case passed:
		if e.shifted {
			e.prices()
		}
		r.y = e.duals()
		if r.bound = max(r.bound, r.lagrangian(r.y)); r.bound >= cutoff {
			return cutOff
		}
	case done:
		e.values()
		e.prices()
		r.x, r.y = e.point(p), e.duals()
		value := p.Value(r.x)
		r.bound = max(r.bound, r.lagrangian(r.y))
		switch {
		case r.bound >= cutoff:
			return cutOff
		case value-r.bound <= 1e-5*max(1, math.Abs(value)) && !(e.drift() > 1e-7):
			return relaxed
		case last && r.s.optimal(turns) != nil:
			r.believed = value
			return relaxed
		}
	case stopped:
		return halted
	case exhausted:
		return halted
	case unbounded:
		return endless
	}
	return vague
}

// lagrangian is the bound that duals show for the current box.
func (r *relaxation) lagrangian(y []float64) float64 {
	p := r.s.p
	r.plain = r.check.box(p, y, 1)
	if math.IsInf(r.plain, -1) {
		return solver.SafeBound(p, y)
	}
	r.plain += p.Offset
	r.plain -= math.Abs(r.plain) * 0x1p-52
	return r.plain
}

// proves reports whether a ray shows the current box to be empty.
func (r *relaxation) proves(ray []float64) bool {
	return r.check.box(r.s.p, ray, 0) > 0 || solver.SafeInfeasible(r.s.p, ray)
}

// reducedCostBounds tightens bounds that points better than the cutoff satisfy: by the
// Lagrangian at y, a step of an integer variable from its bound costs at least its
// reduced cost. Call it after a verdict of relaxed. False means that no point is
// better.
func (r *relaxation) reducedCostBounds(cutoff float64, d *domains) bool {
	room := cutoff - r.plain
	if math.IsInf(room, 1) || !(room >= 0) {
		return true
	}
	room = upward(room)
	for j := range r.s.p.Variables {
		v := &r.s.p.Variables[j]
		if !v.Integer || v.Lower == v.Upper {
			continue
		}
		c := v.Cost - r.check.sum[j]
		each := math.Abs(c) - r.check.size[j]
		if !(each > 0) {
			continue
		}
		steps := math.Floor(room/each + 1e-6)
		switch {
		case steps >= v.Upper-v.Lower:
			continue
		case c > 0 && !d.setUpper(j, v.Lower+steps), c < 0 && !d.setLower(j, v.Upper-steps):
			return false
		}
	}
	return true
}

// load installs a basis.
func (r *relaxation) load(ctx context.Context, basis []place) bool {
	return r.s.e.install(ctx, basis) == done
}
