package spec

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func unitBox(n int) Box {
	b := Box{Lower: make([]float64, n), Upper: make([]float64, n)}
	for i := range b.Upper {
		b.Upper[i] = 1
	}
	return b
}

func TestRobustness(t *testing.T) {
	p := Robustness(unitBox(2), 1, 3)
	require.NoError(t, p.Validate())
	assert.Equal(t, 2, p.Inputs)
	require.Len(t, p.Cases, 1)
	require.Len(t, p.Cases[0].Unsafe, 2)
	x := []float64{0.5, 0.5}
	for _, c := range []struct {
		y    []float64
		conj int
		ok   bool
	}{
		{[]float64{0, 1, 0.5}, 0, false},
		{[]float64{2, 1, 0}, 0, true},
		{[]float64{0, 1, 2}, 1, true},
		{[]float64{0, 1, 1}, 1, true}, // a tie is unsafe
		{[]float64{math.NaN(), 1, 0}, 0, false},
	} {
		i, j, ok := p.Check(x, c.y)
		assert.Equal(t, c.ok, ok, c.y)
		assert.Equal(t, []int{0, c.conj}, []int{i, j}, c.y)
	}
	assert.NoError(t, Robustness(unitBox(2), 0, 1).Validate(), "one class: nothing to lose to")
	assert.Error(t, Robustness(unitBox(2), 3, 3).Validate())
	assert.Error(t, Robustness(unitBox(2), -1, 3).Validate())
	assert.Error(t, Robustness(nil, 0, 3).Validate())
}

func TestTargeted(t *testing.T) {
	p := Targeted(unitBox(1), 0, 2, 3)
	require.NoError(t, p.Validate())
	_, _, ok := p.Check([]float64{0}, []float64{1, 5, 0})
	assert.False(t, ok, "output 1 is not the target")
	_, _, ok = p.Check([]float64{0}, []float64{1, 5, 1})
	assert.True(t, ok)
	assert.ErrorContains(t, Targeted(unitBox(1), 0, 0, 3).Validate(), "twice")
	assert.Error(t, Targeted(unitBox(1), 0, 3, 3).Validate())
}

func TestOutputBox(t *testing.T) {
	inf := math.Inf(1)
	p := OutputBox(unitBox(1), []float64{-1, -inf}, []float64{2, 3})
	require.NoError(t, p.Validate())
	require.Len(t, p.Cases[0].Unsafe, 3)
	for _, c := range []struct {
		y  []float64
		ok bool
	}{{[]float64{0, -1e9}, false}, {[]float64{-1, 0}, true}, {[]float64{0, 3}, true}, {[]float64{2, 0}, true}} {
		_, _, ok := p.Check([]float64{0}, c.y)
		assert.Equal(t, c.ok, ok, c.y)
	}
	assert.Panics(t, func() { OutputBox(unitBox(1), []float64{0}, nil) })
}

func TestValidateNamesThePlace(t *testing.T) {
	term := func(i int, c float64) []Term { return []Term{{i, c}} }
	one := func(q Inequality) Property {
		return Property{Inputs: 2, Outputs: 2, Cases: []Case{{Region: unitBox(2), Unsafe: []Conjunction{{}, {{}, q}}}}}
	}
	nan := math.NaN()
	for _, c := range []struct {
		p    Property
		want string
	}{
		{Property{}, "0 inputs"},
		{Property{Inputs: 1, Outputs: 1}, "no cases"},
		{Property{Inputs: 1, Outputs: 1, Cases: []Case{{}}}, "case 0: has no region"},
		{Property{Inputs: 1, Outputs: 1, Cases: []Case{{Region: (*Ball)(nil)}}}, "case 0: has no region"},
		{Property{Inputs: 1, Outputs: 1, Cases: []Case{{Region: (*Box)(nil)}}}, "case 0: has no region"},
		{Property{Inputs: 1, Outputs: 1, Cases: []Case{{Region: &Ball{Center: []float64{0}}}}}, "NewBall"},
		{Property{Inputs: 1, Outputs: 1, Cases: []Case{{Region: unitBox(2)}}}, "2 dimensions"},
		{Property{Inputs: 1, Outputs: 1, Cases: []Case{{Region: Box{Lower: []float64{nan}, Upper: []float64{0}}}}}, "case 0"},
		{one(Inequality{Input: term(2, 1)}), "conjunction 1, inequality 1: speaks of input 2 of 2"},
		{one(Inequality{Output: term(-1, 1)}), "output -1"},
		{one(Inequality{Output: term(0, nan)}), "coefficient NaN"},
		{one(Inequality{Bound: math.Inf(1)}), "bound +Inf"},
		{one(Inequality{Output: []Term{{1, 1}, {0, 1}, {1, 2}}}), "output 1 twice"},
	} {
		err := c.p.Validate()
		var e *Error
		require.ErrorAs(t, err, &e, c.want)
		assert.Contains(t, err.Error(), c.want)
	}
	assert.NoError(t, one(Inequality{Output: []Term{{1, 1}, {0, 1}}}).Validate())
	b := unitBox(2)
	p := Property{Inputs: 2, Outputs: 1, Cases: []Case{{Region: &b}}}
	assert.NoError(t, p.Validate(), "a case without Unsafe holds trivially")
	assert.NotContains(t, errorf("a", "b").Error(), "\n")
}
