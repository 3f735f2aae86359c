package vnnlib

import (
	"math"
	"math/big"
	"slices"

	"github.com/vouchnn/vouch/spec"
)

// Inequalities between linear expressions.
//
// Nearly every inequality of a real file compares a variable with a number or
// with another variable; those become atoms at once. Everything else is brought
// to Σ coefᵢ·vᵢ ≤ bound with variables in ascending order, inputs first, each
// once, and is rounded to float64 at the very end. What turns out to be a bound
// of one variable becomes an atom after all.

type relation uint8

const (
	relLess relation = iota
	relGreater
	relEqual
)

// inequality reads the operands of a relation and its closing parenthesis.
// More than two are a chain, as in SMT-LIB.
func (p *parser) inequality(dst *group, rel relation, depth int) error {
	defer p.releaseSums(p.sumsUsed)
	left, err := p.side(depth + 1)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		if p.peek() == tokClose {
			p.next()
			if n == 1 {
				return p.errorf("a relation with one operand")
			}
			return nil
		}
		right, err := p.side(depth + 1)
		if err != nil {
			return err
		}
		if rel != relGreater {
			err = p.relate(dst, left, right)
		}
		if err == nil && rel != relLess {
			err = p.relate(dst, right, left)
		}
		if err != nil {
			return err
		}
		left = right
	}
}

// relate appends left ≤ right to dst.
func (p *parser) relate(dst *group, left, right side) error {
	switch {
	case !finite(left.n.f) || !finite(right.n.f):
		// Only computed constants get here; the sum below might cancel them,
		// but no file means that.
		return p.errorf("a constant beyond the range of float64")
	case left.kind == sideVariable && right.kind == sideNumber:
		dst.atoms = append(dst.atoms, atom{kind: atomUpper, v: left.v, c: right.n.f + 0})
		return nil
	case left.kind == sideNumber && right.kind == sideVariable:
		dst.atoms = append(dst.atoms, atom{kind: atomLower, v: right.v, c: left.n.f + 0})
		return nil
	case left.kind == sideVariable && right.kind == sideVariable && left.v != right.v && left.v < 0 && right.v < 0:
		dst.atoms = append(dst.atoms, atom{kind: atomPair, v: left.v, c: float64(right.v)})
		return nil
	}
	defer p.releaseSums(p.sumsUsed)
	sum := p.takeSum()
	if err := p.addSide(sum, left, plainNumber(1)); err != nil {
		return err
	}
	if err := p.addSide(sum, right, plainNumber(-1)); err != nil {
		return err
	}
	if err := p.merge(sum); err != nil {
		return err
	}
	return p.general(dst, sum)
}

// merge sorts the terms, adds up those of one variable and drops zeros.
func (p *parser) merge(sum *linear) error {
	slices.SortStableFunc(sum.terms, func(a, b product) int {
		switch {
		case a.v.input() != b.v.input():
			if a.v.input() {
				return -1
			}
			return 1
		default:
			return a.v.index() - b.v.index()
		}
	})
	kept := sum.terms[:0]
	for _, t := range sum.terms {
		if n := len(kept); n > 0 && kept[n-1].v == t.v {
			c, err := kept[n-1].coef.add(t.coef)
			if err != nil {
				return p.unsupported("%v", err)
			}
			kept[n-1].coef = c
		} else {
			kept = append(kept, t)
		}
	}
	sum.terms = slices.DeleteFunc(kept, func(t product) bool { return t.coef.f == 0 })
	return nil
}

// general appends Σ terms + constant ≤ 0, in lowest terms, to dst.
func (p *parser) general(dst *group, sum *linear) error {
	bound := sum.constant.negated()
	if len(sum.terms) == 0 {
		if bound.sign() < 0 {
			dst.choices = append(dst.choices, &choice{}) // 0 ≤ bound is false
		}
		return nil
	}
	q := spec.Inequality{Bound: bound.f + 0}
	ok := finite(q.Bound)
	terms := p.terms.take(len(sum.terms))
	split := 0 // inputs come first
	for i, t := range sum.terms {
		ok = ok && finite(t.coef.f)
		terms[i] = spec.Term{Index: t.v.index(), Coef: t.coef.f}
		if t.v.input() {
			split = i + 1
		}
	}
	if !ok {
		return p.errorf("a constant beyond the range of float64")
	}
	if split > 0 {
		q.Input = terms[:split:split]
	}
	if split < len(terms) {
		q.Output = terms[split:]
	}
	if len(sum.terms) == 1 {
		v, a := sum.terms[0].v, sum.terms[0].coef.f
		if v.input() {
			bound, exact := divideBound(q.Bound, a)
			kind := atomUpper
			if a < 0 {
				kind = atomLower
			}
			dst.atoms = append(dst.atoms, atom{kind: kind, v: v, c: bound})
			if exact {
				return nil
			}
		} else if a == 1 || a == -1 {
			kind, c := atomUpper, q.Bound
			if a < 0 {
				kind, c = atomLower, -c+0
			}
			dst.atoms = append(dst.atoms, atom{kind: kind, v: v, c: c})
			return nil
		}
	}
	if n := len(q.Output); n == 2 && len(q.Input) == 0 && q.Bound == 0 && q.Output[0].Coef*q.Output[1].Coef == -1 &&
		math.Abs(q.Output[0].Coef) == 1 {
		i, j := q.Output[0].Index, q.Output[1].Index
		if q.Output[0].Coef < 0 {
			i, j = j, i
		}
		dst.atoms = append(dst.atoms, atom{kind: atomPair, v: variable(^i), c: float64(^j)})
		return nil
	}
	if len(p.generals) >= math.MaxInt32 {
		return &LimitError{File: p.file, What: "inequalities", Limit: math.MaxInt32}
	}
	dst.atoms = append(dst.atoms, atom{kind: atomGeneral, v: variable(len(p.generals))})
	p.generals = append(p.generals, q)
	return nil
}

// divideBound turns a·x ≤ c into a bound of x: above if a > 0, below if a < 0.
// Where c/a is no float64 the bound is rounded outward, and exact is false.
func divideBound(c, a float64) (bound float64, exact bool) {
	if a == 1 || a == -1 {
		return c*a + 0, true
	}
	outward := math.Inf(1)
	if a < 0 {
		outward = math.Inf(-1)
	}
	q := c / a
	if math.IsInf(q, 0) {
		if q == outward {
			return q, false // no bound in float64
		}
		return math.Copysign(math.MaxFloat64, q), false
	}
	truth := new(big.Rat).SetFloat64(c)
	truth.Quo(truth, new(big.Rat).SetFloat64(a))
	switch cmp := new(big.Rat).SetFloat64(q).Cmp(truth); {
	case cmp == 0:
		return q + 0, true
	case cmp < 0 == (a > 0): // inside
		return math.Nextafter(q, outward) + 0, false
	default:
		return q + 0, false
	}
}
