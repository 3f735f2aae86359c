package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A step of Adam on parameters, with AVX2, for float32. Each operation rounds by
// itself, as the plain code does, so that both give the same bits.

func adam(ctx *build.Context) {
	p := newPen(ctx, avx2, float32s)
	table := maskTable(ctx, "adamMask")
	p.Function("adamF32AVX2")
	p.Attributes(noSplit)
	p.Pragma("noescape")
	p.SignatureExpr("func(n int, w, grad, first, second, constants *float32)")
	p.Doc("adamF32AVX2 is AdamRule.Step; constants holds those of the rule, each eight times.")
	l := p.newRowLoop(table)
	w, g, first, second := p.argument("w"), p.argument("grad"), p.argument("first"), p.argument("second")
	constants := p.argument("constants")
	constant := func(i int) operand.Mem { return operand.Mem{Base: constants, Disp: 32 * i} }
	magnitude := p.vector()
	p.VPCMPEQD(magnitude, magnitude, magnitude)
	p.VPSRLD(operand.U8(1), magnitude, magnitude)
	// towards moves a mean by a share of the way to x, which is lost.
	towards := func(x, mean reg.Register, share int) {
		p.VSUBPS(mean, x, x)
		p.multiply(constant(share), x)
		p.add(x, mean)
		p.VANDPS(magnitude, mean, x)
		p.VCMPPS(operand.U8(1), constant(adamLeast), x, x) // less than, and a number
		p.VANDNPS(mean, x, mean)
	}
	p.rowVectors(l, func(masked bool) {
		d, square := p.read(g, l, masked), p.vector()
		p.VMULPS(d, d, square)
		m, v := p.read(first, l, masked), p.read(second, l, masked)
		towards(d, m, adamFirst)
		p.write(m, first, l, masked)
		towards(square, v, adamSecond)
		p.write(v, second, l, masked)
		p.VSQRTPS(v, v)
		p.add(constant(adamFloor), v)
		p.multiply(constant(adamRate), m)
		p.VDIVPS(v, m, m)
		x := p.read(w, l, masked)
		p.multiply(constant(adamKeep), x)
		p.VSUBPS(m, x, x)
		p.write(x, w, l, masked)
	})
	p.VZEROUPPER()
	p.RET()
}

// The constants of adam, each in eight lanes.
const (
	adamFirst = iota
	adamSecond
	adamFloor
	adamRate
	adamKeep
	adamLeast
)
