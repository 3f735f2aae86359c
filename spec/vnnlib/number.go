package vnnlib

import (
	"bytes"
	"errors"
	"math"
	"math/big"
	"strconv"
)

// Numbers, exact until they are stored.
//
// A number that stands alone is read as the float64 value nearest to it. Where a
// file computes with numbers ("(+ Y_0 0.1)" against "0.3", "(* 0.1 0.2 X_0)"),
// the arithmetic is done on the decimals as written, in rationals, and the
// coefficient or bound that results is rounded to the nearest float64 once.
// Rounding 0.3 and 0.1 first would put the bound at 0.19999999999999998.
//
// Rationals are slow, and most files need none: they are made only when two
// numbers meet.

// number is a value with its nearest float64. It is immutable.
type number struct {
	f   float64
	rat *big.Rat // the value, if not nil
	// Otherwise the value is ±mant·10^exp, or f itself if plain.
	mant       uint64
	exp        int32
	neg, plain bool
}

// maxExponent and maxBits bound rational arithmetic. A literal beyond
// 10^±maxExponent stands for its nearest float64.
const (
	maxExponent = 1000
	maxBits     = 1 << 14
)

var errConstantSize = errors.New("constant arithmetic beyond 16384 bits")

func plainNumber(f float64) number { return number{f: f, plain: true} }

// powers10 are exact in float64.
var powers10 = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// looksNumeric reports whether a word has to be a number: symbols do not start
// with a digit, and +, - alone are operators.
func looksNumeric(b []byte) bool {
	if len(b) > 1 && (b[0] == '-' || b[0] == '+') {
		b = b[1:]
	}
	if len(b) > 1 && b[0] == '.' {
		b = b[1:]
	}
	return b[0] >= '0' && b[0] <= '9' || b[0] == '#'
}

// parseNumber reads decimal notation, #x.. and #b.., and ratios p/q.
// ok is false if b is none of these or beyond the range of float64.
func parseNumber(b []byte) (v number, ok bool) {
	i, digits, dropped := 0, 0, 0
	if i < len(b) && (b[i] == '-' || b[i] == '+') {
		v.neg = b[i] == '-'
		i++
	}
	point, found := false, false
	exp := 0
scan:
	for ; i < len(b); i++ {
		c := b[i]
		switch {
		case c >= '0' && c <= '9':
			found = true
			if digits == 0 && c == '0' {
				// a leading zero
			} else if digits < 19 {
				v.mant = v.mant*10 + uint64(c-'0')
				digits++
			} else {
				dropped++
			}
			if point {
				exp--
			}
		case c == '.' && !point:
			point = true
		default:
			break scan
		}
	}
	if !found {
		return parseOther(b)
	}
	if i < len(b) {
		if c := b[i]; c != 'e' && c != 'E' {
			return parseOther(b)
		}
		e, ok := parseExponent(b[i+1:])
		if !ok {
			return number{}, false
		}
		exp += e
	}
	if dropped > 0 || exp < -maxExponent || exp > maxExponent {
		return parseLong(b, exp)
	}
	v.exp = int32(exp)
	if v.mant < 1<<53 && exp >= -22 && exp <= 22 {
		// Both factors are exact, so one operation rounds once (Clinger 1990).
		v.f = float64(v.mant)
		if exp < 0 {
			v.f /= powers10[-exp]
		} else {
			v.f *= powers10[exp]
		}
		if v.neg {
			v.f = -v.f
		}
		return v, true
	}
	f, err := strconv.ParseFloat(string(b), 64)
	v.f = f
	return v, err == nil
}

// parseExponent reads a signed integer, saturating.
func parseExponent(b []byte) (int, bool) {
	neg := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		b = b[1:]
	}
	if len(b) == 0 {
		return 0, false
	}
	e := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		e = min(e*10+int(c-'0'), 1<<28)
	}
	if neg {
		e = -e
	}
	return e, true
}

// parseLong reads a decimal that does not fit mant and exp.
func parseLong(b []byte, exp int) (number, bool) {
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return number{}, false
	}
	if len(b) <= maxExponent && exp >= -maxExponent && exp <= maxExponent {
		if r, ok := new(big.Rat).SetString(string(b)); ok {
			return number{f: f, rat: r}, true
		}
	}
	return plainNumber(f), true
}

// parseOther reads what is not a decimal.
func parseOther(b []byte) (number, bool) {
	if len(b) > 2 && b[0] == '#' && (b[1] == 'x' || b[1] == 'b') {
		base := 16
		if b[1] == 'b' {
			base = 2
		}
		u, err := strconv.ParseUint(string(b[2:]), base, 64)
		if err != nil {
			return number{}, false
		}
		return ratNumber(new(big.Rat).SetUint64(u))
	}
	if p, q, found := bytes.Cut(b, []byte("/")); found && len(p) > 0 && len(q) > 0 && q[0] >= '0' && q[0] <= '9' {
		if bytes.IndexByte(q, '/') >= 0 {
			return number{}, false
		}
		n, ok1 := parseNumber(p)
		d, ok2 := parseNumber(q)
		if !ok1 || !ok2 || d.sign() == 0 {
			return number{}, false
		}
		v, err := n.div(d)
		return v, err == nil
	}
	return number{}, false
}

// ratNumber is r, unless its nearest float64 is infinite.
func ratNumber(r *big.Rat) (number, bool) {
	f, _ := r.Float64()
	return number{f: f, rat: r}, !math.IsInf(f, 0)
}

// rational is the exact value. The caller must not change it.
func (v number) rational() *big.Rat {
	if v.rat != nil {
		return v.rat
	}
	if v.plain {
		return new(big.Rat).SetFloat64(v.f)
	}
	m := new(big.Int).SetUint64(v.mant)
	if v.neg {
		m.Neg(m)
	}
	p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(v.exp, -v.exp))), nil)
	if v.exp >= 0 {
		return new(big.Rat).SetInt(m.Mul(m, p))
	}
	return new(big.Rat).SetFrac(m, p)
}

// sign of the exact value.
func (v number) sign() int {
	switch {
	case v.f > 0:
		return 1
	case v.f < 0:
		return -1
	case v.plain || v.rat == nil && v.mant == 0:
		return 0
	default:
		return v.rational().Sign()
	}
}

// is reports that the value is exactly the small integer k.
func (v number) is(k float64) bool {
	return v.f == k && (v.plain || v.rat == nil && v.exp == 0)
}

func (v number) negated() number {
	v.f, v.neg = -v.f, !v.neg
	if v.rat != nil {
		v.rat = new(big.Rat).Neg(v.rat)
	}
	return v
}

func (v number) mul(w number) (number, error) {
	switch {
	case v.is(0) || w.is(0):
		return plainNumber(0), nil
	case w.is(1):
		return v, nil
	case v.is(1):
		return w, nil
	case w.is(-1):
		return v.negated(), nil
	case v.is(-1):
		return w.negated(), nil
	}
	return checked(new(big.Rat).Mul(v.rational(), w.rational()))
}

func (v number) add(w number) (number, error) {
	switch {
	case w.is(0):
		return v, nil
	case v.is(0):
		return w, nil
	}
	return checked(new(big.Rat).Add(v.rational(), w.rational()))
}

// div needs a w that is not 0.
func (v number) div(w number) (number, error) {
	if w.is(1) {
		return v, nil
	}
	return checked(new(big.Rat).Quo(v.rational(), w.rational()))
}

func checked(r *big.Rat) (number, error) {
	if r.Num().BitLen() > maxBits || r.Denom().BitLen() > maxBits {
		return number{}, errConstantSize
	}
	f, _ := r.Float64()
	return number{f: f, rat: r}, nil // f may be infinite; storing it is refused
}

func finite(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }
