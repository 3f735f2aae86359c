package solver

import (
	"fmt"
	"math"
	"slices"
)

// Sense says whether the objective is minimised or maximised.
type Sense int

// The senses.
const (
	Minimize Sense = iota
	Maximize
)

// String is min or max.
func (s Sense) String() string {
	if s == Maximize {
		return "max"
	}
	return "min"
}

// Variable is a column of a problem. Bounds may be infinite.
type Variable struct {
	Lower, Upper float64
	Cost         float64 // coefficient in the objective
	Integer      bool
	Name         string // optional; used by the writers and in errors
}

// Row is a linear constraint Lower ≤ Σ Values[k]·x[Columns[k]] ≤ Upper. Either
// bound may be infinite; equal bounds make an equation.
type Row struct {
	Lower, Upper float64
	Columns      []int // indices into Problem.Variables, each at most once
	Values       []float64
	Name         string // optional
}

// Problem is a linear or mixed-integer program
//
//	min or max  Σ Cost[j]·x[j] + Offset
//	subject to  every Row, every Variable's bounds and integrality.
//
// The zero value is the empty problem. Fields may be filled in directly or by the
// methods below; Validate tells whether the result is well formed. A Problem is
// not safe for concurrent change; solvers read it only.
type Problem struct {
	Name      string
	Variables []Variable
	Rows      []Row
	Sense     Sense
	Offset    float64
}

// AddVariable appends a continuous variable and returns its index.
func (p *Problem) AddVariable(lower, upper, cost float64) int {
	p.Variables = append(p.Variables, Variable{Lower: lower, Upper: upper, Cost: cost})
	return len(p.Variables) - 1
}

// AddInteger appends an integer variable and returns its index.
func (p *Problem) AddInteger(lower, upper, cost float64) int {
	j := p.AddVariable(lower, upper, cost)
	p.Variables[j].Integer = true
	return j
}

// AppendColumn appends v with the entry values[k] in row rows[k]. An *Error has changed
// nothing. It does not keep the slices.
func (p *Problem) AppendColumn(v Variable, rows []int, values []float64) error {
	if err := CheckBounds(v.Lower, v.Upper); err != nil {
		return err
	}
	if err := finite("Cost", v.Cost); err != nil {
		return err
	}
	mentioned := make([]bool, len(p.Rows))
	if len(rows) != len(values) {
		return &Error{"Values", fmt.Sprintf("%d values of %d rows", len(values), len(rows)), ErrLength}
	}
	for k, i := range rows {
		field := fmt.Sprintf("Rows[%d]", k)
		if i < 0 || i >= len(mentioned) {
			return &Error{field, fmt.Sprintf("%d of %d rows", i, len(mentioned)), ErrIndex}
		}
		if mentioned[i] {
			return &Error{field, fmt.Sprintf("row %d", i), ErrDuplicate}
		}
		mentioned[i] = true
		if err := finite(fmt.Sprintf("Values[%d]", k), values[k]); err != nil {
			return err
		}
	}
	for k, i := range rows {
		r := &p.Rows[i]
		r.Columns, r.Values = append(r.Columns, len(p.Variables)), append(r.Values, values[k])
	}
	p.Variables = append(p.Variables, v)
	return nil
}

// AddRow appends lower ≤ Σ values[k]·x[columns[k]] ≤ upper and returns its
// index. It keeps the slices.
func (p *Problem) AddRow(lower, upper float64, columns []int, values []float64) int {
	p.Rows = append(p.Rows, Row{Lower: lower, Upper: upper, Columns: columns, Values: values})
	return len(p.Rows) - 1
}

// AddLessEqual appends Σ values[k]·x[columns[k]] ≤ upper.
func (p *Problem) AddLessEqual(upper float64, columns []int, values []float64) int {
	return p.AddRow(math.Inf(-1), upper, columns, values)
}

// AddGreaterEqual appends Σ values[k]·x[columns[k]] ≥ lower.
func (p *Problem) AddGreaterEqual(lower float64, columns []int, values []float64) int {
	return p.AddRow(lower, math.Inf(1), columns, values)
}

// AddEqual appends Σ values[k]·x[columns[k]] = value.
func (p *Problem) AddEqual(value float64, columns []int, values []float64) int {
	return p.AddRow(value, value, columns, values)
}

// Clone is a copy that shares nothing with p.
func (p *Problem) Clone() *Problem {
	q := *p
	q.Variables = slices.Clone(p.Variables)
	q.Rows = slices.Clone(p.Rows)
	for i := range q.Rows {
		q.Rows[i] = q.Rows[i].Clone()
	}
	return &q
}

// Clone is a copy that shares nothing with r.
func (r Row) Clone() Row {
	r.Columns, r.Values = slices.Clone(r.Columns), slices.Clone(r.Values)
	return r
}

// Activity is Σ Values[k]·x[Columns[k]], rounded as floating point rounds.
func (r Row) Activity(x []float64) float64 {
	s := 0.0
	for k, j := range r.Columns {
		s += r.Values[k] * x[j]
	}
	return s
}

// Value is the objective at x, with the offset.
func (p *Problem) Value(x []float64) float64 {
	s := p.Offset
	for j := range p.Variables {
		if c := p.Variables[j].Cost; c != 0 {
			s += c * x[j]
		}
	}
	return s
}

// HasIntegers reports whether a variable is integer.
func (p *Problem) HasIntegers() bool {
	return slices.ContainsFunc(p.Variables, func(v Variable) bool { return v.Integer })
}
