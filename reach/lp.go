package reach

// Ranges by linear programming.
//
// The predicate is loaded into a session once and only the objective changes from
// neuron to neuron, so that each solve starts from the last basis. What the solver
// says is not believed: a bound is computed from its dual values with
// solver.SafeBound and holds whatever they are; emptiness is accepted with a ray
// that proves it.
//
// Neurons are handled in batches of fixed size, each with a session of its own, so
// that workers are independent and answers do not depend on how many there are.

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/solver"
)

// program is a predicate in a solver. Not safe for concurrent use.
type program struct {
	solver  solver.Solver
	problem *solver.Problem
	session solver.Session // nil if the solver has none
	costs   []float64
	solves  int
}

// open loads a predicate, or a problem that extends it.
func open(s solver.Solver, lp *solver.Problem) (*program, error) {
	g := &program{solver: s, problem: lp, costs: make([]float64, len(lp.Variables))}
	if inc, ok := s.(solver.Incremental); ok {
		session, err := inc.Open(lp, solver.Options{Rays: true})
		if err != nil {
			return nil, err
		}
		g.session = session
	}
	return g, nil
}

func (g *program) close() {
	if g.session != nil {
		_ = g.session.Close() // nothing of it is needed any more
	}
}

// outcome is the answer to one minimisation. The zero value says nothing.
type outcome struct {
	bound float64   // proven lower bound, −Inf if there is none
	empty bool      // proven: no point is feasible
	point []float64 // the solver's minimiser, nil if it has none
}

// least minimises Σ costs·a over the problem; g.costs is what is minimised.
func (g *program) least(ctx context.Context) (outcome, error) {
	g.solves++
	var a *solver.Solution
	var err error
	p := g.problem
	if g.session != nil {
		if err := g.session.SetObjective(solver.Minimize, g.costs, 0); err != nil {
			return outcome{}, err
		}
		a, err = g.session.Solve(ctx)
		p = g.session.Problem()
	} else {
		p.Sense, p.Offset = solver.Minimize, 0
		for j, c := range g.costs {
			p.Variables[j].Cost = c
		}
		a, err = g.solver.Solve(ctx, p, solver.Options{Rays: true})
	}
	if err != nil {
		return outcome{}, err
	}
	if err := ctx.Err(); err != nil {
		return outcome{}, err
	}
	o := outcome{bound: math.Inf(-1)}
	switch a.Status {
	case solver.Optimal:
		o.point = a.X
		if len(a.RowDuals) == len(p.Rows) {
			o.bound = solver.SafeBound(p, a.RowDuals)
		}
	case solver.Infeasible:
		o.empty = a.FarkasRay != nil && solver.SafeInfeasible(p, a.FarkasRay)
	}
	return o, nil
}

// lower bounds sign·x from below.
func (g *program) lower(ctx context.Context, x *expr, sign float64) (float64, outcome, error) {
	clear(g.costs)
	for i, j := range x.vars {
		g.costs[j] = sign * x.coef[i]
	}
	o, err := g.least(ctx)
	if err != nil {
		return 0, o, err
	}
	if o.empty {
		return math.Inf(1), o, nil
	}
	c := sign * x.centre
	v := below(o.bound + c - x.slack - 4*unit*(math.Abs(o.bound)+math.Abs(c)+x.slack))
	if math.IsNaN(v) {
		v = math.Inf(-1)
	}
	return v, o, nil
}

// side says which of a neuron's bounds are wanted of the solver.
type side uint8

const (
	lowerSide side = 1 << iota
	upperSide
)

// lpBatch is how many neurons share a session.
const lpBatch = 32

// tighten replaces bounds by better ones from the solver. wanted[r] says which ones
// of row r. With relu set a lower bound is not asked for where the upper one is not
// positive. It returns how many programs were solved.
func tighten(ctx context.Context, s solver.Solver, p *predicate, rows []expr, wanted []side, lower, upper []float64, relu bool) (int, error) {
	lp := p.problem()
	batches := (len(rows) + lpBatch - 1) / lpBatch
	errs, solves := make([]error, batches), make([]int, batches)
	parallel.For(batches, 1, func(from, to int) {
		for b := from; b < to; b++ {
			solves[b], errs[b] = tightenBatch(ctx, s, lp, rows, wanted, lower, upper, relu, b*lpBatch, min(len(rows), (b+1)*lpBatch))
		}
	})
	total := 0
	for b, err := range errs {
		total += solves[b]
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// tightenBatch is tighten for the rows [from, to).
func tightenBatch(ctx context.Context, s solver.Solver, lp *solver.Problem, rows []expr, wanted []side, lower, upper []float64, relu bool, from, to int) (int, error) {
	if _, ok := s.(solver.Incremental); !ok {
		lp = lp.Clone() // whose objective will change
	}
	g, err := open(s, lp)
	if err != nil {
		return 0, err
	}
	defer g.close()
	for r := from; r < to; r++ {
		if wanted[r]&upperSide != 0 {
			v, _, err := g.lower(ctx, &rows[r], -1)
			if err != nil {
				return g.solves, err
			}
			upper[r] = min(upper[r], -v)
		}
		if wanted[r]&lowerSide != 0 && !(relu && upper[r] <= 0) {
			v, _, err := g.lower(ctx, &rows[r], 1)
			if err != nil {
				return g.solves, err
			}
			lower[r] = max(lower[r], v)
		}
	}
	return g.solves, nil
}
