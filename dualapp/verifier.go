package dualapp

// From bounds to "is the class certain?".
//
// A class c is certain against a target t on a region if y_c − y_t is positive
// there. The difference can be bounded as one function (margins), or as the lower
// bound of y_c minus the upper bound of y_t, two separate intervals: looser, and
// what the paper's code and tables do.
//
// Many (input, radius) pairs are bounded in one query, and their under-approximated
// domains are found side by side.

import (
	"context"
	"fmt"
	"math"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// Verifier certifies classes in the paper's way. The zero value is DualApp with
// Monte Carlo, separate output intervals, inputs not clipped.
type Verifier struct {
	// Bounder bounds the outputs. Default nil: bounds.Crown with Dual lines.
	// Bounders with other lines make it another method of the comparison.
	Bounder bounds.Bounder
	// Under finds under-approximated domains. Default nil: MonteCarlo with a nil
	// Bounder, and none with any other.
	Under UnderApproximator
	// Margin bounds differences of outputs as one function each, not as two
	// separate intervals.
	Margin bool
	// Clip, if not nil, holds all valid inputs: regions are cut to it.
	Clip *spec.Box
}

// Task is an input and what is asked of it.
type Task struct {
	Center []float64 // [inputs]
	Label  int       // the class whose certainty is asked
	// Targets are the classes that it is to be certain against; nil means all
	// others.
	Targets []int
	// Guess is a radius to start a fast search from, such as another method's
	// result. 0: the search's own start.
	Guess float64
}

// question is one (task, radius) pair.
type question struct {
	task   int
	radius float64
}

// session is a Verifier at work on tasks for one network.
type session struct {
	*Verifier
	m       *bounds.Model
	tasks   []Task
	outputs int
	under   Estimator // nil: none
	local   []Local   // per task, made when it is needed
	pairs   map[[2]int]int
	fn      bounds.Functions
	eval    *nn.Evaluator[float64] // made when it is needed
}

// TaskError names the field of a task that does not fit the network.
type TaskError struct {
	Task   int
	Field  string
	Detail string
}

// Error implements error.
func (e *TaskError) Error() string {
	return fmt.Sprintf("dualapp: task %d: %s: %s", e.Task, e.Field, e.Detail)
}

func (v *Verifier) start(m *bounds.Model, tasks []Task) (*session, error) {
	net := m.Network()
	s := &session{Verifier: v, m: m, tasks: tasks, outputs: nn.OutputShape(net).Size(), local: make([]Local, len(tasks))}
	inputs := nn.InputShape(net).Size()
	for i := range tasks {
		if err := tasks[i].check(i, inputs, s.outputs); err != nil {
			return nil, err
		}
	}
	if v.Clip != nil && v.Clip.Dim() != inputs {
		return nil, &TaskError{Field: "Clip", Detail: fmt.Sprintf("has %d dimensions, the network takes %d", v.Clip.Dim(), inputs)}
	}
	switch {
	case v.Under != nil:
		s.under = v.Under.For(m)
	case v.Bounder == nil:
		s.under = MonteCarlo{}.For(m)
	}
	s.makeFunctions()
	return s, nil
}

func (t *Task) check(i, inputs, outputs int) error {
	if len(t.Center) != inputs {
		return &TaskError{i, "Center", fmt.Sprintf("has %d numbers, the network takes %d", len(t.Center), inputs)}
	}
	if t.Label < 0 || t.Label >= outputs {
		return &TaskError{i, "Label", fmt.Sprintf("%d is not in [0, %d)", t.Label, outputs)}
	}
	for _, k := range t.Targets {
		if k < 0 || k >= outputs || k == t.Label {
			return &TaskError{i, "Targets", fmt.Sprintf("%d is not another class than %d in [0, %d)", k, t.Label, outputs)}
		}
	}
	if !(t.Guess >= 0) || math.IsInf(t.Guess, 1) {
		return &TaskError{i, "Guess", fmt.Sprintf("%v is not a radius", t.Guess)}
	}
	return nil
}

// targets is the classes that a task is about.
func (s *session) targets(t *Task) []int {
	if t.Targets != nil {
		return t.Targets
	}
	var all []int
	for k := range s.outputs {
		if k != t.Label {
			all = append(all, k)
		}
	}
	return all
}

// makeFunctions lists the functions to bound: with Margin the differences that any
// task needs, else every output and every output negated.
func (s *session) makeFunctions() {
	n := s.outputs
	if !s.Margin {
		s.fn.Output = make([]float64, 2*n*n)
		for k := range n {
			s.fn.Output[k*n+k], s.fn.Output[(n+k)*n+k] = 1, -1
		}
		return
	}
	s.pairs = map[[2]int]int{}
	for i := range s.tasks {
		for _, k := range s.targets(&s.tasks[i]) {
			pair := [2]int{s.tasks[i].Label, k}
			if _, ok := s.pairs[pair]; ok {
				continue
			}
			s.pairs[pair] = len(s.pairs)
			row := make([]float64, n)
			row[pair[0]], row[pair[1]] = 1, -1
			s.fn.Output = append(s.fn.Output, row...)
		}
	}
}

// wanted is the functions that a task needs.
func (s *session) wanted(t *Task) []int {
	only := []int{}
	if !s.Margin {
		only = append(only, t.Label)
	}
	for _, k := range s.targets(t) {
		if s.Margin {
			only = append(only, s.pairs[[2]int{t.Label, k}])
		} else {
			only = append(only, s.outputs+k)
		}
	}
	return only
}

// margin is the least margin over a task's targets, from bounds of the functions.
func (s *session) margin(t *Task, lower []float64) float64 {
	least := math.Inf(1)
	for _, k := range s.targets(t) {
		if s.Margin {
			least = min(least, lower[s.pairs[[2]int{t.Label, k}]])
		} else {
			// The sign of a sum of two numbers is exact.
			least = min(least, lower[t.Label]+lower[s.outputs+k])
		}
	}
	return least
}

// margins is a lower bound of the least margin for each question.
func (s *session) margins(ctx context.Context, asked []question) ([]float64, error) {
	q := &bounds.Query{Functions: s.fn, Domains: make([]bounds.Domain, len(asked))}
	errs := make([]error, len(asked))
	parallel.For(len(asked), 1, func(lo, hi int) {
		for i := lo; i < hi && ctx.Err() == nil; i++ {
			q.Domains[i], errs[i] = s.domain(ctx, asked[i])
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	b := s.Bounder
	if b == nil {
		b = bounds.Crown{Relaxer: Dual{}}
	}
	res, err := b.Bound(ctx, s.m, q)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(asked))
	for i := range res {
		out[i] = s.margin(&s.tasks[asked[i].task], res[i].Lower)
	}
	return out, nil
}

// domain is a question as bounds takes it.
func (s *session) domain(ctx context.Context, a question) (bounds.Domain, error) {
	t := &s.tasks[a.task]
	region, err := spec.NewLInfBall(t.Center, a.radius, s.Clip)
	if err != nil {
		return bounds.Domain{}, err
	}
	d := bounds.Domain{Region: region, Only: s.wanted(t)}
	if s.under == nil {
		return d, nil
	}
	if s.local[a.task] == nil {
		if s.local[a.task], err = s.under.At(ctx, t.Center); err != nil {
			return d, err
		}
	}
	d.Under, err = s.local[a.task].Under(ctx, region)
	return d, err
}

// group is how many tasks go together: enough for full batches, few enough for
// what is kept of them to be small.
const group = 16

// Margins is, for each task, a lower bound of the least margin of its label over
// its targets on the ball of a radius around its centre. A positive one certifies
// the label.
//
// Guarantee: sound for real arithmetic, rounded outward.
// Errors: *TaskError, *spec.Error, the context's when it ends.
func (v *Verifier) Margins(ctx context.Context, m *bounds.Model, tasks []Task, radius float64) ([]float64, error) {
	s, err := v.start(m, tasks)
	if err != nil {
		return nil, err
	}
	var out []float64
	for from := 0; from < len(tasks); from += group {
		var asked []question
		for i := from; i < min(from+group, len(tasks)); i++ {
			asked = append(asked, question{i, radius})
		}
		part, err := s.margins(ctx, asked)
		if err != nil {
			return nil, err
		}
		out = append(out, part...)
		clear(s.local)
	}
	return out, nil
}

// Ratio is the verified robustness ratio: of the tasks whose centre the network
// puts in their label's class, how many are certified on the ball of a radius.
// Errors: those of Margins.
func (v *Verifier) Ratio(ctx context.Context, m *bounds.Model, tasks []Task, radius float64) (verified, correct int, err error) {
	var right []Task
	for i := range tasks {
		if err := tasks[i].check(i, nn.InputShape(m.Network()).Size(), nn.OutputShape(m.Network()).Size()); err != nil {
			return 0, 0, err
		}
		y, err := nn.Evaluate(m.Network(), tasks[i].Center)
		if err != nil {
			return 0, 0, err
		}
		if nn.ArgMax(y) == tasks[i].Label {
			right = append(right, tasks[i])
		}
	}
	margins, err := v.Margins(ctx, m, right, radius)
	for _, g := range margins {
		if g > 0 {
			verified++
		}
	}
	return verified, len(right), err
}
