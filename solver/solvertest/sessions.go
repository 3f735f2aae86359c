package solvertest

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/vouchnn/vouch/solver"
)

// sessions re-solve warm what a fresh solver solves cold.
func sessions(t *testing.T, fresh func() solver.Solver) {
	t.Helper()
	if _, ok := fresh().(solver.Incremental); !ok {
		t.Skip("not solver.Incremental")
	}
	rng := rand.New(rand.NewPCG(5, 5))
	for k, c := range Generated(4, 12) {
		w := walk{t: t, name: c.Name, rng: rng, cold: fresh()}
		w.p = c.Problem.Clone()
		session, err := fresh().(solver.Incremental).Open(c.Problem, solver.Options{Rays: true})
		if err != nil {
			t.Fatal(err)
		}
		w.session = session
		for range 8 + k%20 {
			w.compare()
			w.change()
		}
		w.compare()
		if err := session.Close(); err != nil {
			t.Error(err)
		}
		if err := session.Close(); err != nil {
			t.Error(err)
		}
	}
	sessionErrors(t, fresh())
}

// walk is a session, and the problem that it should be at.
type walk struct {
	t       *testing.T
	name    string
	rng     *rand.Rand
	p       *solver.Problem
	session solver.Session
	cold    solver.Solver
	last    string // what was changed last
}

// compare solves warm and cold.
func (w *walk) compare() {
	w.t.Helper()
	warm, err := w.session.Solve(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	cold, err := w.cold.Solve(context.Background(), w.p, solver.Options{Rays: true})
	if err != nil {
		w.t.Fatal(err)
	}
	if warm.Status != cold.Status {
		w.t.Fatalf("%s, after %s: warm %v, cold %v\n%s", w.name, w.last, warm.Status, cold.Status, describe(w.p))
	}
	if warm.FarkasRay != nil && !solver.SafeInfeasible(w.p, warm.FarkasRay) {
		w.t.Errorf("%s, after %s: the ray proves nothing", w.name, w.last)
	}
	if warm.Status != solver.Optimal {
		return
	}
	scale := 1.0
	for j, v := range w.p.Variables {
		scale += math.Abs(v.Cost * cold.X[j])
	}
	if !(math.Abs(warm.Objective-cold.Objective) <= 1e-7*scale) {
		w.t.Errorf("%s, after %s: warm %.12g, cold %.12g", w.name, w.last, warm.Objective, cold.Objective)
	}
	for _, v := range optimal(w.p, warm, scale) {
		w.t.Errorf("%s, after %s: %s", w.name, w.last, v)
	}
}

// change does the same to the session and to the problem.
func (w *walk) change() {
	w.t.Helper()
	var err error
	n, m := len(w.p.Variables), len(w.p.Rows)
	kinds := 6
	extensible, canExtend := w.session.(solver.Extensible)
	if canExtend {
		kinds++
	}
	switch k := w.rng.IntN(kinds); {
	case k <= 1:
		w.last = "a variable's bounds"
		v := &w.p.Variables[w.rng.IntN(n)]
		v.Lower, v.Upper = move(w.rng, v.Lower, v.Upper)
		for j := range w.p.Variables {
			if v == &w.p.Variables[j] {
				err = w.session.SetVariableBounds(j, v.Lower, v.Upper)
			}
		}
	case k == 2 && m > 0:
		w.last = "a row's bounds"
		i := w.rng.IntN(m)
		r := &w.p.Rows[i]
		r.Lower, r.Upper = move(w.rng, r.Lower, r.Upper)
		err = w.session.SetRowBounds(i, r.Lower, r.Upper)
	case k == 3:
		w.last = "the objective"
		costs := make([]float64, n)
		for j := range costs {
			costs[j] = w.rng.NormFloat64()
			w.p.Variables[j].Cost = costs[j]
		}
		w.p.Sense, w.p.Offset = solver.Sense(w.rng.IntN(2)), w.rng.NormFloat64()
		err = w.session.SetObjective(w.p.Sense, costs, w.p.Offset)
	case k == 4 && m > 0:
		w.last = "rows removed"
		i := w.rng.IntN(m)
		indices := []int{i}
		w.p.Rows = append(w.p.Rows[:i:i], w.p.Rows[i+1:]...)
		if i > 0 && w.rng.IntN(2) == 0 {
			indices = append(indices, 0)
			w.p.Rows = w.p.Rows[1:]
		}
		err = w.session.RemoveRows(indices...)
	case k == 6:
		w.last = "a new variable"
		v, rows, values := column(w.rng, m)
		if err = w.p.AppendColumn(v, rows, values); err == nil {
			err = extensible.AddVariable(v, rows, values)
		}
	default:
		w.last = "a new row"
		matrix(w.rng, w.p, styles[0], 1)
		r := &w.p.Rows[len(w.p.Rows)-1]
		r.Lower, r.Upper = move(w.rng, r.Lower, r.Upper)
		err = w.session.AddRow(*r)
	}
	if err != nil {
		w.t.Fatalf("%s, %s: %v", w.name, w.last, err)
	}
}

// column is a new variable and its entries in some of m rows.
func column(rng *rand.Rand, m int) (v solver.Variable, rows []int, values []float64) {
	v = solver.Variable{Lower: -1, Upper: float64(rng.IntN(4)), Cost: rng.NormFloat64()}
	if rng.IntN(8) == 0 {
		v.Lower = math.Inf(-1)
	}
	for i := range m {
		if rng.IntN(3) == 0 {
			rows, values = append(rows, i), append(values, rng.NormFloat64())
		}
	}
	return v, rows, values
}

// move changes an interval: tighter, wider, elsewhere, half open.
func move(rng *rand.Rand, lower, upper float64) (float64, float64) {
	if math.IsInf(lower, 0) || math.IsInf(upper, 0) {
		a, b := math.Round(8*rng.NormFloat64())/4, math.Round(8*rng.Float64())/4
		return a, a + b
	}
	switch rng.IntN(4) {
	case 0:
		return lower, lower
	case 1:
		return math.Inf(-1), upper
	case 2:
		return lower, math.Inf(1)
	}
	return lower - 1, upper + 0.5
}

// sessionErrors leave the session as it was.
func sessionErrors(t *testing.T, s solver.Solver) {
	t.Helper()
	session, err := s.(solver.Incremental).Open(Bounded(9, 6, 5), solver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	before, err := session.Solve(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		want error
		err  error
	}{
		{"variable", solver.ErrIndex, session.SetVariableBounds(5, 0, 1)},
		{"reversed", solver.ErrReversedBounds, session.SetVariableBounds(0, 1, 0)},
		{"row", solver.ErrIndex, session.SetRowBounds(-1, 0, 1)},
		{"row NaN", solver.ErrNaN, session.SetRowBounds(0, math.NaN(), 1)},
		{"costs", solver.ErrLength, session.SetObjective(solver.Minimize, []float64{1}, 0)},
		{"cost", solver.ErrInfinite, session.SetObjective(solver.Minimize, []float64{1, 2, math.Inf(1), 0, 0}, 0)},
		{"new row", solver.ErrDuplicate, session.AddRow(solver.Row{Columns: []int{1, 1}, Values: []float64{1, 2}})},
		{"removed", solver.ErrIndex, session.RemoveRows(0, 6)},
		{"removed twice", solver.ErrDuplicate, session.RemoveRows(0, 0)},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v", c.name, c.err)
		}
	}
	if x, ok := session.(solver.Extensible); ok {
		extensionErrors(t, x)
	}
	after, err := session.Solve(context.Background())
	if err != nil || after.Objective != before.Objective || len(session.Problem().Rows) != 6 {
		t.Errorf("an error changed the session: %v", err)
	}
}

// extensionErrors leave the session, of six rows, as it was, too.
func extensionErrors(t *testing.T, x solver.Extensible) {
	t.Helper()
	before := x.Problem().Clone()
	for _, c := range []struct {
		want   error
		v      solver.Variable
		rows   []int
		values []float64
	}{
		{solver.ErrReversedBounds, solver.Variable{Lower: 1}, nil, nil},
		{solver.ErrNaN, solver.Variable{Cost: math.NaN()}, nil, nil},
		{solver.ErrLength, solver.Variable{}, []int{1}, nil},
		{solver.ErrIndex, solver.Variable{}, []int{0, 6}, []float64{1, 1}},
		{solver.ErrDuplicate, solver.Variable{}, []int{2, 2}, []float64{1, 1}},
		{solver.ErrInfinite, solver.Variable{}, []int{0, 2}, []float64{1, math.Inf(1)}},
	} {
		if err := x.AddVariable(c.v, c.rows, c.values); !errors.Is(err, c.want) {
			t.Errorf("new variable: %v, not %v", err, c.want)
		}
	}
	if !reflect.DeepEqual(before, x.Problem()) {
		t.Error("an error changed the problem")
	}
}
