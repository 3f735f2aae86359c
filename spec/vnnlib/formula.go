package vnnlib

import (
	"github.com/vouchnn/vouch/spec"
)

// Formulas as they are read: and over or over and, nothing else.
//
// An assert is not kept as a syntax tree. A group is a conjunction: atoms, and
// choices that hold besides; a choice is a disjunction of groups. Nested ands
// dissolve into their group and nested ors into their choice while they are
// read, so "(and (or (and A)))" is the atom A. The root group collects all
// asserts. dnf.go multiplies it out.

// variable is an input i ≥ 0, or an output as ^i < 0.
type variable int32

func (v variable) input() bool { return v >= 0 }

func (v variable) index() int {
	if v < 0 {
		return int(^v)
	}
	return int(v)
}

// atom is an inequality in 16 bytes.
type atom struct {
	c    float64
	v    variable
	kind atomKind
}

type atomKind uint8

const (
	atomUpper   atomKind = iota // v ≤ c
	atomLower                   // v ≥ c
	atomPair                    // output v ≤ output c
	atomGeneral                 // inequality number v of parser.general
)

type group struct {
	atoms   []atom
	choices []*choice
	made    []spec.Inequality // what the atoms are apart from bounds of inputs; filled by dnf.go
}

// isTrue reports that the group always holds.
func (g *group) isTrue() bool { return len(g.atoms) == 0 && len(g.choices) == 0 }

// choice holds if one of its alternatives does. Without any, it is false.
type choice struct{ alternatives []group }

// maxDepth is how deep parentheses may be nested inside an assert.
const maxDepth = 1000

// atomArena hands out exactly sized slices of atoms from large chunks.
type atomArena []atom

func (a *atomArena) keep(atoms []atom) []atom {
	n := len(atoms)
	if n == 0 {
		return nil
	}
	if cap(*a)-len(*a) < n {
		*a = make([]atom, 0, max(n, 4096))
	}
	start := len(*a)
	*a = append(*a, atoms...)
	return (*a)[start : start+n : start+n]
}

// termArena hands out slices of terms from chunks.
type termArena []spec.Term

func (a *termArena) take(n int) []spec.Term {
	if len(*a) < n {
		*a = make([]spec.Term, max(n, 256))
	}
	t := (*a)[:n:n]
	*a = (*a)[n:]
	return t
}

// formula reads what follows into dst. depth counts open parentheses.
func (p *parser) formula(dst *group, depth int) error {
	t := p.next()
	if t == tokWord {
		switch string(p.text) {
		case "true":
			return nil
		case "false":
			dst.choices = append(dst.choices, &choice{})
			return nil
		}
	}
	if t != tokOpen {
		return p.unexpected(t, "a formula")
	}
	if depth > maxDepth {
		return &LimitError{File: p.file, What: "nested parentheses", Limit: maxDepth}
	}
	if t := p.next(); t != tokWord {
		return p.unexpected(t, "an operator")
	}
	switch string(p.text) {
	case "<=", "<":
		return p.inequality(dst, relLess, depth)
	case ">=", ">":
		return p.inequality(dst, relGreater, depth)
	case "=":
		return p.inequality(dst, relEqual, depth)
	case "and":
		for !p.closes() {
			if err := p.formula(dst, depth+1); err != nil {
				return err
			}
		}
		return nil
	case "or":
		return p.disjunction(dst, depth)
	case "not", "=>", "xor", "distinct", "ite", "let", "forall", "exists", "!":
		return p.unsupported("operator %s", quote(p.text))
	default:
		return p.unsupported("%s where and, or, <=, >=, <, > or = should be", quote(p.text))
	}
}

// closes consumes a closing parenthesis if it is next.
func (p *parser) closes() bool {
	if p.peek() == tokClose {
		p.next()
		return true
	}
	return false
}

// disjunction reads the alternatives of an or.
func (p *parser) disjunction(dst *group, depth int) error {
	c := &choice{}
	always := false
	scratch := p.borrow()
	defer p.giveBack(scratch)
	for !p.closes() {
		scratch.atoms, scratch.choices = scratch.atoms[:0], nil
		if err := p.formula(scratch, depth+1); err != nil {
			return err
		}
		switch {
		case scratch.isTrue():
			always = true
		case len(scratch.atoms) == 0 && len(scratch.choices) == 1:
			c.alternatives = append(c.alternatives, scratch.choices[0].alternatives...)
		default:
			p.kept += len(scratch.atoms)
			c.alternatives = append(c.alternatives, group{atoms: p.arena.keep(scratch.atoms), choices: scratch.choices})
		}
	}
	switch {
	case always:
	case len(c.alternatives) == 1:
		dst.atoms = append(dst.atoms, c.alternatives[0].atoms...)
		dst.choices = append(dst.choices, c.alternatives[0].choices...)
	default:
		dst.choices = append(dst.choices, c)
	}
	return nil
}

// borrow takes an empty group whose atoms have capacity left from earlier use.
func (p *parser) borrow() *group {
	if n := len(p.spare); n > 0 {
		g := p.spare[n-1]
		p.spare = p.spare[:n-1]
		return g
	}
	return new(group)
}

func (p *parser) giveBack(g *group) { p.spare = append(p.spare, g) }
