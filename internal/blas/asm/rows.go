package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The routines over many short rows at constant distances, which gather and
// scatter the patches of a convolution: dst = src and dst += src. One call does
// all rows, since a call per row would cost more than the row.

func rows(ctx *build.Context) {
	table := maskTable(ctx, "rowMask")
	for _, elem := range []element{float32s, float64s} {
		newPen(ctx, avx2, elem).rowRoutine("copyRows", "copies", false, table)
		newPen(ctx, avx2, elem).rowRoutine("addRows", "adds", true, table)
	}
}

func (p *pen) rowRoutine(name, verb string, adds bool, table operand.Mem) {
	p.Function(name + p.elem.name + "AVX2")
	p.Attributes(noSplit)
	p.Pragma("noescape")
	p.SignatureExpr(fmt.Sprintf("func(count, n int, src *%[1]s, srcStep int, dst *%[1]s, dstStep int)", p.elem.goes))
	p.Doc(fmt.Sprintf("%s%sAVX2 %s count rows of n elements, n > 0.", name, p.elem.name, verb))
	count, n := p.argument("count"), p.argument("n")
	src, srcStep := p.argument("src"), p.bytes("srcStep")
	dst, dstStep := p.argument("dst"), p.bytes("dstStep")

	// whole is the number of bytes in whole vectors; the mask is for the rest.
	whole, rest := p.GP64(), p.GP64()
	p.MOVQ(n, whole)
	p.ANDQ(operand.I32(-p.lane), whole)
	p.MOVQ(n, rest)
	p.SUBQ(whole, rest)
	p.SHLQ(operand.U8(p.elem.shift), whole)
	have := p.GP64()
	p.MOVQ(rest, have)
	p.makeMask(rest, table)
	move := func(at reg.GPVirtual, masked bool) {
		from, to, v := operand.Mem{Base: src, Index: at, Scale: 1}, operand.Mem{Base: dst, Index: at, Scale: 1}, p.vector()
		switch {
		case masked && adds:
			old := p.vector()
			p.loadMasked(from, v)
			p.loadMasked(to, old)
			p.add(old, v)
			p.storeMasked(v, to)
		case masked:
			p.loadMasked(from, v)
			p.storeMasked(v, to)
		default:
			p.load(from, v)
			if adds {
				p.add(to, v)
			}
			p.store(v, to)
		}
	}
	at := p.GP64()
	p.Label("row")
	p.XORQ(at, at)
	p.CMPQ(at, whole)
	p.JGE(operand.LabelRef("rest"))
	p.Label("vector")
	move(at, false)
	p.ADDQ(operand.U32(p.set.bytes), at)
	p.CMPQ(at, whole)
	p.JLT(operand.LabelRef("vector"))
	p.Label("rest")
	p.TESTQ(have, have)
	p.JZ(operand.LabelRef("next"))
	move(at, true)
	p.Label("next")
	p.ADDQ(srcStep, src)
	p.ADDQ(dstStep, dst)
	p.DECQ(count)
	p.JNZ(operand.LabelRef("row"))
	p.VZEROUPPER()
	p.RET()
}
