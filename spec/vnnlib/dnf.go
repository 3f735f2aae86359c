package vnnlib

import (
	"fmt"
	"math"
	"slices"

	"github.com/vouchnn/vouch/spec"
)

// Multiplying a formula out into cases.
//
// The result is a disjunction of conjunctions, found by walking every way to
// pick one alternative per choice, depth first. The walk carries the box of
// inputs picked so far, with a trail to undo changes (as in a SAT solver), and
// the list of other inequalities. A pick that makes a bound cross is dropped
// with everything below it: no input satisfies it. At the end of a walk the
// conjunction goes to the case of its box.
//
// Boxes are found by a hash that every change of a bound updates, so a file of
// one box and a long "or" over outputs never compares boxes, and a file that
// changes one bound per disjunct shares the other vector between its cases.
//
// A conjunction can be exponentially far from its file. Work, conjunctions and
// memory are all counted, and a LimitError ends the walk.

type builder struct {
	p *parser
	o Options

	lower, upper []float64
	unbounded    int // bounds that are infinite
	trail        []change
	undoable     bool      // changes go to the trail
	hashes       [2]uint64 // of lower, of upper
	current      []spec.Inequality
	version      int // changes with the box

	cases       []spec.Case
	always      []bool // the case has an empty conjunction
	last        int    // the case of the last conjunction, and the version then
	lastVersion int
	vectors     map[uint64][][]float64
	byBox       map[[2]*float64]int

	inequalities []spec.Inequality // arena

	conjunctions, work, workLimit int
	memory                        int64
}

// change is a bound as it was.
type change struct {
	v    int32
	side int8 // 0 lower, 1 upper
	old  float64
}

// pending is a list of choices to make.
type pending struct {
	c    *choice
	next *pending
}

// maxChoices is how many choices may be pending along one walk.
const maxChoices = 100_000

// build makes the property of what was read.
func (p *parser) build(o Options) (*spec.Property, error) {
	n := p.inputs.count
	b := &builder{
		p: p, o: o, lastVersion: -1, unbounded: 2 * n,
		vectors: make(map[uint64][][]float64), byBox: make(map[[2]*float64]int),
	}
	if err := b.charge(16 * int64(n)); err != nil {
		return nil, err
	}
	b.lower, b.upper = make([]float64, n), make([]float64, n)
	for i := range b.lower {
		b.lower[i], b.upper[i] = math.Inf(-1), math.Inf(1)
	}
	b.workLimit = 64*o.MaxConjunctions + 16*p.kept
	possible := b.apply(&p.root)
	b.undoable = true // the root is never undone, and after the walk all the rest is
	if possible {
		if err := b.walk(push(p.root.choices, nil), len(p.root.choices)); err != nil {
			return nil, err
		}
	}
	prop := &spec.Property{Inputs: n, Outputs: p.outputs.count, Cases: b.cases}
	for i, always := range b.always {
		if always {
			prop.Cases[i].Unsafe = []spec.Conjunction{{}}
		}
	}
	if len(b.cases) == 0 {
		prop.Cases = []spec.Case{{Region: mend(spec.Box{Lower: b.lower, Upper: b.upper})}}
	}
	return prop, nil
}

// mend makes a box to state that nothing is unsafe in: bounds that are missing
// or crossed become 0.
func mend(b spec.Box) spec.Box {
	for i, l := range b.Lower {
		if u := b.Upper[i]; math.IsInf(l, 0) || math.IsInf(u, 0) || l > u {
			b.Lower[i], b.Upper[i] = 0, 0
		}
	}
	return b
}

// push puts choices in front of the list, in order.
func push(choices []*choice, list *pending) *pending {
	for _, c := range slices.Backward(choices) {
		list = &pending{c, list}
	}
	return list
}

// walk makes the choices of the list, depth of them, in every possible way.
func (b *builder) walk(list *pending, depth int) error {
	if list == nil {
		return b.emit()
	}
	if depth > maxChoices {
		return &LimitError{File: b.p.file, What: "disjunctions that hold together", Limit: maxChoices}
	}
	for i := range list.c.alternatives {
		g := &list.c.alternatives[i]
		if b.work += len(g.atoms) + 1; b.work > b.workLimit {
			return &LimitError{File: b.p.file, What: "steps to the disjunctive normal form", Limit: int64(b.workLimit)}
		}
		trail, held := len(b.trail), len(b.current)
		if b.apply(g) {
			if err := b.walk(push(g.choices, list.next), depth-1+len(g.choices)); err != nil {
				return err
			}
		}
		b.undo(trail)
		b.current = b.current[:held]
	}
	return nil
}

// apply adds the atoms of g to the box and the list. It reports whether the box
// has a point left.
func (b *builder) apply(g *group) bool {
	for i := range g.atoms {
		a := &g.atoms[i]
		if a.kind <= atomLower && a.v.input() {
			side := int8(0)
			if a.kind == atomUpper {
				side = 1
			}
			if !b.tighten(int32(a.v), side, a.c) {
				return false
			}
		}
	}
	if g.made == nil {
		g.made = b.inequalitiesOf(g)
	}
	b.current = append(b.current, g.made...)
	return true
}

// tighten sets a bound if it is tighter than the one there is.
func (b *builder) tighten(v int32, side int8, c float64) bool {
	at := &b.lower[v]
	if side == 1 {
		at = &b.upper[v]
		if !(c < *at) {
			return true
		}
	} else if !(c > *at) {
		return true
	}
	if b.undoable {
		b.trail = append(b.trail, change{v, side, *at})
	}
	if math.IsInf(*at, 0) {
		b.unbounded--
	}
	b.set(v, side, at, c)
	return b.lower[v] <= b.upper[v]
}

func (b *builder) set(v int32, side int8, at *float64, c float64) {
	b.hashes[side] ^= mix(v, *at) ^ mix(v, c)
	*at = c
	b.version++
}

// undo takes back the changes after the first n.
func (b *builder) undo(n int) {
	for len(b.trail) > n {
		t := b.trail[len(b.trail)-1]
		b.trail = b.trail[:len(b.trail)-1]
		at := &b.lower[t.v]
		if t.side == 1 {
			at = &b.upper[t.v]
		}
		if math.IsInf(t.old, 0) {
			b.unbounded++
		}
		b.set(t.v, t.side, at, t.old)
	}
}

// mix is splitmix64 of a bound and its place.
func mix(v int32, c float64) uint64 {
	z := math.Float64bits(c) + uint64(v+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// inequalitiesOf makes what the atoms of g say apart from bounds of inputs.
func (b *builder) inequalitiesOf(g *group) []spec.Inequality {
	made := []spec.Inequality{} // not nil: done
	for i := range g.atoms {
		switch a := &g.atoms[i]; {
		case a.kind == atomGeneral:
			made = append(made, b.p.generals[a.v])
		case a.kind == atomPair:
			i, j := a.v.index(), variable(a.c).index()
			t := []spec.Term{{Index: i, Coef: 1}, {Index: j, Coef: -1}}
			if i > j {
				t[0], t[1] = t[1], t[0]
			}
			made = append(made, spec.Inequality{Output: b.keepTerms(t...)})
		case a.v.input():
		case a.kind == atomUpper:
			made = append(made, spec.Inequality{Output: b.keepTerms(spec.Term{Index: a.v.index(), Coef: 1}), Bound: a.c})
		default:
			made = append(made, spec.Inequality{Output: b.keepTerms(spec.Term{Index: a.v.index(), Coef: -1}), Bound: -a.c + 0})
		}
	}
	return made
}

// emit turns the walk's end into a conjunction of its case.
func (b *builder) emit() error {
	if b.unbounded > 0 {
		return b.missing()
	}
	if b.conjunctions++; b.conjunctions > b.o.MaxConjunctions {
		return &LimitError{File: b.p.file, What: "conjunctions", Limit: int64(b.o.MaxConjunctions)}
	}
	if b.version != b.lastVersion {
		k, err := b.caseOfBox()
		if err != nil {
			return err
		}
		b.last, b.lastVersion = k, b.version
	}
	if len(b.current) == 0 {
		b.always[b.last] = true
		return nil
	}
	if b.always[b.last] {
		return nil
	}
	if err := b.charge(24 + 56*int64(len(b.current))); err != nil {
		return err
	}
	c := &b.cases[b.last]
	c.Unsafe = append(c.Unsafe, b.keepInequalities(b.current))
	return nil
}

// missing names the first input without a bound.
func (b *builder) missing() error {
	for i, l := range b.lower {
		which := "lower"
		if !math.IsInf(l, -1) {
			if !math.IsInf(b.upper[i], 1) {
				continue
			}
			which = "upper"
		}
		where := ""
		if len(b.p.root.choices) > 0 {
			where = " in one of the disjuncts"
		}
		return &ParseError{File: b.p.file, Detail: fmt.Sprintf("X_%d has no %s bound%s", i, which, where)}
	}
	return nil
}

// caseOfBox finds or makes the case of the current box.
func (b *builder) caseOfBox() (int, error) {
	lower, err := b.vector(b.hashes[0], b.lower)
	if err != nil {
		return 0, err
	}
	upper, err := b.vector(b.hashes[1]+1, b.upper)
	if err != nil {
		return 0, err
	}
	key := [2]*float64{&lower[0], &upper[0]}
	k, ok := b.byBox[key]
	if !ok {
		k = len(b.cases)
		b.byBox[key] = k
		b.cases = append(b.cases, spec.Case{Region: spec.Box{Lower: lower, Upper: upper}})
		b.always = append(b.always, false)
		err = b.charge(150)
	}
	return k, err
}

// vector is the kept copy of v.
func (b *builder) vector(hash uint64, v []float64) ([]float64, error) {
	for _, w := range b.vectors[hash] {
		if slices.Equal(v, w) {
			return w, nil
		}
	}
	if err := b.charge(8*int64(len(v)) + 80); err != nil {
		return nil, err
	}
	w := slices.Clone(v)
	b.vectors[hash] = append(b.vectors[hash], w)
	return w, nil
}

func (b *builder) charge(bytes int64) error {
	if b.memory += bytes; b.memory > b.o.MaxMemory {
		return &LimitError{File: b.p.file, What: "bytes of the property", Limit: b.o.MaxMemory}
	}
	return nil
}

func (b *builder) keepTerms(t ...spec.Term) []spec.Term {
	kept := b.p.terms.take(len(t))
	copy(kept, t)
	return kept
}

func (b *builder) keepInequalities(q []spec.Inequality) spec.Conjunction {
	if cap(b.inequalities)-len(b.inequalities) < len(q) {
		b.inequalities = make([]spec.Inequality, 0, max(len(q), 128))
	}
	start := len(b.inequalities)
	b.inequalities = append(b.inequalities, q...)
	return b.inequalities[start:len(b.inequalities):len(b.inequalities)]
}
