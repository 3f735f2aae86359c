package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The packing of a transposed matrix. transposeF32 reads 8 rows and 8·blocks
// columns and writes them as 8·blocks rows of 8 elements; transposeF64 does the
// same with 4. A block is loaded as one vector per row, interleaved within the
// halves of the vectors, then the halves are exchanged. Both need AVX only and
// serve AVX-512 as well, since reading the source is what takes the time.

func transposes(ctx *build.Context) {
	for _, elem := range []element{float32s, float64s} {
		writeTranspose(newPen(ctx, avx2, elem))
	}
}

func writeTranspose(p *pen) {
	name := "transpose" + p.elem.name
	p.Function(name)
	p.Attributes(noSplit)
	p.Pragma("noescape")
	p.SignatureExpr(fmt.Sprintf("func(blocks int, src *%[1]s, srcRow int, dst *%[1]s, dstRow int)", p.elem.goes))
	p.Doc(fmt.Sprintf("%s writes the transpose of %d rows and %d·blocks columns.", name, p.lane, p.lane))
	blocks := p.argument("blocks")
	src, srcRow := p.argument("src"), p.bytes("srcRow")
	dst, dstRow := p.argument("dst"), p.bytes("dstRow")
	address := newRowAddress(p, src, srcRow, p.lane)

	p.Label("block")
	rows := make([]reg.Register, p.lane)
	for i := range rows {
		rows[i] = p.vector()
		p.load(address.at(i), rows[i])
	}
	var columns []reg.Register
	if p.single() {
		columns = p.transpose8(rows)
	} else {
		columns = p.transpose4(rows)
	}
	for _, v := range columns {
		p.store(v, operand.Mem{Base: dst})
		p.ADDQ(dstRow, dst)
	}
	for _, base := range address.base {
		p.ADDQ(operand.U32(p.set.bytes), base)
	}
	p.DECQ(blocks)
	p.JNZ(operand.LabelRef("block"))
	p.VZEROUPPER()
	p.RET()
}

// transpose4 transposes a 4×4 block of float64.
func (p *pen) transpose4(r []reg.Register) []reg.Register {
	t, out := p.several(4), p.several(4)
	p.VUNPCKLPD(r[1], r[0], t[0]) // 00 10 02 12
	p.VUNPCKHPD(r[1], r[0], t[1]) // 01 11 03 13
	p.VUNPCKLPD(r[3], r[2], t[2])
	p.VUNPCKHPD(r[3], r[2], t[3])
	p.VPERM2F128(operand.U8(0x20), t[2], t[0], out[0])
	p.VPERM2F128(operand.U8(0x20), t[3], t[1], out[1])
	p.VPERM2F128(operand.U8(0x31), t[2], t[0], out[2])
	p.VPERM2F128(operand.U8(0x31), t[3], t[1], out[3])
	return out
}

// transpose8 transposes an 8×8 block of float32.
func (p *pen) transpose8(r []reg.Register) []reg.Register {
	pairs, quads, out := p.several(8), p.several(8), p.several(8)
	for i := 0; i < 8; i += 2 {
		p.VUNPCKLPS(r[i+1], r[i], pairs[i])
		p.VUNPCKHPS(r[i+1], r[i], pairs[i+1])
	}
	for i := 0; i < 8; i += 4 {
		p.VUNPCKLPD(pairs[i+2], pairs[i], quads[i])
		p.VUNPCKHPD(pairs[i+2], pairs[i], quads[i+1])
		p.VUNPCKLPD(pairs[i+3], pairs[i+1], quads[i+2])
		p.VUNPCKHPD(pairs[i+3], pairs[i+1], quads[i+3])
	}
	for i := range 4 {
		p.VPERM2F128(operand.U8(0x20), quads[i+4], quads[i], out[i])
		p.VPERM2F128(operand.U8(0x31), quads[i+4], quads[i], out[i+4])
	}
	return out
}

// several asks for vector registers.
func (p *pen) several(n int) []reg.Register {
	v := make([]reg.Register, n)
	for i := range v {
		v[i] = p.vector()
	}
	return v
}
