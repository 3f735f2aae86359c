package conv

import "github.com/vouchnn/vouch/internal/blas"

// Gathering and scattering patches. The matrix of patches has one row for each
// channel and kernel element, in the order of the weights, and for each position
// of the strip as many columns as the block has samples. A position whose kernel
// element falls on padding holds zeros. Scattering is the transpose of
// gathering: it adds what gathering copies, and drops what falls on padding.

// run is a stretch of a strip within one row of the output: positions
// first to first+count of the strip, at row and column of the output.
type run struct{ first, count, row, column int }

// runs cuts the strip from start to end into runs.
func (s *Spec) runs(buffer []run, start, end int) []run {
	width := s.OutWidth()
	buffer = buffer[:0]
	for p := start; p < end; {
		row, column := p/width, p%width
		count := min(width-column, end-p)
		buffer = append(buffer, run{p - start, count, row, column})
		p += count
	}
	return buffer
}

// inside returns the part of a run whose kernel element lies on the input: the
// number of positions to skip, the number inside, and the input element of the
// first. kh and kw are the kernel element.
func (s *Spec) inside(r run, kh, kw int) (skip, count, row, column int) {
	row = r.row*s.StrideH - s.PadTop + kh*s.DilationH
	if row < 0 || row >= s.Height {
		return r.count, 0, 0, 0
	}
	column = r.column*s.StrideW - s.PadLeft + kw*s.DilationW
	if column < 0 {
		skip = min(r.count, (-column+s.StrideW-1)/s.StrideW)
		column += skip * s.StrideW
	}
	if column < s.Width {
		count = min(r.count-skip, (s.Width-1-column)/s.StrideW+1)
	}
	return skip, count, row, column
}

// gather writes the patches of the runs of a strip. in is a block of n
// samples; row i of the patches starts at i·stride.
func gather[T blas.Float](s *Spec, in []T, n int, runs []run, patches []T, stride int) {
	image, kernel := s.Height*s.Width*n, s.KernelH*s.KernelW*stride
	for element := range s.KernelH * s.KernelW {
		for _, r := range runs {
			skip, count, row, column := s.inside(r, element/s.KernelW, element%s.KernelW)
			from := (row*s.Width + column) * n
			to := element*stride + r.first*n
			first, end, last := to+skip*n, to+(skip+count)*n, to+r.count*n
			for range s.Channels {
				if first > to {
					clear(patches[to:first])
				}
				if last > end {
					clear(patches[end:last])
				}
				if count > 0 {
					blas.CopyRows(count, n, in[from:], s.StrideW*n, patches[first:], n)
				}
				from, to, first, end, last = from+image, to+kernel, first+kernel, end+kernel, last+kernel
			}
		}
	}
}

// scatter adds the patches of the runs of a strip to a block of n samples.
func scatter[T blas.Float](s *Spec, patches []T, stride, n int, runs []run, in []T) {
	image, kernel := s.Height*s.Width*n, s.KernelH*s.KernelW*stride
	for element := range s.KernelH * s.KernelW {
		for _, r := range runs {
			skip, count, row, column := s.inside(r, element/s.KernelW, element%s.KernelW)
			if count == 0 {
				continue
			}
			from := element*stride + (r.first+skip)*n
			to := (row*s.Width + column) * n
			for range s.Channels {
				blas.AddRows(count, n, patches[from:], n, in[to:], s.StrideW*n)
				from, to = from+kernel, to+image
			}
		}
	}
}
