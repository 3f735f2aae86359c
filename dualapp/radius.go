package dualapp

// Certified lower bounds: the largest radius for which a class is proved.
//
// Two searches. The paper's is a bisection of the radius's logarithm with a fixed
// number of proofs, steps of a factor e until it is bracketed. The fast one knows
// more than whether a proof succeeded: the margin at radius zero is that of the
// network itself, and bounds of margins fall smoothly with the radius, nearly in
// proportion. So the crossing is interpolated (regula falsi with the Illinois
// halving, in the radius), and the last two trials are laid a tolerance apart
// around it. Four or five proofs take the place of fifteen.
//
// A radius is only reported after its proof. Neither search needs certified radii
// to be an interval, though with samples drawn they need not be.
//
// All open tasks move in step: one round is one query with a domain for each.
//
// Source: Xue et al. 2023, arXiv:2305.00998, §5.1, and its released code for the
// steps (start 0.05, 15 updates).

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
)

// Search is how Radii looks for radii. The zero value is the paper's.
type Search struct {
	// Start is the first radius tried. Default 0: 0.05, or in the fast search what
	// the network's gradient suggests for each task.
	Start float64
	// Steps is how many proofs are tried at most for a task. Default 0: 15.
	Steps int
	// Tolerance, if positive, asks for the fast search: it stops when a proof has
	// failed at no more than 1 + Tolerance times the proved radius. It is in (0, 1).
	Tolerance float64
	// Progress, if not nil, is called after each group of tasks with the results
	// so far, from the goroutine of Radii. An error ends the search.
	Progress func(done []Radius) error

	fixed bool // Start was given
}

// Validate checks the fields.
// Errors: *OptionError.
func (s *Search) Validate() error {
	switch {
	case !(s.Start >= 0) || math.IsInf(s.Start, 1):
		return &OptionError{"Start", fmt.Sprintf("%v is not a radius", s.Start)}
	case s.Steps < 0:
		return &OptionError{"Steps", fmt.Sprintf("%d is negative", s.Steps)}
	case !(s.Tolerance >= 0 && s.Tolerance < 1):
		return &OptionError{"Tolerance", fmt.Sprintf("%v is not in [0, 1)", s.Tolerance)}
	}
	return nil
}

// OptionError names a field of options that is out of range.
type OptionError struct{ Field, Detail string }

// Error implements error.
func (e *OptionError) Error() string { return "dualapp: " + e.Field + ": " + e.Detail }

// Radius is the answer to one task.
type Radius struct {
	Proved float64 // the label is certain on the ball of this radius; 0: no proof
	Failed float64 // the least radius above it whose proof failed; +Inf: none
	Proofs int     // tried
	// Elapsed is the task's share of the time of the rounds that it took part in.
	Elapsed time.Duration
	// Misclassified says that the network does not put the centre in the label's
	// class, or not clear of the targets; nothing was tried.
	Misclassified bool
}

// Radii is the certified lower bound of every task.
//
// Guarantee: each Proved is sound for real arithmetic, rounded outward.
// Errors: *OptionError, *TaskError, *spec.Error, Progress's, and the context's
// when it ends.
func (v *Verifier) Radii(ctx context.Context, m *bounds.Model, tasks []Task, search Search) ([]Radius, error) {
	if err := search.Validate(); err != nil {
		return nil, err
	}
	search.fixed = search.Start > 0
	if !search.fixed {
		search.Start = 0.05
	}
	if search.Steps == 0 {
		search.Steps = 15
	}
	s, err := v.start(m, tasks)
	if err != nil {
		return nil, err
	}
	out := make([]Radius, 0, len(tasks))
	for from := 0; from < len(tasks); from += group {
		part, err := s.radii(ctx, from, min(from+group, len(tasks)), search)
		if err != nil {
			return out, err
		}
		out = append(out, part...)
		clear(s.local)
		if search.Progress != nil {
			if err := search.Progress(out); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// radii searches for a group of tasks.
func (s *session) radii(ctx context.Context, from, to int, search Search) ([]Radius, error) {
	hunts := make([]hunt, to-from)
	for i := range hunts {
		h, err := s.newHunt(from+i, search)
		if err != nil {
			return nil, err
		}
		hunts[i] = h
	}
	for {
		var asked []question
		for i := range hunts {
			if h := &hunts[i]; !h.done {
				asked = append(asked, question{from + i, h.radius})
			}
		}
		if len(asked) == 0 {
			break
		}
		begin := time.Now()
		margins, err := s.margins(ctx, asked)
		if err != nil {
			return nil, err
		}
		share := time.Since(begin) / time.Duration(len(asked))
		for k, a := range asked {
			hunts[a.task-from].take(margins[k], share)
		}
	}
	out := make([]Radius, len(hunts))
	for i := range hunts {
		out[i] = hunts[i].Radius
	}
	return out, nil
}

// hunt is the search for one task.
type hunt struct {
	Radius
	Search
	radius float64 // to be tried next
	done   bool
	// The fast search: margins at Proved and Failed, halved where the other side
	// was moved twice; the one before Proved; and which side moved last.
	atProved, atFailed float64
	before             [2]float64 // radius and margin
	side               int
}

func (s *session) newHunt(i int, search Search) (hunt, error) {
	t := &s.tasks[i]
	h := hunt{Radius: Radius{Failed: math.Inf(1)}, Search: search, radius: search.Start}
	y, err := nn.Evaluate(s.m.Network(), t.Center)
	if err != nil {
		return h, err
	}
	h.atProved = math.Inf(1)
	for _, k := range s.targets(t) {
		h.atProved = min(h.atProved, y[t.Label]-y[k])
	}
	if !(h.atProved > 0) || (t.Targets == nil && nn.ArgMax(y) != t.Label) {
		h.Misclassified, h.done = true, true
	}
	switch {
	case h.done || search.Tolerance == 0:
	case t.Guess > 0:
		h.radius = t.Guess
	case !search.fixed:
		h.radius = s.guess(t, h.atProved, search.Start)
	}
	return h, nil
}

// guess is where to look first: half of where the margin, falling as fast as the
// network's gradient at the centre says, would be zero. Bounds fall faster.
func (s *session) guess(t *Task, margin, otherwise float64) float64 {
	if s.eval == nil {
		s.eval = nn.NewEvaluator[float64](s.m.Network())
	}
	y := s.eval.Forward(t.Center, 1)
	target := -1
	for _, k := range s.targets(t) {
		if target < 0 || y[k] > y[target] {
			target = k
		}
	}
	rate := 0.0
	row := make([]float64, s.outputs)
	fall := func() {
		for _, v := range s.eval.Backward(row, nil) {
			rate += math.Abs(v)
		}
	}
	row[t.Label], row[target] = 1, -1
	if !s.Margin { // both intervals widen
		row[target] = 0
		fall()
		row[t.Label], row[target] = 0, -1
	}
	fall()
	if r := 0.5 * margin / rate; r > 0 && r < 1e6*otherwise {
		return r
	}
	return otherwise
}

// take notes the margin at the radius and chooses the next.
func (h *hunt) take(margin float64, share time.Duration) {
	h.Elapsed += share
	h.Proofs++
	if margin > 0 {
		if h.side > 0 {
			h.atFailed /= 2
		}
		h.side = 1
		h.before = [2]float64{h.Proved, h.atProved}
		h.Proved, h.atProved = max(h.Proved, h.radius), margin
	} else {
		if h.side < 0 {
			h.atProved /= 2
		}
		h.side = -1
		h.Failed, h.atFailed = min(h.Failed, h.radius), margin
	}
	if h.Tolerance > 0 {
		h.interpolate()
		h.done = h.Failed <= h.Proved*(1+h.Tolerance)*(1+1e-12)
	} else {
		h.bisect()
	}
	h.done = h.done || h.Proofs >= h.Steps || !(h.radius > 0x1p-200 && h.radius < 0x1p200)
}

// bisect is the paper's step: by at most a factor of e, or to the middle of the
// logarithms.
func (h *hunt) bisect() {
	middle := math.Sqrt(h.Proved) * math.Sqrt(h.Failed) // 0 or +Inf, but not both, until bracketed
	if h.side > 0 {
		h.radius = min(h.Proved*math.E, middle)
	} else {
		h.radius = max(h.Failed/math.E, middle)
	}
}

// interpolate is the fast search's step.
func (h *hunt) interpolate() {
	switch {
	case math.IsInf(h.Failed, 1):
		h.radius = crossing(h.before[0], h.before[1], h.Proved, h.atProved)
		if !(h.radius > h.Proved && h.radius < h.Proved*math.E) {
			h.radius = h.Proved * math.E
		}
	case h.Proved > 0 && (math.IsInf(h.atFailed, -1) || h.Proofs >= 8 && h.Proofs%2 == 0): // not nearly a line
		h.radius = math.Sqrt(h.Proved) * math.Sqrt(h.Failed)
	default:
		h.radius = crossing(h.Proved, h.atProved, h.Failed, h.atFailed)
		if !(h.radius > h.Failed/16) {
			h.radius = h.Failed / 16
		}
		// The last two trials are a tolerance apart.
		h.radius = min(max(h.radius, h.Proved*(1+h.Tolerance)), h.Failed/(1+h.Tolerance))
	}
}

// crossing is where the line through (x0, y0) and (x1, y1) is zero.
func crossing(x0, y0, x1, y1 float64) float64 { return x0 + (x1-x0)*(y0/(y0-y1)) }
