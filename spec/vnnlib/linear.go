package vnnlib

// Linear expressions: the operands of an inequality.
//
// An operand is a variable, a number, or a sum of products in exact arithmetic
// (number.go). The reader adds up as it goes: an expression is read into a sum,
// times a scale, so nested sums need no tree. Products need their factors first,
// and at most one of them may hold variables.
//
// Cost: the sums are scratch memory, taken and released as a stack.

// side is one operand of a relation: n·v, n, or a sum.
type side struct {
	kind sideKind
	v    variable
	n    number
	sum  *linear
}

type sideKind uint8

const (
	sideVariable sideKind = iota
	sideNumber
	sideSum
)

// linear is a sum in the making.
type linear struct {
	terms    []product
	constant number
}

type product struct {
	v    variable
	coef number
}

// takeSum is an empty sum. Sums are taken and released as a stack, and keep the
// capacity of their terms.
func (p *parser) takeSum() *linear {
	if p.sumsUsed == len(p.sums) {
		p.sums = append(p.sums, new(linear))
	}
	s := p.sums[p.sumsUsed]
	p.sumsUsed++
	s.terms, s.constant = s.terms[:0], plainNumber(0)
	return s
}

func (p *parser) releaseSums(mark int) { p.sumsUsed = mark }

// side reads an operand.
func (p *parser) side(depth int) (side, error) {
	switch t := p.next(); t {
	case tokWord:
		return p.wordSide()
	case tokOpen:
		sum := p.takeSum()
		if err := p.application(sum, plainNumber(1), depth); err != nil {
			return side{}, err
		}
		if len(sum.terms) == 0 {
			return side{kind: sideNumber, n: sum.constant}, nil
		}
		return side{kind: sideSum, sum: sum}, nil
	default:
		return side{}, p.unexpected(t, "a variable, a number or an expression")
	}
}

func (p *parser) wordSide() (side, error) {
	if looksNumeric(p.text) {
		n, ok := parseNumber(p.text)
		if !ok {
			return side{}, p.errorf("%s is not a number in the range of float64", quote(p.text))
		}
		return side{kind: sideNumber, n: n}, nil
	}
	v, err := p.lookup(p.text)
	return side{kind: sideVariable, v: v, n: plainNumber(1)}, err
}

// expression adds scale times what follows to dst.
func (p *parser) expression(dst *linear, scale number, depth int) error {
	switch t := p.next(); t {
	case tokWord:
		s, err := p.wordSide()
		if err != nil {
			return err
		}
		return p.addSide(dst, s, scale)
	case tokOpen:
		return p.application(dst, scale, depth)
	default:
		return p.unexpected(t, "a variable, a number or an expression")
	}
}

// application adds scale times (op ...) to dst. The parenthesis is open.
func (p *parser) application(dst *linear, scale number, depth int) error {
	if depth > maxDepth {
		return &LimitError{File: p.file, What: "nested parentheses", Limit: maxDepth}
	}
	if t := p.next(); t != tokWord {
		return p.unexpected(t, "an operator")
	}
	if len(p.text) == 1 {
		switch op := p.text[0]; op {
		case '+', '-':
			return p.sum(dst, scale, op == '-', depth)
		case '*', '/':
			return p.productOf(dst, scale, op == '/', depth)
		}
	}
	return p.unsupported("arithmetic operator %s", quote(p.text))
}

// sum reads the operands of + and -.
func (p *parser) sum(dst *linear, scale number, minus bool, depth int) error {
	first := true
	for n := 0; !p.closes(); n++ {
		// "(- a)" is −a, "(- a b ...)" is a − b − ...: after the first operand
		// it is too late to turn its sign, so look whether it was the only one.
		if minus && first {
			mark := p.sumsUsed
			alone := p.takeSum()
			if err := p.expression(alone, scale, depth+1); err != nil {
				return err
			}
			sign := plainNumber(1)
			if p.peek() == tokClose {
				sign = plainNumber(-1)
			}
			if err := p.addSum(dst, alone, sign); err != nil {
				return err
			}
			p.releaseSums(mark)
			scale, first = scale.negated(), false
			continue
		}
		if err := p.expression(dst, scale, depth+1); err != nil {
			return err
		}
		first = false
	}
	if first {
		return p.errorf("an arithmetic operator without operands")
	}
	return nil
}

// productOf reads the operands of * and /: at most one, for / the first, holds
// variables.
func (p *parser) productOf(dst *linear, scale number, divide bool, depth int) error {
	vars := side{kind: sideNumber, n: plainNumber(1)}
	factor := scale
	defer p.releaseSums(p.sumsUsed)
	n := 0
	for ; !p.closes(); n++ {
		f, err := p.side(depth + 1)
		if err != nil {
			return err
		}
		switch {
		case f.kind != sideNumber && divide && n > 0:
			return p.unsupported("division by a variable")
		case f.kind != sideNumber && vars.kind != sideNumber:
			return p.unsupported("product of variables")
		case f.kind != sideNumber:
			vars = f
		case divide && n > 0:
			if f.n.sign() == 0 {
				return p.errorf("division by zero")
			}
			factor, err = factor.div(f.n)
		default:
			factor, err = factor.mul(f.n)
		}
		if err != nil {
			return p.unsupported("%v", err)
		}
	}
	if n == 0 {
		return p.errorf("an arithmetic operator without operands")
	}
	return p.addSide(dst, vars, factor)
}

// addSum adds scale·s to dst.
func (p *parser) addSum(dst, s *linear, scale number) error {
	for _, t := range s.terms {
		if err := p.addSide(dst, side{kind: sideVariable, v: t.v, n: t.coef}, scale); err != nil {
			return err
		}
	}
	return p.addSide(dst, side{kind: sideNumber, n: s.constant}, scale)
}

// addSide adds scale·s to dst.
func (p *parser) addSide(dst *linear, s side, scale number) error {
	if s.kind == sideSum {
		return p.addSum(dst, s.sum, scale)
	}
	c, err := scale.mul(s.n)
	if s.kind == sideVariable {
		dst.terms = append(dst.terms, product{s.v, c})
	} else if err == nil {
		dst.constant, err = dst.constant.add(c)
	}
	if err != nil {
		return p.unsupported("%v", err)
	}
	return nil
}
