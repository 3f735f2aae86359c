package vnnlib

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	"github.com/vouchnn/vouch/spec"
)

// Write writes a property as VNN-LIB 1.0, with as many digits as bring back
// every float64.
//
// Reading it gives an equal property if Read made it, and otherwise one of the
// same meaning: terms come back sorted, equal boxes share a case, an inequality
// over a single input becomes a bound of the box.
//
// Errors: *spec.Error if the property is malformed, *UnsupportedError for a
// region that is not a box (a ball can be replaced by its Box if an
// over-approximation will do), and those of w.
func Write(w io.Writer, p *spec.Property) error {
	if err := p.Validate(); err != nil {
		return fmt.Errorf("vnnlib: %w", err)
	}
	boxes := make([]spec.Box, len(p.Cases))
	for i, c := range p.Cases {
		switch r := c.Region.(type) {
		case spec.Box:
			boxes[i] = r
		case *spec.Box:
			boxes[i] = *r
		default:
			return &UnsupportedError{File: "output", Construct: fmt.Sprintf("region of type %T in case %d", r, i)}
		}
	}
	o := &writer{Writer: bufio.NewWriterSize(w, 1<<16)}
	for i := range p.Inputs {
		o.text("(declare-const X_").integer(i).text(" Real)\n")
	}
	for i := range p.Outputs {
		o.text("(declare-const Y_").integer(i).text(" Real)\n")
	}
	o.cases(p.Cases, boxes)
	if err := o.Flush(); err != nil {
		return fmt.Errorf("vnnlib: %w", err)
	}
	return nil
}

// writer is a buffer whose errors wait for Flush.
type writer struct {
	*bufio.Writer
	scratch []byte
}

func (o *writer) text(s string) *writer {
	_, _ = o.WriteString(s)
	return o
}

func (o *writer) integer(i int) *writer {
	o.scratch = strconv.AppendInt(o.scratch[:0], int64(i), 10)
	_, _ = o.Write(o.scratch)
	return o
}

func (o *writer) number(f float64) *writer {
	o.scratch = strconv.AppendFloat(o.scratch[:0], f, 'g', -1, 64)
	_, _ = o.Write(o.scratch)
	return o
}

// cases writes the asserts.
func (o *writer) cases(cases []spec.Case, boxes []spec.Box) {
	possible := 0
	only := 0
	for i, c := range cases {
		if len(c.Unsafe) > 0 {
			possible++
			only = i
		}
	}
	switch possible {
	case 0:
		o.bounds(boxes[0], "(assert ", ")\n")
		o.text("(assert false)\n")
	case 1:
		o.bounds(boxes[only], "(assert ", ")\n")
		if u := cases[only].Unsafe; len(u) == 1 {
			for _, q := range u[0] {
				o.text("(assert ").inequality(q).text(")\n")
			}
		} else {
			o.text("(assert ").or(u).text(")\n")
		}
	default:
		o.text("(assert (or\n")
		for i, c := range cases {
			if len(c.Unsafe) == 0 {
				continue
			}
			o.text("(and\n")
			o.bounds(boxes[i], "", "\n")
			if len(c.Unsafe) == 1 {
				for _, q := range c.Unsafe[0] {
					o.inequality(q).text("\n")
				}
			} else {
				o.or(c.Unsafe)
			}
			o.text(")\n")
		}
		o.text("))\n")
	}
}

func (o *writer) bounds(b spec.Box, before, after string) {
	for i, l := range b.Lower {
		o.text(before).text("(>= X_").integer(i).text(" ").number(l).text(")").text(after)
		o.text(before).text("(<= X_").integer(i).text(" ").number(b.Upper[i]).text(")").text(after)
	}
}

func (o *writer) or(unsafe []spec.Conjunction) *writer {
	o.text("(or\n")
	for _, c := range unsafe {
		o.text("  (and")
		for _, q := range c {
			o.text(" ").inequality(q)
		}
		o.text(")\n")
	}
	return o.text(")")
}

func (o *writer) inequality(q spec.Inequality) *writer {
	if len(q.Input) == 0 {
		switch t := q.Output; {
		case len(t) == 1 && t[0].Coef == 1:
			return o.text("(<= Y_").integer(t[0].Index).text(" ").number(q.Bound).text(")")
		case len(t) == 1 && t[0].Coef == -1:
			return o.text("(>= Y_").integer(t[0].Index).text(" ").number(-q.Bound + 0).text(")")
		case len(t) == 2 && t[0].Coef == 1 && t[1].Coef == -1 && q.Bound == 0:
			return o.text("(<= Y_").integer(t[0].Index).text(" Y_").integer(t[1].Index).text(")")
		case len(t) == 2 && t[0].Coef == -1 && t[1].Coef == 1 && q.Bound == 0:
			return o.text("(<= Y_").integer(t[1].Index).text(" Y_").integer(t[0].Index).text(")")
		}
	}
	if len(q.Input)+len(q.Output) == 0 {
		return o.text("(<= 0 ").number(q.Bound).text(")")
	}
	o.text("(<= (+")
	o.products(" (* ", " X_", q.Input)
	o.products(" (* ", " Y_", q.Output)
	return o.text(") ").number(q.Bound).text(")")
}

func (o *writer) products(before, name string, terms []spec.Term) {
	for _, t := range terms {
		o.text(before).number(t.Coef).text(name).integer(t.Index).text(")")
	}
}
