package reach

// Dense layers of a whole vector.
//
// Generators that fill much of the vector are multiplied as a matrix. A neuron that
// has just been relaxed is a generator with one entry, a pixel behind a convolution one
// with nine: for these the columns of the weights are added up.

import (
	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/internal/parallel"
)

// product is a dense layer of a whole vector.
type product struct {
	weight     []float64 // [out × in]
	transposed []float64 // [in × out]
	out, in    int
}

func newProduct(weight []float64, out, in int) *product {
	p := &product{weight: weight, transposed: make([]float64, len(weight)), out: out, in: in}
	blas.Transpose(out, in, weight, in, p.transposed, out)
	return p
}

// productBlock is how many dense generators are multiplied at a time.
const productBlock = 128

// carry multiplies generators that fill much of the vector as a matrix, and adds
// up columns of the weights for the others.
func (p *product) carry(ins []*form) (generators, view) {
	f := ins[0]
	v := view{1, 1, p.out}
	count := f.gens.count()
	patches := make([]patch, count)
	for k := range patches {
		patches[k] = v.whole()
	}
	out := v.room(f.gens.vars, patches)
	var dense []int
	for k := range count {
		if 8*len(f.gens.values(k)) >= p.in {
			dense = append(dense, k)
		}
	}
	buf := make([]float64, min(len(dense), productBlock)*(p.in+p.out))
	for from := 0; from < len(dense); from += productBlock {
		block := dense[from:min(from+productBlock, len(dense))]
		a, c := buf[:len(block)*p.in], buf[len(buf)-len(block)*p.out:]
		for r, k := range block {
			f.fill(k, a[r*p.in:(r+1)*p.in])
		}
		blas.Gemm(false, true, len(block), p.out, p.in, 1, a, p.in, p.weight, p.in, 0, c, p.out)
		for r, k := range block {
			copy(out.values(k), c[r*p.out:(r+1)*p.out])
		}
	}
	parallel.For(count, 1+(1<<14)/p.out, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			src := f.gens.values(k)
			if 8*len(src) >= p.in {
				continue
			}
			dst := out.values(k)
			f.view.lines(f.gens.patches[k], func(stored, flat, length int) {
				for i, x := range src[stored : stored+length] {
					if x != 0 {
						blas.Axpy(x, p.transposed[(flat+i)*p.out:(flat+i+1)*p.out], dst)
					}
				}
			})
		}
	})
	return out, v
}
