package main

import (
	"fmt"
	"strings"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The routines over vectors, with AVX2 and FMA. A routine that sums keeps four
// vectors of partial sums, so that the additions do not wait for one another,
// and adds them at the end in a fixed order. The last elements are read through
// a mask: lanes outside it are zero and add nothing.

func vectors(ctx *build.Context) {
	table := maskTable(ctx, "vectorMask")
	for _, elem := range []element{float32s, float64s} {
		p := newPen(ctx, avx2, elem)
		p.reduction("dot", "x, y", table, func(v []reg.Register, _ reg.Register, sum reg.Register) {
			p.fma(v[0], v[1], sum)
		})
		p.reduction("absDot", "x, y", table, func(v []reg.Register, sign, sum reg.Register) {
			p.and(sign, v[0])
			p.fma(v[0], v[1], sum)
		})
		p.reduction("signDot", "x, low, high", table, func(v []reg.Register, zero, sum reg.Register) {
			negative := p.vector()
			p.smaller(v[0], zero, negative)
			p.larger(v[0], zero, v[0])
			p.fma(v[0], v[1], sum)
			p.fma(negative, v[2], sum)
		})
		p.axpy(table)
	}
}

// reduction writes a routine that sums a term over the elements of its vectors.
func (p *pen) reduction(name, vectors string, table operand.Mem, term func(v []reg.Register, constant, sum reg.Register)) {
	p.Function(name + p.elem.name + "AVX2")
	p.Attributes(noSplit)
	p.Pragma("noescape")
	p.SignatureExpr(fmt.Sprintf("func(n int, %s *%s) %[2]s", vectors, p.elem.goes))
	p.Doc(fmt.Sprintf("%s%sAVX2 returns the sum over %s that its name says.", name, p.elem.name, vectors))
	n := p.argument("n")
	names := split(vectors)
	pointers := make([]reg.GPVirtual, len(names))
	for i, v := range names {
		pointers[i] = p.argument(v)
	}
	constant := p.constantFor(name)
	sums := p.several(4)
	for _, s := range sums {
		p.zero(s)
	}
	p.loops(n, table, pointers, func(v []reg.Register, lane int) { term(v, constant, sums[lane]) }, nil)
	p.add(sums[1], sums[0])
	p.add(sums[3], sums[2])
	p.add(sums[2], sums[0])
	p.horizontal(sums[0])
	p.VZEROUPPER()
	p.RET()
}

// constantFor makes the constant vector that a reduction needs.
func (p *pen) constantFor(name string) reg.Register {
	c := p.vector()
	switch name {
	case "absDot":
		p.VPCMPEQD(c, c, c)
		if p.single() {
			p.VPSRLD(operand.U8(1), c, c)
		} else {
			p.VPSRLQ(operand.U8(1), c, c)
		}
	case "signDot":
		p.zero(c)
	default:
		return nil
	}
	return c
}

// axpy writes y += alpha·x.
func (p *pen) axpy(table operand.Mem) {
	p.Function("axpy" + p.elem.name + "AVX2")
	p.Attributes(noSplit)
	p.Pragma("noescape")
	p.SignatureExpr(fmt.Sprintf("func(n int, alpha %[1]s, x, y *%[1]s)", p.elem.goes))
	p.Doc("axpy" + p.elem.name + "AVX2 adds alpha·x to y.")
	n, x, y := p.argument("n"), p.argument("x"), p.argument("y")
	alpha := p.vector()
	p.broadcast(p.address("alpha"), alpha)
	p.loops(n, table, []reg.GPVirtual{x, y},
		func(v []reg.Register, _ int) { p.fma(v[0], alpha, v[1]) },
		func(v []reg.Register) reg.Register { return v[1] })
	p.VZEROUPPER()
	p.RET()
}

// loops writes the loops over n elements: four vectors, one vector, a masked
// rest. body sees the loaded vectors; result, if given, is stored through the
// last pointer.
func (p *pen) loops(n reg.GPVirtual, table operand.Mem, pointers []reg.GPVirtual,
	body func(v []reg.Register, lane int), result func(v []reg.Register) reg.Register,
) {
	block := func(count int, masked bool) {
		for lane := range count {
			v := make([]reg.Register, len(pointers))
			for i, pointer := range pointers {
				v[i] = p.vector()
				m := operand.Mem{Base: pointer, Disp: lane * p.set.bytes}
				if masked {
					p.loadMasked(m, v[i])
				} else {
					p.load(m, v[i])
				}
			}
			body(v, lane)
			if result == nil {
				continue
			}
			m := operand.Mem{Base: pointers[len(pointers)-1], Disp: lane * p.set.bytes}
			if masked {
				p.storeMasked(result(v), m)
			} else {
				p.store(result(v), m)
			}
		}
		if masked {
			return
		}
		for _, pointer := range pointers {
			p.ADDQ(operand.U32(count*p.set.bytes), pointer)
		}
	}
	for _, count := range []int{4, 1} {
		label, next := fmt.Sprintf("by%d", count), fmt.Sprintf("after%d", count)
		p.Label(label)
		p.CMPQ(n, operand.U32(count*p.lane))
		p.JLT(operand.LabelRef(next))
		block(count, false)
		p.SUBQ(operand.U32(count*p.lane), n)
		p.JMP(operand.LabelRef(label))
		p.Label(next)
	}
	p.TESTQ(n, n)
	p.JZ(operand.LabelRef("done"))
	p.makeMask(n, table)
	block(1, true)
	p.Label("done")
}

// horizontal adds the lanes of a vector and stores the result of the function.
func (p *pen) horizontal(v reg.Register) {
	sum := v.(reg.VecVirtual).AsX()
	upper := p.XMM()
	p.VEXTRACTF128(operand.U8(1), v, upper)
	if p.single() {
		p.VADDPS(upper, sum, sum)
		p.VHADDPS(sum, sum, sum)
		p.VHADDPS(sum, sum, sum)
	} else {
		p.VADDPD(upper, sum, sum)
		p.VHADDPD(sum, sum, sum)
	}
	p.Store(sum, p.ReturnIndex(0))
}

// and keeps the bits of v that mask has.
func (p *pen) and(mask, v reg.Register) { p.VPAND(mask, v, v) }

// larger sets out to the larger of x and y, to x if one is not a number.
func (p *pen) larger(x, y, out reg.Register) {
	if p.single() {
		p.VMAXPS(x, y, out)
		return
	}
	p.VMAXPD(x, y, out)
}

// smaller sets out to the smaller of x and y, to x if one is not a number.
func (p *pen) smaller(x, y, out reg.Register) {
	if p.single() {
		p.VMINPS(x, y, out)
		return
	}
	p.VMINPD(x, y, out)
}

// split cuts a list of names.
func split(list string) []string {
	var names []string
	for _, name := range strings.Split(list, ",") {
		names = append(names, strings.TrimSpace(name))
	}
	return names
}
