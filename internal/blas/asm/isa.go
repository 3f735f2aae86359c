package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is one instruction set: how wide its vectors are and how many rows of
// accumulators a micro-kernel keeps beside its two vectors of B.
type isa struct {
	name  string
	bytes int // of a vector
	rows  int // of the largest tile
}

var (
	avx2   = isa{"AVX2", 32, 6}
	avx512 = isa{"AVX512", 64, 14}
)

// element is one floating-point type.
type element struct {
	name  string // as it appears in the names of routines
	goes  string // Go type
	bytes int
	shift uint64 // log2 of bytes
}

var (
	float32s = element{"F32", "float32", 4, 2}
	float64s = element{"F64", "float64", 8, 3}
)

// pen writes instructions for one instruction set and one element type, so that
// the routines are written once.
type pen struct {
	*build.Context
	set  isa
	elem element
	lane int // elements of a vector
	mask reg.Register
}

func newPen(ctx *build.Context, set isa, elem element) *pen {
	return &pen{Context: ctx, set: set, elem: elem, lane: set.bytes / elem.bytes}
}

// single tells whether the elements are float32.
func (p *pen) single() bool { return p.elem.bytes == 4 }

// wide tells whether the vectors are those of AVX-512.
func (p *pen) wide() bool { return p.set.bytes == 64 }

// vector asks for a vector register.
func (p *pen) vector() reg.Register {
	if p.wide() {
		return p.ZMM()
	}
	return p.YMM()
}

// zero clears a vector register.
func (p *pen) zero(v reg.Register) {
	if p.wide() {
		p.VPXORD(v, v, v)
		return
	}
	p.VPXOR(v, v, v)
}

// load reads a whole vector.
func (p *pen) load(m operand.Mem, v reg.Register) {
	if p.single() {
		p.VMOVUPS(m, v)
		return
	}
	p.VMOVUPD(m, v)
}

// store writes a whole vector.
func (p *pen) store(v reg.Register, m operand.Mem) {
	if p.single() {
		p.VMOVUPS(v, m)
		return
	}
	p.VMOVUPD(v, m)
}

// loadMasked reads the lanes of the mask and clears the others.
func (p *pen) loadMasked(m operand.Mem, v reg.Register) {
	switch {
	case p.wide() && p.single():
		p.VMOVUPS_Z(m, p.mask, v)
	case p.wide():
		p.VMOVUPD_Z(m, p.mask, v)
	case p.single():
		p.VMASKMOVPS(m, p.mask, v)
	default:
		p.VMASKMOVPD(m, p.mask, v)
	}
}

// storeMasked writes the lanes of the mask and touches no other.
func (p *pen) storeMasked(v reg.Register, m operand.Mem) {
	switch {
	case p.wide() && p.single():
		p.VMOVUPS(v, p.mask, m)
	case p.wide():
		p.VMOVUPD(v, p.mask, m)
	case p.single():
		p.VMASKMOVPS(v, p.mask, m)
	default:
		p.VMASKMOVPD(v, p.mask, m)
	}
}

// broadcast copies one element to every lane.
func (p *pen) broadcast(m operand.Mem, v reg.Register) {
	if p.single() {
		p.VBROADCASTSS(m, v)
		return
	}
	p.VBROADCASTSD(m, v)
}

// fma adds x·y to sum with one rounding. x may be in memory.
func (p *pen) fma(x operand.Op, y, sum reg.Register) {
	if p.single() {
		p.VFMADD231PS(x, y, sum)
		return
	}
	p.VFMADD231PD(x, y, sum)
}

// add sets sum to x+sum. x may be in memory.
func (p *pen) add(x operand.Op, sum reg.Register) {
	if p.single() {
		p.VADDPS(x, sum, sum)
		return
	}
	p.VADDPD(x, sum, sum)
}

// multiply sets product to x·product. x may be in memory.
func (p *pen) multiply(x operand.Op, product reg.Register) {
	if p.single() {
		p.VMULPS(x, product, product)
		return
	}
	p.VMULPD(x, product, product)
}

// makeMask sets the mask to the lowest count lanes, 0 < count <= lanes.
// count is overwritten.
func (p *pen) makeMask(count reg.GPVirtual, table operand.Mem) {
	if p.wide() {
		ones := p.GP64()
		p.MOVQ(count, reg.RCX)
		p.MOVQ(operand.U32(1), ones)
		p.SHLQ(reg.CL, ones)
		p.DECQ(ones)
		k := p.K()
		p.KMOVW(ones.As32(), k)
		p.mask = k
		return
	}
	// The table holds one vector of ones and one of zeros; the mask starts
	// lanes-count elements after its beginning.
	start, base := p.GP64(), p.GP64()
	p.MOVQ(operand.U32(p.lane), start)
	p.SUBQ(count, start)
	p.LEAQ(table, base)
	mask := p.YMM()
	p.VMOVDQU(operand.Mem{Base: base, Index: start, Scale: uint8(p.elem.bytes)}, mask)
	p.mask = mask
}

// maskTable writes the data that makeMask reads with AVX2.
func maskTable(ctx *build.Context, name string) operand.Mem {
	table := ctx.StaticGlobal(name)
	ctx.DataAttributes(rodata)
	for i := range 8 {
		ctx.AddDatum(4*i, operand.U32(0xffffffff))
	}
	for i := 8; i < 16; i++ {
		ctx.AddDatum(4*i, operand.U32(0))
	}
	return table
}
