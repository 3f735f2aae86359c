package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The micro-kernels of GEMM. A kernel computes a tile of C of `rows` rows and
// `vectors` vectors of columns:
//
//	C = alpha·A·B + beta·C
//
// with the whole tile in registers. Each step of depth loads the vectors of one
// row of B, then for each row of A broadcasts one element and makes one fused
// multiply-add per vector. A lane of an accumulator belongs to one element of C
// and sums its products in the order of depth. So the bits of an element depend
// neither on the shape of the tile nor on the width of the vectors.
//
// The elements of A are addressed by two strides, therefore the same kernel
// reads A packed, as it lies in memory, or transposed. A row of B is contiguous.
// There is a kernel for each number of rows: a matrix is cut into panels of
// nearly equal height and no row is computed for nothing. A masked kernel reads
// and writes only `columns` columns.

const (
	rodata  = attr.RODATA | attr.NOPTR
	noSplit = attr.NOSPLIT
)

const tileSignature = "func(depth int, a *%[1]s, aRow, aStep int, b *%[1]s, bStep int, " +
	"c *%[1]s, cRow int, alpha, beta %[1]s, columns int)"

// tiles writes every micro-kernel of one instruction set.
func tiles(ctx *build.Context, set isa) {
	var table operand.Mem
	if set == avx2 {
		table = maskTable(ctx, "tileMask")
	}
	for _, elem := range []element{float32s, float64s} {
		for rows := 1; rows <= set.rows; rows++ {
			for _, shape := range tileShapes(set, rows) {
				writeTile(newPen(ctx, set, elem), rows, shape.vectors, shape.masked, table)
			}
		}
	}
}

// tileShape is the width of a tile.
type tileShape struct {
	vectors int
	masked  bool
}

// tileShapes lists the widths to write for a number of rows.
func tileShapes(_ isa, _ int) []tileShape {
	return []tileShape{{1, true}, {2, true}, {2, false}}
}

// rowAddress gives the addresses of the elements of one column of A, seven rows
// to a pointer by way of multiples of the row stride.
type rowAddress struct {
	base             []reg.GPVirtual
	one, three, five reg.GPVirtual // the stride and its multiples
}

func newRowAddress(p *pen, a, stride reg.GPVirtual, rows int) *rowAddress {
	r := &rowAddress{base: []reg.GPVirtual{a}, one: stride}
	if rows > 3 {
		r.three = p.GP64()
		p.LEAQ(operand.Mem{Base: stride, Index: stride, Scale: 2}, r.three)
	}
	if rows > 5 {
		r.five = p.GP64()
		p.LEAQ(operand.Mem{Base: stride, Index: stride, Scale: 4}, r.five)
	}
	if rows > 7 {
		next := p.GP64()
		p.LEAQ(operand.Mem{Base: a, Index: r.three, Scale: 2}, next)
		p.ADDQ(stride, next)
		r.base = append(r.base, next)
	}
	return r
}

// at is the address of the element of a row.
func (r *rowAddress) at(row int) operand.Mem {
	m := operand.Mem{Base: r.base[row/7]}
	switch row % 7 {
	case 1, 2, 4:
		m.Index, m.Scale = r.one, uint8(row%7)
	case 3, 6:
		m.Index, m.Scale = r.three, uint8(row%7/3)
	case 5:
		m.Index, m.Scale = r.five, 1
	}
	return m
}

// writeTile writes one micro-kernel.
func writeTile(p *pen, rows, vectors int, masked bool, table operand.Mem) {
	name := tileShape{vectors, masked}.routine(fmt.Sprintf("tile%s%sR%d", p.elem.name, p.set.name, rows))
	p.Function(name)
	p.Attributes(noSplit)
	p.Pragma("noescape")
	p.SignatureExpr(fmt.Sprintf(tileSignature, p.elem.goes))
	p.Doc(fmt.Sprintf("%s computes a tile of %d rows and %d vectors of columns.", name, rows, vectors))

	depth := p.argument("depth")
	a, aRow, aStep := p.argument("a"), p.bytes("aRow"), p.bytes("aStep")
	b, bStep := p.argument("b"), p.bytes("bStep")
	if masked {
		columns := p.argument("columns")
		if vectors > 1 {
			p.SUBQ(operand.U32((vectors-1)*p.lane), columns)
		}
		p.makeMask(columns, table)
	}
	sums := make([][]reg.Register, rows)
	for i := range sums {
		for range vectors {
			v := p.vector()
			p.zero(v)
			sums[i] = append(sums[i], v)
		}
	}
	address := newRowAddress(p, a, aRow, rows)
	p.tilePrefetch(rows, vectors)

	p.Label("step")
	right := make([]reg.Register, vectors)
	for j := range right {
		right[j] = p.vector()
		m := operand.Mem{Base: b, Disp: j * p.set.bytes}
		if masked && j == vectors-1 {
			p.loadMasked(m, right[j])
		} else {
			p.load(m, right[j])
		}
	}
	for i := range rows {
		left := p.vector()
		p.broadcast(address.at(i), left)
		for j := range right {
			p.fma(left, right[j], sums[i][j])
		}
	}
	for _, base := range address.base {
		p.ADDQ(aStep, base)
	}
	p.ADDQ(bStep, b)
	p.DECQ(depth)
	p.JNZ(operand.LabelRef("step"))
	p.tileEnd(sums, masked)
}

// tilePrefetch asks for the tile of C, which is needed only after the sums.
func (p *pen) tilePrefetch(rows, vectors int) {
	c, cRow := p.argument("c"), p.bytes("cRow")
	for i := range rows {
		for offset := 0; offset < vectors*p.set.bytes; offset += 64 {
			p.PREFETCHT0(operand.Mem{Base: c, Disp: offset})
		}
		if i < rows-1 {
			p.ADDQ(cRow, c)
		}
	}
}

// tileEnd writes alpha·sums + beta·C. With beta zero it does not read C.
func (p *pen) tileEnd(sums [][]reg.Register, masked bool) {
	c, cRow := p.argument("c"), p.bytes("cRow")
	alpha, beta := p.vector(), p.vector()
	p.broadcast(p.address("alpha"), alpha)
	bits := p.GP64()
	if p.single() {
		p.MOVL(p.address("beta"), bits.As32())
		p.ADDL(bits.As32(), bits.As32()) // drops the sign: -0 is zero too
	} else {
		p.MOVQ(p.address("beta"), bits)
		p.ADDQ(bits, bits)
	}
	p.JZ(operand.LabelRef("overwrite"))

	p.broadcast(p.address("beta"), beta)
	p.tileStore(sums, masked, alpha, beta, c, cRow)
	p.VZEROUPPER()
	p.RET()

	p.Label("overwrite")
	p.tileStore(sums, masked, alpha, nil, c, cRow)
	p.VZEROUPPER()
	p.RET()
}

// tileStore writes the rows of a tile; beta nil overwrites.
func (p *pen) tileStore(sums [][]reg.Register, masked bool, alpha, beta reg.Register, c, cRow reg.GPVirtual) {
	for i := range sums {
		for j, sum := range sums[i] {
			m := operand.Mem{Base: c, Disp: j * p.set.bytes}
			last := masked && j == len(sums[i])-1
			p.multiply(alpha, sum)
			switch {
			case beta == nil:
			case last:
				old := p.vector()
				p.loadMasked(m, old)
				p.fma(old, beta, sum)
			default:
				p.fma(m, beta, sum)
			}
			if last {
				p.storeMasked(sum, m)
			} else {
				p.store(sum, m)
			}
		}
		if i < len(sums)-1 {
			p.ADDQ(cRow, c)
		}
	}
}

// argument loads an integer or pointer argument.
func (p *pen) argument(name string) reg.GPVirtual {
	r := p.GP64()
	p.Load(p.Param(name), r)
	return r
}

// bytes loads an argument that counts elements and turns it into bytes.
func (p *pen) bytes(name string) reg.GPVirtual {
	r := p.argument(name)
	p.SHLQ(operand.U8(p.elem.shift), r)
	return r
}

// address is where an argument lies on the stack.
func (p *pen) address(name string) operand.Mem {
	c, err := p.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return c.Addr
}
