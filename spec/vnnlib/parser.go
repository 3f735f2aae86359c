package vnnlib

import (
	"fmt"
	"io"
	"math"

	"github.com/vouchnn/vouch/spec"
)

// Commands: what stands at the top level of a file.

// parser is the state of reading one file.
type parser struct {
	*scanner
	ahead    bool
	aheadTok token

	inputs, outputs declared
	root            group
	generals        []spec.Inequality
	arena           atomArena
	kept            int // atoms in it, over all chunks
	terms           termArena
	spare           []*group
	sums            []*linear // a stack of scratch memory
	sumsUsed        int
}

// next is the scanner's, with one token of lookahead.
func (p *parser) next() token {
	if p.ahead {
		p.ahead = false
		return p.aheadTok
	}
	return p.scanner.next()
}

func (p *parser) peek() token {
	if !p.ahead {
		p.aheadTok = p.scanner.next()
		p.ahead = true
	}
	return p.aheadTok
}

// expect reads a token that must be t.
func (p *parser) expect(t token, want string) error {
	if got := p.next(); got != t {
		return p.unexpected(got, want)
	}
	return nil
}

// declared is a set of indices that should be 0..count−1 in the end.
type declared struct {
	count int              // 0..count−1 are declared
	apart map[int]struct{} // declared, too, but not yet joined to those
	worst int              // the largest in apart
	line  int              // of the declaration that is the first to leave a gap
}

func (d *declared) has(i int) bool {
	if i < d.count {
		return true
	}
	_, ok := d.apart[i]
	return ok
}

// add reports false if i was there.
func (d *declared) add(i, line int) bool {
	if d.has(i) {
		return false
	}
	if i != d.count {
		if d.apart == nil {
			d.apart = make(map[int]struct{})
		}
		if len(d.apart) == 0 {
			d.line = line
		}
		d.apart[i] = struct{}{}
		d.worst = max(d.worst, i)
		return true
	}
	d.count++
	for len(d.apart) > 0 {
		if _, ok := d.apart[d.count]; !ok {
			break
		}
		delete(d.apart, d.count)
		d.count++
	}
	return true
}

// maxIndex is the largest index of a variable.
const maxIndex = math.MaxInt32 - 1

// variableOf splits a name into variable and whether it is one.
func variableOf(name []byte) (variable, bool) {
	if len(name) < 3 || len(name) > 12 || name[1] != '_' || name[0] != 'X' && name[0] != 'Y' {
		return 0, false
	}
	i := 0
	for k, c := range name[2:] {
		if c < '0' || c > '9' || k > 0 && i == 0 {
			return 0, false
		}
		i = i*10 + int(c-'0')
	}
	if i > maxIndex {
		return 0, false
	}
	if name[0] == 'Y' {
		return variable(^i), true
	}
	return variable(i), true
}

// lookup finds a declared variable.
func (p *parser) lookup(name []byte) (variable, error) {
	v, ok := variableOf(name)
	if !ok {
		return 0, p.errorf("%s is neither a number nor a variable X_i or Y_i", quote(name))
	}
	if !p.set(v).has(v.index()) {
		return 0, p.errorf("%s is not declared", quote(name))
	}
	return v, nil
}

func (p *parser) set(v variable) *declared {
	if v.input() {
		return &p.inputs
	}
	return &p.outputs
}

// Read reads a property. name stands for the file in errors; opts may be nil.
// Errors: *ParseError, *UnsupportedError, *LimitError, and those of r.
func Read(r io.Reader, name string, opts *Options) (*spec.Property, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	o := opts.withDefaults()
	p := &parser{scanner: newScanner(r, name, o.MaxBytes)}
	for {
		switch t := p.next(); t {
		case tokOpen:
			if err := p.command(); err != nil {
				return nil, err
			}
		case tokEnd:
			if err := p.checkDeclared(o); err != nil {
				return nil, err
			}
			return p.build(o)
		default:
			return nil, p.unexpected(t, "a command")
		}
	}
}

// command reads a command whose parenthesis is open.
func (p *parser) command() error {
	if t := p.next(); t != tokWord {
		return p.unexpected(t, "a command")
	}
	switch string(p.text) {
	case "assert":
		if err := p.formula(&p.root, 1); err != nil {
			return err
		}
		return p.expect(tokClose, `the ")" of the assert`)
	case "declare-const":
		return p.declare(false)
	case "declare-fun":
		return p.declare(true)
	case "set-logic", "set-info", "set-option", "check-sat", "exit", "get-model", "get-value", "get-info", "echo":
		return p.skipCommand()
	default:
		return p.unsupported("command %s", quote(p.text))
	}
}

// skipCommand reads to the end of the command.
func (p *parser) skipCommand() error {
	for open := 1; open > 0; {
		switch t := p.next(); t {
		case tokOpen:
			open++
		case tokClose:
			open--
		case tokEnd, tokBroken:
			return p.unexpected(t, `the ")" of the command`)
		}
	}
	return nil
}

// declare reads "X_0 Real)", or "X_0 () Real)" of a declare-fun.
func (p *parser) declare(function bool) error {
	if t := p.next(); t != tokWord {
		return p.unexpected(t, "the name of a variable")
	}
	v, ok := variableOf(p.text)
	if !ok {
		return p.unsupported("variable %s, want X_i or Y_i", quote(p.text))
	}
	if !p.set(v).add(v.index(), p.tokLine) {
		return p.errorf("%s is declared twice", quote(p.text))
	}
	if function {
		if err := p.expect(tokOpen, `"()"`); err != nil {
			return err
		}
		if t := p.next(); t != tokClose {
			return p.unsupported("function with arguments")
		}
	}
	if t := p.next(); t != tokWord {
		return p.unexpected(t, "the sort Real")
	}
	if string(p.text) != "Real" {
		return p.unsupported("sort %s", quote(p.text))
	}
	return p.expect(tokClose, `the ")" of the declaration`)
}

// checkDeclared runs at the end of the file.
func (p *parser) checkDeclared(o Options) error {
	for _, d := range []struct {
		set  *declared
		kind string
		name byte
		want int
	}{{&p.inputs, "inputs", 'X', o.Inputs}, {&p.outputs, "outputs", 'Y', o.Outputs}} {
		if len(d.set.apart) > 0 {
			return &ParseError{
				File: p.file, Line: d.set.line, Column: 1,
				Detail: fmt.Sprintf("%c_%d is declared, %c_%d is not", d.name, d.set.worst, d.name, d.set.count),
			}
		}
		if d.set.count == 0 {
			return &ParseError{File: p.file, Detail: "no " + d.kind + " are declared"}
		}
		if d.want > 0 && d.set.count != d.want {
			return &ParseError{File: p.file, Detail: fmt.Sprintf("%d %s are declared, want %d", d.set.count, d.kind, d.want)}
		}
	}
	return nil
}
