package qnn

import (
	"fmt"
	"math"
	"math/big"

	"github.com/vouchnn/vouch/spec"
)

// Regions and properties as linear constraints (encode.go has the neurons).
//
//	L∞   bounds of the inputs alone
//	L1   −d_i ≤ x_i − u_i ≤ d_i,  Σ d_i ≤ r
//	L0   (lo − u_i)·b_i ≤ x_i − u_i ≤ (hi − u_i)·b_i,  Σ b_i ≤ r
//	L2   x_i = Σ_s s·b_is,  Σ_s b_is = 1,  Σ_is (s − u_i)²·b_is ≤ ⌊r²⌋
//
// Zhang et al. 2022, section 3.3, has the first two and L0 by three intervals;
// the one Boolean here may be 1 without a change, which does no harm. L2 stays
// linear at the price of a Boolean for each value an input may take.

// region adds the inputs.
func (e *encoder) region(r spec.Region, reg *region) error {
	ball, isBall := r.(*spec.Ball)
	if _, isBox := r.(spec.Box); !isBall && !isBox {
		return errorf("region", "%T has no linear form", r)
	}
	for i := range reg.low {
		x := e.p.AddInteger(reg.low[i], reg.high[i], 0)
		e.p.Variables[x].Name = fmt.Sprintf("x%d", i)
		e.vars = append(e.vars, quantity{index: x, low: int64(reg.low[i]), high: int64(reg.high[i])})
	}
	if !isBall || ball.Norm == spec.LInf {
		return nil
	}
	for i, u := range ball.Center {
		if u != math.Trunc(u) {
			return errorf("region", "coordinate %d of the centre, %v, is not an integer", i, u)
		}
	}
	switch ball.Norm {
	case spec.L1:
		e.ballL1(ball)
	case spec.L0:
		e.ballL0(ball, reg)
	default:
		e.ballL2(ball, reg)
	}
	return nil
}

func (e *encoder) ballL1(b *spec.Ball) {
	var columns []int
	var ones []float64
	for i, u := range b.Center {
		x := e.vars[i].index
		d := e.p.AddInteger(0, math.Floor(b.Radius), 0)
		e.p.Variables[d].Name = fmt.Sprintf("d%d", i)
		e.p.AddLessEqual(u, []int{x, d}, []float64{1, -1})
		e.p.AddGreaterEqual(u, []int{x, d}, []float64{1, 1})
		columns, ones = append(columns, d), append(ones, 1)
	}
	e.p.AddLessEqual(math.Floor(b.Radius), columns, ones)
}

func (e *encoder) ballL0(b *spec.Ball, reg *region) {
	var columns []int
	var ones []float64
	for i, u := range b.Center {
		x := e.vars[i].index
		c := e.boolean(fmt.Sprintf("b%d", i))
		e.p.AddLessEqual(u, []int{x, c}, []float64{1, u - reg.high[i]})
		e.p.AddGreaterEqual(u, []int{x, c}, []float64{1, u - reg.low[i]})
		columns, ones = append(columns, c), append(ones, 1)
	}
	e.p.AddLessEqual(b.Radius, columns, ones)
}

func (e *encoder) ballL2(b *spec.Ball, reg *region) {
	var all []int
	var squares []float64
	for i, u := range b.Center {
		x := e.vars[i].index
		var columns []int
		var values, ones []float64
		for s := reg.low[i]; s <= reg.high[i]; s++ {
			c := e.boolean(fmt.Sprintf("b%d_%d", i, int64(s-reg.low[i])))
			columns, values, ones = append(columns, c), append(values, s), append(ones, 1)
			if s != u {
				all, squares = append(all, c), append(squares, (s-u)*(s-u))
			}
		}
		e.p.AddEqual(1, columns, ones)
		e.p.AddEqual(0, append([]int{x}, columns...), append([]float64{-1}, values...))
	}
	r := new(big.Rat).SetFloat64(b.Radius)
	r.Mul(r, r)
	square, _ := new(big.Float).SetInt(new(big.Int).Quo(r.Num(), r.Denom())).Float64()
	e.p.AddLessEqual(square, all, squares)
}

// unsafe adds that one of the conjunctions holds.
func (e *encoder) unsafe(inputs, outputs []quantity, list []spec.Conjunction) {
	if len(list) == 1 {
		for _, q := range list[0] {
			columns, values, bound, _ := e.row(inputs, outputs, q)
			e.p.AddLessEqual(bound, columns, values)
		}
		return
	}
	var chosen []int
	var ones []float64
	for k, c := range list {
		b := e.boolean(fmt.Sprintf("u%d", k))
		chosen, ones = append(chosen, b), append(ones, 1)
		for _, q := range c {
			columns, values, bound, top := e.row(inputs, outputs, q)
			m := max(0, top-bound) // b = 0 leaves the row free
			e.p.AddLessEqual(bound+m, append(columns, b), append(values, m))
		}
	}
	e.p.AddGreaterEqual(1, chosen, ones)
}

// row is an inequality over variables, with the greatest value of its left side.
func (e *encoder) row(inputs, outputs []quantity, q spec.Inequality) (columns []int, values []float64, bound, top float64) {
	bound = q.Bound
	add := func(v quantity, coef float64) {
		if v.index < 0 {
			bound -= coef * float64(v.low)
			return
		}
		columns, values = append(columns, v.index), append(values, coef)
		top += max(coef*float64(v.low), coef*float64(v.high))
	}
	for _, t := range q.Input {
		add(inputs[t.Index], t.Coef)
	}
	for _, t := range q.Output {
		add(outputs[t.Index], t.Coef)
	}
	return columns, values, bound, top
}
