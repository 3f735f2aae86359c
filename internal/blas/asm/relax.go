package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The routines over rows of coefficients that share their vectors, as backward
// bound propagation needs them, with AVX2 and FMA, for float64. One call does all
// rows, since most rows are short. Rows are contiguous: row r starts r·n after
// the first. Each sum has one vector of partial sums; the last elements are read
// through a mask, and lanes outside it are zero and add nothing.

func relaxations(ctx *build.Context) {
	table := maskTable(ctx, "relaxMask")
	p := newPen(ctx, avx2, float64s)
	p.relaxRows("relaxRows", "overwrites", table)
	p.relaxRows("relaxAddRows", "adds to", table)
	p.relaxRows("boxRows", "", table)
	p.dotRows(table)
	p.alongRows(table)
	p.ascend(table)
	p.tilt(table)
}

// rowLoop is the loop over rows and, within, over vectors and a masked rest.
type rowLoop struct {
	at, whole, rest reg.GPVirtual
}

// newRowLoop splits n into whole vectors and a rest.
func (p *pen) newRowLoop(table operand.Mem) rowLoop {
	l := rowLoop{p.GP64(), p.GP64(), p.GP64()}
	n := p.argument("n")
	p.MOVQ(n, l.whole)
	p.ANDQ(operand.I32(-p.lane), l.whole)
	p.MOVQ(n, l.rest)
	p.SUBQ(l.whole, l.rest)
	p.SHLQ(operand.U8(p.elem.shift), l.whole)
	p.MOVQ(l.rest, n)
	p.makeMask(n, table)
	return l
}

// vectors writes the inner loop over one row.
func (p *pen) rowVectors(l rowLoop, body func(masked bool)) {
	p.XORQ(l.at, l.at)
	p.CMPQ(l.at, l.whole)
	p.JGE(operand.LabelRef("rest"))
	p.Label("vector")
	body(false)
	p.ADDQ(operand.U32(p.set.bytes), l.at)
	p.CMPQ(l.at, l.whole)
	p.JLT(operand.LabelRef("vector"))
	p.Label("rest")
	p.TESTQ(l.rest, l.rest)
	p.JZ(operand.LabelRef("next"))
	body(true)
	p.Label("next")
}

// read loads a vector of a row, or its masked rest.
func (p *pen) read(base reg.GPVirtual, l rowLoop, masked bool) reg.Register {
	v := p.vector()
	m := operand.Mem{Base: base, Index: l.at, Scale: 1}
	if masked {
		p.loadMasked(m, v)
	} else {
		p.load(m, v)
	}
	return v
}

// write stores a vector of a row, or its masked rest.
func (p *pen) write(v reg.Register, base reg.GPVirtual, l rowLoop, masked bool) {
	m := operand.Mem{Base: base, Index: l.at, Scale: 1}
	if masked {
		p.storeMasked(v, m)
	} else {
		p.store(v, m)
	}
}

// sum adds the lanes of v into its lowest.
func (p *pen) sum(v reg.Register) reg.Register {
	low, upper := v.(reg.VecVirtual).AsX(), p.XMM()
	p.VEXTRACTF128(operand.U8(1), v, upper)
	p.VADDPD(upper, low, low)
	p.VHADDPD(low, low, low)
	return low
}

// absMask is a vector of all bits but the signs.
func (p *pen) absMask() reg.Register {
	c := p.vector()
	p.VPCMPEQD(c, c, c)
	p.VPSRLQ(operand.U8(1), c, c)
	return c
}

// relaxRows writes one of: coefficients behind activations to coefficients in
// front of them, overwriting or adding, with the sums; or the sums alone.
func (p *pen) relaxRows(name, verb string, table operand.Mem) {
	moves := verb != ""
	p.Function(name + "F64AVX2")
	p.Attributes(noSplit)
	p.Pragma("noescape")
	signature := "func(count, n int, a, low, high, magnitude, sums *float64)"
	doc := "%sF64AVX2 computes the two sums of BoxRows of each row."
	if moves {
		signature = "func(count, n int, a, dst, lowSlope *float64, lowStep int, highSlope, low, high, magnitude, sums *float64)"
		doc = "%sF64AVX2 " + verb + " the rows of dst and computes the two sums, as RelaxRows does; lowStep is in bytes."
	}
	p.SignatureExpr(signature)
	p.Doc(fmt.Sprintf(doc, name))
	l := p.newRowLoop(table)
	a, low, high, magnitude, sums := p.argument("a"), p.argument("low"), p.argument("high"), p.argument("magnitude"), p.argument("sums")
	var dst, lowSlope, highSlope reg.GPVirtual
	if moves {
		dst, lowSlope, highSlope = p.argument("dst"), p.argument("lowSlope"), p.argument("highSlope")
	}
	zero, abs := p.vector(), p.absMask()
	p.zero(zero)
	lows, highs, mass := p.vector(), p.vector(), p.vector()

	p.Label("row")
	p.zero(lows)
	p.zero(highs)
	p.zero(mass)
	p.rowVectors(l, func(masked bool) {
		v := p.read(a, l, masked)
		positive, negative := p.vector(), p.vector()
		p.larger(v, zero, positive)
		p.smaller(v, zero, negative)
		if moves {
			// One of the two products is zero, so the sum rounds once.
			out := p.read(highSlope, l, masked)
			p.multiply(negative, out)
			p.fma(p.read(lowSlope, l, masked), positive, out)
			if name == "relaxAddRows" {
				p.add(p.read(dst, l, masked), out)
			}
			p.write(out, dst, l, masked)
		}
		p.fma(p.read(low, l, masked), positive, lows)
		p.fma(p.read(high, l, masked), negative, highs)
		p.and(abs, v)
		p.fma(p.read(magnitude, l, masked), v, mass)
	})
	p.add(highs, lows)
	p.VMOVSD(p.sum(lows), operand.Mem{Base: sums})
	p.VMOVSD(p.sum(mass), operand.Mem{Base: sums, Disp: 8})
	p.ADDQ(operand.U32(16), sums)
	p.nextRow(l, a)
	if moves {
		p.nextRow(l, dst)
		p.ADDQ(p.address("lowStep"), lowSlope)
	}
	p.DECQ(p.address("count"))
	p.JNZ(operand.LabelRef("row"))
	p.VZEROUPPER()
	p.RET()
}

// nextRow moves a pointer from the start of a row to that of the next.
func (p *pen) nextRow(l rowLoop, base reg.GPVirtual) {
	p.ADDQ(l.whole, base)
	p.LEAQ(operand.Mem{Base: base, Index: l.rest, Scale: 8}, base)
}

// dotRows writes the dot products of rows with one vector, and of their absolute
// values with another.
func (p *pen) dotRows(table operand.Mem) {
	p.Function("dotRowsF64AVX2")
	p.Attributes(noSplit)
	p.Pragma("noescape")
	p.SignatureExpr("func(count, n int, a, x, magnitude, sums *float64)")
	p.Doc("dotRowsF64AVX2 computes the two sums of DotRows of each row.")
	l := p.newRowLoop(table)
	a, x, magnitude, sums := p.argument("a"), p.argument("x"), p.argument("magnitude"), p.argument("sums")
	abs, dot, mass := p.absMask(), p.vector(), p.vector()

	p.Label("row")
	p.zero(dot)
	p.zero(mass)
	p.rowVectors(l, func(masked bool) {
		v := p.read(a, l, masked)
		p.fma(p.read(x, l, masked), v, dot)
		p.and(abs, v)
		p.fma(p.read(magnitude, l, masked), v, mass)
	})
	p.VMOVSD(p.sum(dot), operand.Mem{Base: sums})
	p.VMOVSD(p.sum(mass), operand.Mem{Base: sums, Disp: 8})
	p.ADDQ(operand.U32(16), sums)
	p.nextRow(l, a)
	p.DECQ(p.address("count"))
	p.JNZ(operand.LabelRef("row"))
	p.VZEROUPPER()
	p.RET()
}

// alongRows writes values carried forward along the lines that coefficients
// chose.
func (p *pen) alongRows(table operand.Mem) {
	p.Function("alongRowsF64AVX2")
	p.Attributes(noSplit)
	p.Pragma("noescape")
	p.SignatureExpr("func(count, n int, a, in, out, lowSlope *float64, lowStep int, highSlope, low, high *float64)")
	p.Doc("alongRowsF64AVX2 is AlongRows; lowStep is in bytes.")
	l := p.newRowLoop(table)
	a, in, out := p.argument("a"), p.argument("in"), p.argument("out")
	lowSlope, highSlope, low, high := p.argument("lowSlope"), p.argument("highSlope"), p.argument("low"), p.argument("high")
	zero := p.vector()
	p.zero(zero)

	p.Label("row")
	p.rowVectors(l, func(masked bool) {
		negative := p.vector()
		p.VCMPPD(operand.U8(1), zero, p.read(a, l, masked), negative) // a < 0
		slope, intercept := p.vector(), p.vector()
		p.VBLENDVPD(negative, p.read(highSlope, l, masked), p.read(lowSlope, l, masked), slope)
		p.VBLENDVPD(negative, p.read(high, l, masked), p.read(low, l, masked), intercept)
		p.fma(p.read(in, l, masked), slope, intercept)
		p.write(intercept, out, l, masked)
	})
	p.nextRow(l, a)
	p.nextRow(l, in)
	p.nextRow(l, out)
	p.ADDQ(p.address("lowStep"), lowSlope)
	p.DECQ(p.address("count"))
	p.JNZ(operand.LabelRef("row"))
	p.VZEROUPPER()
	p.RET()
}

// tilt writes the two sums of a row to which a multiple of another is added: of
// its absolute values with radii, and of its signs with reaches.
func (p *pen) tilt(table operand.Mem) {
	p.Function("tiltF64AVX2")
	p.Attributes(noSplit)
	p.Pragma("noescape")
	p.SignatureExpr("func(n int, by float64, a, coef, radius, reach, sums *float64)")
	p.Doc("tiltF64AVX2 computes the two sums of Tilt.")
	n, a, coef, radius, reach := p.argument("n"), p.argument("a"), p.argument("coef"), p.argument("radius"), p.argument("reach")
	g, abs := p.vector(), p.absMask()
	p.broadcast(p.address("by"), g)
	values, slopes := p.several(4), p.several(4)
	for k := range values {
		p.zero(values[k])
		p.zero(slopes[k])
	}
	p.loops(n, table, []reg.GPVirtual{a, coef, radius, reach}, func(v []reg.Register, lane int) {
		t := v[0]
		p.fma(v[1], g, t)
		sign := p.vector()
		p.VANDNPD(t, abs, sign)
		p.VXORPD(sign, v[3], v[3])
		p.add(v[3], slopes[lane])
		p.and(abs, t)
		p.fma(v[2], t, values[lane])
	}, nil)
	sums := p.argument("sums")
	for k, v := range [][]reg.Register{values, slopes} {
		p.add(v[1], v[0])
		p.add(v[3], v[2])
		p.add(v[2], v[0])
		p.VMOVSD(p.sum(v[0]), operand.Mem{Base: sums, Disp: 8 * k})
	}
	p.VZEROUPPER()
	p.RET()
}

// ascend writes one projected step of Adam on slopes.
func (p *pen) ascend(table operand.Mem) {
	p.Function("ascendF64AVX2")
	p.Attributes(noSplit)
	p.Pragma("noescape")
	p.SignatureExpr("func(n int, a, in, free, first, second, slope, constants *float64)")
	p.Doc("ascendF64AVX2 is Ascend; constants holds those of its rule, each four times.")
	l := p.newRowLoop(table)
	a, in, free, first, second, slope := p.argument("a"), p.argument("in"), p.argument("free"), p.argument("first"), p.argument("second"), p.argument("slope")
	constants := p.argument("constants")
	constant := func(i int) operand.Mem { return operand.Mem{Base: constants, Disp: 32 * i} }
	p.rowVectors(l, func(masked bool) {
		// The gradient; where it is not finite or the slope not free, zero.
		mask := p.read(free, l, masked)
		g, t := p.read(a, l, masked), p.vector()
		p.zero(t)
		p.larger(g, t, g)
		p.multiply(p.read(in, l, masked), g)
		p.VANDPD(mask, g, g)
		p.dropNonFinite(g, t)
		m := p.read(first, l, masked)
		p.multiply(constant(decayFirst), m)
		p.VMULPD(constant(gainFirst), g, t)
		p.add(t, m)
		p.write(m, first, l, masked)
		v := p.read(second, l, masked)
		p.multiply(constant(decaySecond), v)
		p.VMULPD(g, g, t)
		p.multiply(constant(gainSecond), t)
		p.add(t, v)
		p.write(v, second, l, masked)
		// The step along m/(√(v·scale) + floor); a step that is not finite is none.
		p.multiply(constant(scale), v)
		p.VSQRTPD(v, v)
		p.add(constant(floor), v)
		p.VDIVPD(v, m, m)
		p.multiply(constant(rate), m)
		p.dropNonFinite(m, t)
		old, x := p.read(slope, l, masked), p.vector()
		p.VADDPD(old, m, x)
		p.VMAXPD(constant(least), x, x)
		p.VMINPD(constant(most), x, x)
		p.VBLENDVPD(mask, x, old, x)
		p.write(x, slope, l, masked)
	})
	p.VZEROUPPER()
	p.RET()
}

// The constants of ascend, each in four lanes.
const (
	decayFirst = iota
	gainFirst
	decaySecond
	gainSecond
	scale
	floor
	rate
	least
	most
)

// dropNonFinite clears the lanes of v that are infinite or not numbers.
func (p *pen) dropNonFinite(v, t reg.Register) {
	p.VSUBPD(v, v, t)
	p.VCMPPD(operand.U8(7), t, t, t) // v − v is a number
	p.VANDPD(t, v, v)
}
