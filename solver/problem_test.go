package solver

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func valid() *Problem {
	p := &Problem{Offset: 1}
	x := p.AddVariable(0, 4, 2)
	y := p.AddInteger(math.Inf(-1), math.Inf(1), -1)
	p.AddRow(-1, 5, []int{x, y}, []float64{1, 2})
	p.AddEqual(1, []int{y}, []float64{1})
	return p
}

func TestValidateNamesWhatIsWrong(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	require.NoError(t, valid().Validate())
	require.NoError(t, (&Problem{}).Validate())
	for _, c := range []struct {
		change func(p *Problem)
		want   error
		field  string
	}{
		{func(p *Problem) { p.Variables[0].Lower = nan }, ErrNaN, "Variables[0].Lower"},
		{func(p *Problem) { p.Variables[1].Upper = nan }, ErrNaN, "Variables[1].Upper"},
		{func(p *Problem) { p.Variables[0].Lower = 5 }, ErrReversedBounds, "Variables[0].Lower"},
		{func(p *Problem) { p.Variables[0].Lower, p.Variables[0].Upper = inf, inf }, ErrInfinite, "Variables[0].Lower"},
		{func(p *Problem) { p.Variables[1].Upper = -inf }, ErrInfinite, "Variables[1].Upper"},
		{func(p *Problem) { p.Variables[1].Cost = inf }, ErrInfinite, "Variables[1].Cost"},
		{func(p *Problem) { p.Variables[1].Cost = nan }, ErrNaN, "Variables[1].Cost"},
		{func(p *Problem) { p.Offset = nan }, ErrNaN, "Offset"},
		{func(p *Problem) { p.Sense = 2 }, ErrSense, "Sense"},
		{func(p *Problem) { p.Rows[0].Lower = 6 }, ErrReversedBounds, "Rows[0].Lower"},
		{func(p *Problem) { p.Rows[1].Upper = nan }, ErrNaN, "Rows[1].Upper"},
		{func(p *Problem) { p.Rows[0].Values[1] = nan }, ErrNaN, "Rows[0].Values[1]"},
		{func(p *Problem) { p.Rows[0].Values[0] = -inf }, ErrInfinite, "Rows[0].Values[0]"},
		{func(p *Problem) { p.Rows[0].Columns[1] = 0 }, ErrDuplicate, "Rows[0].Columns[1]"},
		{func(p *Problem) { p.Rows[0].Columns[1] = 2 }, ErrIndex, "Rows[0].Columns[1]"},
		{func(p *Problem) { p.Rows[1].Columns[0] = -1 }, ErrIndex, "Rows[1].Columns[0]"},
		{func(p *Problem) { p.Rows[0].Values = []float64{1} }, ErrLength, "Rows[0].Values"},
	} {
		p := valid()
		c.change(p)
		err := p.Validate()
		require.ErrorIs(t, err, c.want)
		var e *Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, c.field, e.Field)
		require.NotEmpty(t, e.Error())
	}
}

func TestOptionsValidate(t *testing.T) {
	require.NoError(t, new(Options).Validate())
	for _, o := range []Options{
		{FeasibilityTolerance: -1},
		{OptimalityTolerance: math.NaN()},
		{IntegralityTolerance: 0.5},
		{RelativeGap: 2},
		{MaxIterations: -1},
		{MaxNodes: -1},
		{MaxMemory: -1},
		{TimeLimit: -time.Second},
	} {
		require.Error(t, o.Validate(), "%+v", o)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	p := valid()
	q := p.Clone()
	q.Variables[0].Cost, q.Rows[0].Values[0], q.Rows[0].Columns[0] = 9, 9, 9
	require.Equal(t, valid(), p)
	require.True(t, p.HasIntegers())
	require.Equal(t, 1+2*3.0-1*2, p.Value([]float64{3, 2}))
	require.Equal(t, 7.0, p.Rows[0].Activity([]float64{3, 2}))
}

func TestZeroValuesClaimNothing(t *testing.T) {
	var s Solution
	require.Equal(t, Unknown, s.Status)
	require.Equal(t, "unknown", s.Status.String())
	names := map[string]bool{}
	for st := Unknown; st <= Numerical; st++ {
		names[st.String()] = true
	}
	require.Len(t, names, 6)
	require.Equal(t, math.Inf(-1), Minimize.Worst())
	require.Equal(t, math.Inf(1), Maximize.Worst())
}

// Rows that go leave the others in order; a new column keeps its hands off arrays that
// belong to others.
func TestDropRowsAndAppendColumn(t *testing.T) {
	columns, values := []int{0, 0, 0}, []float64{1, 2, 3}
	p := &Problem{}
	p.AddVariable(0, 1, 1)
	for i := range columns {
		p.AddLessEqual(float64(i), columns[i:i+1], values[i:i+1])
	}
	require.NoError(t, p.AppendColumn(Variable{Upper: 1}, []int{0}, []float64{9}))
	require.Equal(t, []float64{1, 2, 3}, values)
	require.Equal(t, []float64{1, 9}, p.Rows[0].Values)

	for _, bad := range [][]int{{3}, {-1}, {1, 1}} {
		_, err := p.DropRows(bad...)
		var e *Error
		require.ErrorAs(t, err, &e)
		require.Len(t, p.Rows, 3)
	}
	gone, err := p.DropRows(1)
	require.NoError(t, err)
	require.Equal(t, []bool{false, true, false}, gone)
	require.Equal(t, []float64{0, 2}, []float64{p.Rows[0].Upper, p.Rows[1].Upper})
	gone, err = p.DropRows()
	require.NoError(t, err)
	require.Equal(t, []bool{false, false}, gone)
}

// An edit that is refused changes nothing; one that is not gives a problem that is valid.
func TestEdits(t *testing.T) {
	p := &Problem{}
	p.AddVariable(0, 1, 1)
	p.AddVariable(0, 2, 3)
	p.AddLessEqual(1, []int{0, 1}, []float64{1, 1})
	before := p.Clone()
	nan, inf := math.NaN(), math.Inf(1)
	for name, err := range map[string]error{
		"variable":        p.SetVariableBounds(2, 0, 1),
		"negative":        p.SetVariableBounds(-1, 0, 1),
		"reversed":        p.SetVariableBounds(0, 1, 0),
		"row":             p.SetRowBounds(1, 0, 1),
		"row NaN":         p.SetRowBounds(0, nan, 1),
		"too few costs":   p.SetObjective(Minimize, []float64{1}, 0),
		"a cost is NaN":   p.SetObjective(Minimize, []float64{1, nan}, 0),
		"infinite offset": p.SetObjective(Minimize, []float64{1, 2}, inf),
		"sense":           p.SetObjective(Sense(7), []float64{1, 2}, 0),
	} {
		var e *Error
		require.ErrorAs(t, err, &e, name)
	}
	require.Equal(t, before, p)

	require.NoError(t, p.SetVariableBounds(1, -inf, 5))
	require.NoError(t, p.SetRowBounds(0, 2, 2))
	require.NoError(t, p.SetObjective(Maximize, []float64{7, 8}, -1))
	require.NoError(t, p.Validate())
	require.Equal(t, Variable{Lower: -inf, Upper: 5, Cost: 8}, p.Variables[1])
	require.Equal(t, 2.0, p.Rows[0].Lower)
	require.Equal(t, Problem{Sense: Maximize, Offset: -1, Variables: []Variable{{Upper: 1, Cost: 7}, p.Variables[1]}, Rows: p.Rows}, *p)
}
