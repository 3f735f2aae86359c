package solver

import (
	"math"
	"strconv"
	"strings"
)

// tokenKind is what a piece of text in LP format is.
type tokenKind int

const (
	tokenNumber tokenKind = iota
	tokenName
	tokenRelation // <=, >= or =
	tokenSign     // + or -
	tokenColon
)

type token struct {
	kind tokenKind
	text string
}

// tokens splits a line.
func (p *lpReader) tokens(text string) ([]token, error) {
	var all []token
	for k := 0; k < len(text); {
		c := text[k]
		switch {
		case c <= ' ':
			k++
		case c == ':':
			all = append(all, token{tokenColon, ":"})
			k++
		case c == '+' || c == '-':
			all = append(all, token{tokenSign, text[k : k+1]})
			k++
		case strings.IndexByte("<>=", c) >= 0:
			end := k + 1
			if end < len(text) && strings.IndexByte("<>=", text[end]) >= 0 {
				end++
			}
			r, ok := relationOf(text[k:end])
			if !ok {
				return nil, p.fail("%s is not a relation", text[k:end])
			}
			all = append(all, token{tokenRelation, r})
			k = end
		case c >= '0' && c <= '9' || c == '.':
			end := numberEnd(text, k)
			if _, ok := finiteNumber(text[k:end]); !ok {
				return nil, p.fail("%s is not a finite number", text[k:end])
			}
			all = append(all, token{tokenNumber, text[k:end]})
			k = end
		case lpInName(c):
			end := k
			for end < len(text) && lpInName(text[end]) {
				end++
			}
			all = append(all, token{tokenName, text[k:end]})
			k = end
		default:
			return nil, p.fail("unexpected %s", strconv.Quote(text[k:k+1]))
		}
	}
	return all, nil
}

func relationOf(s string) (string, bool) {
	switch s {
	case "<", "<=", "=<":
		return "<=", true
	case ">", ">=", "=>":
		return ">=", true
	case "=":
		return "=", true
	}
	return "", false
}

// numberEnd is the end of the digits, point and exponent that start at k.
func numberEnd(text string, k int) int {
	digits := func() {
		for k < len(text) && text[k] >= '0' && text[k] <= '9' {
			k++
		}
	}
	digits()
	if k < len(text) && text[k] == '.' {
		k++
		digits()
	}
	if k < len(text) && (text[k] == 'e' || text[k] == 'E') {
		e := k + 1
		if e < len(text) && (text[e] == '+' || text[e] == '-') {
			e++
		}
		if e < len(text) && text[e] >= '0' && text[e] <= '9' {
			k = e
			digits()
		}
	}
	return k
}

// numberOf is the value of tokens that are signs and a number, or infinity.
func numberOf(tokens []token) (float64, bool) {
	sign := 1.0
	for len(tokens) > 1 && tokens[0].kind == tokenSign {
		if tokens[0].text == "-" {
			sign = -sign
		}
		tokens = tokens[1:]
	}
	if len(tokens) != 1 {
		return 0, false
	}
	switch t := tokens[0]; {
	case t.kind == tokenNumber:
		v, ok := finiteNumber(t.text)
		return sign * v, ok
	case t.kind == tokenName && (strings.EqualFold(t.text, "inf") || strings.EqualFold(t.text, "infinity")):
		return sign * math.Inf(1), true
	}
	return 0, false
}

// label takes "name :" off the front.
func label(tokens []token) (name string, rest []token) {
	if len(tokens) >= 2 && tokens[0].kind == tokenName && tokens[1].kind == tokenColon {
		return tokens[0].text, tokens[2:]
	}
	return "", tokens
}

// lpSum is a linear expression, each variable once.
type lpSum struct {
	columns  []int
	values   []float64
	constant float64
}

// sum reads terms: signs, a number, a name, either of the last two alone too.
func (p *lpReader) sum(tokens []token) (lpSum, error) {
	var s lpSum
	place := map[int]int{}
	for k := 0; k < len(tokens); {
		sign := 1.0
		for ; k < len(tokens) && tokens[k].kind == tokenSign; k++ {
			if tokens[k].text == "-" {
				sign = -sign
			}
		}
		if k == len(tokens) {
			return s, p.fail("a sign at the end of a sum")
		}
		value, isNumber := sign, false
		if tokens[k].kind == tokenNumber {
			v, _ := finiteNumber(tokens[k].text)
			value, isNumber = sign*v, true
			k++
		}
		switch {
		case k < len(tokens) && tokens[k].kind == tokenName:
			j := p.variable(tokens[k].text)
			k++
			if at, twice := place[j]; twice {
				s.values[at] += value
			} else {
				place[j] = len(s.columns)
				s.columns, s.values = append(s.columns, j), append(s.values, value)
			}
		case isNumber:
			s.constant += value
		default:
			return s, p.fail("unexpected %s in a sum", tokens[k].text)
		}
	}
	return s, nil
}
