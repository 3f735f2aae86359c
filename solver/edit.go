package solver

// Edits of a problem that check what they are given: what the methods of a Session do
// to the problem that it holds. An edit that returns an *Error has changed nothing.

import (
	"fmt"
	"math"
	"slices"
)

// SetVariableBounds changes the bounds of variable j.
func (p *Problem) SetVariableBounds(j int, lower, upper float64) error {
	if j < 0 || j >= len(p.Variables) {
		return &Error{"Variables", fmt.Sprint(j), ErrIndex}
	}
	if err := checkBounds(lower, upper); err != nil {
		return err
	}
	p.Variables[j].Lower, p.Variables[j].Upper = lower, upper
	return nil
}

// SetRowBounds changes the bounds of row i.
func (p *Problem) SetRowBounds(i int, lower, upper float64) error {
	if i < 0 || i >= len(p.Rows) {
		return &Error{"Rows", fmt.Sprint(i), ErrIndex}
	}
	if err := checkBounds(lower, upper); err != nil {
		return err
	}
	p.Rows[i].Lower, p.Rows[i].Upper = lower, upper
	return nil
}

// SetObjective changes the sense, the cost of every variable and the offset.
func (p *Problem) SetObjective(sense Sense, costs []float64, offset float64) error {
	if len(costs) != len(p.Variables) {
		return &Error{"Cost", fmt.Sprintf("%d costs of %d variables", len(costs), len(p.Variables)), ErrLength}
	}
	if sense != Minimize && sense != Maximize {
		return &Error{"Sense", fmt.Sprint(int(sense)), ErrSense}
	}
	if err := finite("Offset", offset); err != nil {
		return err
	}
	for j, c := range costs {
		if math.IsNaN(c) || math.IsInf(c, 0) {
			return within(finite("Cost", c), "Variables", j)
		}
	}
	p.Sense, p.Offset = sense, offset
	for j, c := range costs {
		p.Variables[j].Cost = c
	}
	return nil
}

// AppendColumn appends v with the entry values[k] in row rows[k]. An *Error has changed
// nothing. It does not keep the slices.
func (p *Problem) AppendColumn(v Variable, rows []int, values []float64) error {
	if err := checkBounds(v.Lower, v.Upper); err != nil {
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
		r.Columns, r.Values = append(slices.Clip(r.Columns), len(p.Variables)), append(slices.Clip(r.Values), values[k])
	}
	p.Variables = append(p.Variables, v)
	return nil
}

// DropRows removes the rows of these indices, each given once; those behind move up. It
// says, by old index, which went. An *Error has changed nothing.
func (p *Problem) DropRows(indices ...int) ([]bool, error) {
	drop := make([]bool, len(p.Rows))
	for _, i := range indices {
		if i < 0 || i >= len(drop) {
			return nil, &Error{"Rows", fmt.Sprint(i), ErrIndex}
		}
		if drop[i] {
			return nil, &Error{"Rows", fmt.Sprint(i), ErrDuplicate}
		}
		drop[i] = true
	}
	if len(indices) == 0 {
		return drop, nil
	}
	kept := make([]Row, 0, len(drop)-len(indices))
	for i, r := range p.Rows {
		if !drop[i] {
			kept = append(kept, r)
		}
	}
	p.Rows = kept
	return drop, nil
}
