package crosscheck

// What the verifiers ask of a solver, on a network that is trained here: the star sets of
// reach, the leaves of bab, both encodings of qnn for the same network quantized.
//
// A recorder stands in for the solver and writes down every problem and every change of a
// session; the answers it gives are simplex's. The benchmarks play it back to all
// back-ends.

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/qnn"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/train"
	"github.com/vouchnn/vouch/train/dataset"
)

// recording is a problem and what becomes of it in a session; of a single solve the only
// step is the solve.
type recording struct {
	problem *solver.Problem
	steps   []func(solver.Session) error // nil: solve
}

// recorder is a solver that writes down what it is asked.
type recorder struct {
	simplex.Solver
	mu   sync.Mutex
	tape []*recording
}

func (r *recorder) begin(p *solver.Problem) *recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := &recording{problem: p.Clone()}
	r.tape = append(r.tape, rec)
	return rec
}

// Solve implements solver.Solver.
func (r *recorder) Solve(ctx context.Context, p *solver.Problem, opts solver.Options) (*solver.Solution, error) {
	rec := r.begin(p)
	rec.steps = append(rec.steps, nil)
	return r.Solver.Solve(ctx, p, opts)
}

// Open implements solver.Incremental.
func (r *recorder) Open(p *solver.Problem, opts solver.Options) (solver.Session, error) {
	s, err := r.Solver.Open(p, opts)
	return &recordedSession{s, r.begin(p)}, err
}

type recordedSession struct {
	solver.Session
	rec *recording
}

func (s *recordedSession) note(step func(solver.Session) error) error {
	s.rec.steps = append(s.rec.steps, step)
	return step(s.Session)
}

func (s *recordedSession) Solve(ctx context.Context) (*solver.Solution, error) {
	s.rec.steps = append(s.rec.steps, nil)
	return s.Session.Solve(ctx)
}

func (s *recordedSession) SetVariableBounds(j int, lower, upper float64) error {
	return s.note(func(t solver.Session) error { return t.SetVariableBounds(j, lower, upper) })
}

func (s *recordedSession) SetRowBounds(i int, lower, upper float64) error {
	return s.note(func(t solver.Session) error { return t.SetRowBounds(i, lower, upper) })
}

func (s *recordedSession) SetObjective(sense solver.Sense, costs []float64, offset float64) error {
	costs = slices.Clone(costs)
	return s.note(func(t solver.Session) error { return t.SetObjective(sense, costs, offset) })
}

func (s *recordedSession) AddRow(row solver.Row) error {
	row = row.Clone()
	return s.note(func(t solver.Session) error { return t.AddRow(row) })
}

func (s *recordedSession) RemoveRows(indices ...int) error {
	indices = slices.Clone(indices)
	return s.note(func(t solver.Session) error { return t.RemoveRows(indices...) })
}

// asked is what the verifiers asked about the trained network.
type asked struct {
	stars, leaves   []*recording
	compact, levels []*solver.Problem
}

var ask = sync.OnceValues(func() (*asked, error) {
	wide, err := trained(40, 40)
	if err != nil {
		return nil, err
	}
	a := &asked{}
	if a.stars, err = starsOf(wide); err != nil {
		return nil, err
	}
	net, err := trained(12, 12)
	if err != nil {
		return nil, err
	}
	if a.leaves, err = leavesOf(net); err != nil {
		return nil, err
	}
	small, err := trained(6)
	if err != nil {
		return nil, err
	}
	if a.compact, err = encoded(small, qnn.Compact); err != nil {
		return nil, err
	}
	a.levels, err = encoded(small, qnn.Levels)
	return a, err
})

// trained is a dense ReLU network with these hidden layers that reads drawn digits.
func trained(widths ...int) (*nn.Graph, error) {
	var layers []train.Layer
	for _, w := range widths {
		layers = append(layers, train.Dense{Out: w})
	}
	net, err := train.Classifier(nn.Shape{1, 12, 12}, append(layers, train.Dense{Out: 10})...)
	if err != nil {
		return nil, err
	}
	train.Initialize(net, train.He, 1)
	_, err = train.Engine{}.Fit(context.Background(), net, dataset.Digits(1, 2000, false), train.Options{
		Loss: train.CrossEntropy{}, Epochs: 10, Batch: 50, Rate: train.Cosine(3e-3, 3e-4), Seed: 1,
	})
	return net, err
}

// properties are the robustness of drawn digits that the network reads right: all pixels
// may change by the radius.
func properties(net *nn.Graph, count int, radius float64) ([]spec.Property, error) {
	digits := dataset.Digits(2, 10*count, false)
	run := nn.NewEvaluator[float64](net)
	var props []spec.Property
	for i := 0; i < digits.Len() && len(props) < count; i++ {
		x, label := digits.Float64(i), int(digits.Labels[i])
		y := run.Forward(x, 1)
		if nn.ArgMax(y) != label {
			continue
		}
		region, err := spec.NewLInfBall(x, radius, nil)
		if err != nil {
			return nil, err
		}
		props = append(props, spec.Robustness(region, label, len(y)))
	}
	return props, nil
}

// starsOf computes sets of outputs, and the range of each output in them.
func starsOf(net *nn.Graph) ([]*recording, error) {
	r := &recorder{}
	props, err := properties(net, 4, 0.03)
	if err != nil {
		return nil, err
	}
	m, err := reach.Compile(net)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	for i := range props {
		sets, err := m.Reach(ctx, props[i].Cases[0].Region, reach.Options{Method: reach.ApproxStar, Solver: r})
		if err != nil {
			return nil, err
		}
		for k := range m.Outputs() {
			if _, _, err := sets[0].Range(ctx, k); err != nil {
				return nil, err
			}
		}
	}
	return r.tape, nil
}

// leavesOf closes in on the least value of an output, until no bound but a leaf's is
// sharp enough.
func leavesOf(net *nn.Graph) ([]*recording, error) {
	r := &recorder{}
	props, err := properties(net, 6, 0.05)
	if err != nil {
		return nil, err
	}
	for i := range props {
		region := props[i].Cases[0].Region
		before := len(r.tape)
		for low, high := -50.0, 50.0; len(r.tape) == before; {
			lower, upper := make([]float64, 10), make([]float64, 10)
			for k := range lower {
				lower[k], upper[k] = math.Inf(-1), math.Inf(1)
			}
			lower[0] = low/2 + high/2
			least := spec.OutputBox(region, lower, upper)
			res, err := bab.Verify(context.Background(), net, &least, bab.Options{Split: bab.SplitNeuron, Solver: r, MaxDomains: 100, NoAttack: true})
			switch {
			case err != nil:
				return nil, err
			case res.Verdict == spec.Verified:
				low = lower[0]
			case res.Verdict == spec.Falsified:
				high = lower[0]
			case len(r.tape) == before:
				return nil, fmt.Errorf("no leaf: %v", res.Reason)
			}
		}
	}
	return r.tape, nil
}

func encoded(net *nn.Graph, encoding qnn.Encoding) ([]*solver.Problem, error) {
	digits := dataset.Digits(2, 8, false)
	var samples [][]float64
	for i := range digits.Len() {
		samples = append(samples, digits.Float64(i))
	}
	q, err := qnn.Quantize(net, qnn.QuantizeOptions{Bits: 4, Input: qnn.Config{Bits: 4, Fraction: 4}, InputScale: 1, Samples: samples})
	if err != nil {
		return nil, err
	}
	var problems []*solver.Problem
	for _, s := range samples {
		x := make([]int64, len(s))
		for j, v := range s {
			x[j] = int64(math.Round(v * 15))
		}
		ball, err := q.Ball(spec.LInf, x, 1)
		if err != nil {
			return nil, err
		}
		e, err := qnn.Encode(q, qnn.Robustness(ball, q.Classify(x), q.Outputs()), 0, -1, qnn.EncodeOptions{Encoding: encoding})
		if err != nil {
			return nil, err
		}
		problems = append(problems, e.Problem)
	}
	return problems, nil
}

// play lets all back-ends answer the same recording, and compares every answer with the
// first back-end's. The time of an answer counts the changes since the last.
func play(t testing.TB, rec *recording, m *medians) {
	answers := make([][]*solver.Solution, len(backends))
	for k, b := range backends {
		session, err := b.solver.Open(rec.problem, solver.Options{Rays: true})
		require.NoError(t, err)
		task := "first"
		var changes []func(solver.Session) error
		for _, step := range rec.steps {
			if step != nil {
				changes = append(changes, step)
				continue
			}
			got := m.time(t, b.name, task, func() (*solver.Solution, error) {
				for _, change := range changes {
					if err := change(session); err != nil {
						return nil, err
					}
				}
				return session.Solve(context.Background())
			})
			answers[k] = append(answers[k], got)
			task, changes = "next", changes[:0]
		}
		require.NoError(t, session.Close())
		for i, got := range answers[k] {
			same(t, fmt.Sprintf("%s, solve %d", b.name, i), answers[0][i], got)
		}
	}
}

// All back-ends give the verifiers the same answers.
func TestRecordedProblemsAgree(t *testing.T) {
	a, err := ask()
	require.NoError(t, err)
	require.NotEmpty(t, a.stars)
	require.NotEmpty(t, a.leaves)
	m := newMedians("first", "next")
	step := 1
	if testing.Short() {
		step = 8
	}
	t.Log(len(a.stars), "star sets,", len(a.leaves), "leaves,", len(a.compact), "quantized")
	for _, tape := range [][]*recording{a.stars, a.leaves} {
		for i := 0; i < len(tape); i += step {
			play(t, tape[i], m)
		}
	}
	for i := range 4 {
		answers := map[solver.Status]bool{}
		for _, p := range []*solver.Problem{a.compact[i], a.levels[i]} {
			if first := finished(t, p, time.Second); first != nil {
				answers[first.Status] = true
			}
		}
		require.LessOrEqual(t, len(answers), 1, "the encodings differ")
	}
}

// BenchmarkRecordedStars is approx-star's ranges, BenchmarkRecordedLeaves the linear
// programs of bab's leaves.
func BenchmarkRecordedStars(b *testing.B) {
	recorded(b, func(a *asked) []*recording { return a.stars })
}

func BenchmarkRecordedLeaves(b *testing.B) {
	recorded(b, func(a *asked) []*recording { return a.leaves })
}

func recorded(b *testing.B, of func(*asked) []*recording) {
	a, err := ask()
	require.NoError(b, err)
	m := newMedians("first", "next")
	for b.Loop() {
		for _, rec := range of(a) {
			play(b, rec, m)
		}
	}
	m.report(b)
}

// BenchmarkRecordedQuantized is whether the quantized network's class can change.
func BenchmarkRecordedQuantized(b *testing.B) {
	a, err := ask()
	require.NoError(b, err)
	b.Run("compact", func(b *testing.B) { integers(b, a.compact) })
	b.Run("levels", func(b *testing.B) { integers(b, a.levels) })
}
