package solver

import (
	"errors"
	"fmt"
	"math"
)

// What can be wrong with a problem. Test with errors.Is; errors.As with *Error
// tells where.
var (
	ErrNaN            = errors.New("not a number")
	ErrInfinite       = errors.New("infinite where it may not be")
	ErrReversedBounds = errors.New("lower bound above upper bound")
	ErrDuplicate      = errors.New("variable occurs twice in a row")
	ErrIndex          = errors.New("no such variable or row")
	ErrLength         = errors.New("lengths differ")
	ErrSense          = errors.New("not a sense")
)

// Error reports a malformed problem.
type Error struct {
	Field  string // which part, as Variables[3].Lower or Rows[1].Columns[4]
	Detail string // the offending value
	Err    error  // one of the sentinels
}

// Error names the part, what is wrong with it and its value.
func (e *Error) Error() string {
	return "solver: " + e.Field + ": " + e.Err.Error() + ": " + e.Detail
}

// Unwrap is the sentinel.
func (e *Error) Unwrap() error { return e.Err }

// UnsupportedError reports something a solver cannot do.
type UnsupportedError struct {
	Solver  string // the package
	Feature string // what it lacks
}

// Error names the solver and what it lacks.
func (e *UnsupportedError) Error() string {
	return "solver: " + e.Solver + " does not support " + e.Feature
}

// Validate returns an *Error for the first thing that is malformed: a number
// that is NaN, an infinite coefficient, reversed bounds, a variable that occurs
// twice in a row or does not exist.
func (p *Problem) Validate() error {
	if p.Sense != Minimize && p.Sense != Maximize {
		return &Error{"Sense", fmt.Sprint(int(p.Sense)), ErrSense}
	}
	if err := finite("Offset", p.Offset); err != nil {
		return err
	}
	for j := range p.Variables {
		v := &p.Variables[j]
		if err := checkBounds(v.Lower, v.Upper); err != nil {
			return within(err, "Variables", j)
		}
		if err := finite("Cost", v.Cost); err != nil {
			return within(err, "Variables", j)
		}
	}
	last := make([]int, len(p.Variables)) // 1 + the row that mentioned a variable last
	for i := range p.Rows {
		if err := p.Rows[i].check(last, i+1); err != nil {
			return within(err, "Rows", i)
		}
	}
	return nil
}

// Validate checks a row against a problem of the given number of variables.
func (r Row) Validate(variables int) error {
	return r.check(make([]int, variables), 1)
}

// check uses last, the mark of the row that mentioned each variable last.
func (r Row) check(last []int, mark int) error {
	if err := checkBounds(r.Lower, r.Upper); err != nil {
		return err
	}
	if len(r.Columns) != len(r.Values) {
		return &Error{"Values", fmt.Sprintf("%d values of %d columns", len(r.Values), len(r.Columns)), ErrLength}
	}
	for k, j := range r.Columns {
		if j < 0 || j >= len(last) {
			return &Error{fmt.Sprintf("Columns[%d]", k), fmt.Sprintf("%d of %d variables", j, len(last)), ErrIndex}
		}
		if last[j] == mark {
			return &Error{fmt.Sprintf("Columns[%d]", k), fmt.Sprintf("variable %d", j), ErrDuplicate}
		}
		last[j] = mark
		if v := r.Values[k]; math.IsNaN(v) || math.IsInf(v, 0) {
			return finite(fmt.Sprintf("Values[%d]", k), v)
		}
	}
	return nil
}

// checkBounds returns an *Error unless lower ≤ upper, lower < +Inf and
// upper > −Inf.
func checkBounds(lower, upper float64) error {
	switch {
	case math.IsNaN(lower):
		return &Error{"Lower", "NaN", ErrNaN}
	case math.IsNaN(upper):
		return &Error{"Upper", "NaN", ErrNaN}
	case math.IsInf(lower, 1):
		return &Error{"Lower", "+Inf", ErrInfinite}
	case math.IsInf(upper, -1):
		return &Error{"Upper", "-Inf", ErrInfinite}
	case lower > upper:
		return &Error{"Lower", fmt.Sprintf("%g > %g", lower, upper), ErrReversedBounds}
	}
	return nil
}

func finite(field string, v float64) error {
	switch {
	case math.IsNaN(v):
		return &Error{field, "NaN", ErrNaN}
	case math.IsInf(v, 0):
		return &Error{field, fmt.Sprint(v), ErrInfinite}
	}
	return nil
}

// within puts the list and index in front of an error's field.
func within(err error, list string, index int) error {
	var e *Error
	if errors.As(err, &e) {
		e.Field = fmt.Sprintf("%s[%d].%s", list, index, e.Field)
	}
	return err
}
