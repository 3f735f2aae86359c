package reach

// Convolution and average pooling of patches.
//
// A generator that is zero outside a patch stays zero outside the patch's
// receptive field turned round: the positions whose window touches it. So only a
// window of the input around the patch has to be convolved, without padding.
// Generators whose windows have the same size go through internal/conv together,
// which for the pixels of an image is nearly all of them.

import (
	"github.com/vouchnn/vouch/internal/conv"
	"github.com/vouchnn/vouch/nn"
)

// sliding is the positions of a window along one axis.
type sliding struct{ n, out, kernel, stride, dilation, pad int }

// touching is the windows [from, to) that may touch [lo, hi).
func (s sliding) touching(lo, hi int32) (from, to int32) {
	first := int(lo) + s.pad - (s.kernel-1)*s.dilation
	if first > 0 {
		from = int32((first + s.stride - 1) / s.stride)
	}
	last := int(hi) - 1 + s.pad
	if last < 0 || hi <= lo {
		return 0, 0
	}
	return from, int32(min(last/s.stride+1, s.out))
}

// extent is the length of the input under count windows.
func (s sliding) extent(count int) int { return (count-1)*s.stride + (s.kernel-1)*s.dilation + 1 }

// origin is where window o starts, which may be in the padding.
func (s sliding) origin(o int32) int { return int(o)*s.stride - s.pad }

// touched is the patch of windows that may touch p.
func touched(y, x sliding, p patch) patch {
	var q patch
	q.y0, q.y1 = y.touching(p.y0, p.y1)
	q.x0, q.x1 = x.touching(p.x0, p.x1)
	return q
}

// roomFor is generators over the windows that f's touch, all zero, and which of
// f's they come from.
func roomFor(f *form, y, x sliding, out view) (g generators, from []int) {
	var vars []int32
	var patches []patch
	for k, p := range f.gens.patches {
		if q := touched(y, x, p); !q.empty() {
			vars, patches, from = append(vars, f.gens.vars[k]), append(patches, q), append(from, k)
		}
	}
	return out.room(vars, patches), from
}

// convolution is a Conv over the image's two axes, or its one.
type convolution struct {
	in, out view
	weight  []float64
	spec    conv.Spec // without heights, widths and padding
	y, x    sliding
}

// newConvolution is nil where the operator works on a batch of images.
func newConvolution(op *nn.Conv, in, out nn.Shape) *convolution {
	cfg := op.Config()
	axes := len(cfg.Kernel)
	c, o := op.Channels()
	n := len(in)
	if in[:n-axes].Size() != c {
		return nil
	}
	v := &convolution{weight: op.Weight().Values()}
	v.in, v.out = view{c, 1, in[n-1]}, view{o, 1, out[n-1]}
	v.y = sliding{1, 1, 1, 1, 1, 0}
	if axes == 2 {
		v.in.height, v.out.height = in[n-2], out[n-2]
		v.y = sliding{in[n-2], out[n-2], cfg.Kernel[0], cfg.Stride[0], cfg.Dilation[0], cfg.Pad[0]}
	}
	v.x = sliding{in[n-1], out[n-1], cfg.Kernel[axes-1], cfg.Stride[axes-1], cfg.Dilation[axes-1], cfg.Pad[axes-1]}
	v.spec = conv.Spec{
		Channels: c, OutChannels: o, KernelH: v.y.kernel, KernelW: v.x.kernel, StrideH: v.y.stride, StrideW: v.x.stride,
		DilationH: v.y.dilation, DilationW: v.x.dilation, Groups: cfg.Groups,
	}
	return v
}

// convBlock bounds the numbers in a batch of windows.
const convBlock = 1 << 19

func (v *convolution) carry(ins []*form) (generators, view) {
	f := ins[0].within(v.in)
	out, from := roomFor(f, v.y, v.x, v.out)
	groups := map[[2]int][]int{}
	var order [][2]int
	for k, q := range out.patches {
		key := [2]int{q.height(), q.width()}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], k)
	}
	for _, key := range order {
		spec := v.spec
		spec.Height, spec.Width = v.y.extent(key[0]), v.x.extent(key[1])
		in, size := spec.Channels*spec.Height*spec.Width, spec.OutChannels*key[0]*key[1]
		most := max(1, convBlock/(in+size))
		members := groups[key]
		buf := make([]float64, min(most, len(members))*(in+size))
		for len(members) > 0 {
			block := members[:min(most, len(members))]
			members = members[len(block):]
			x, y := buf[:len(block)*in], buf[len(buf)-len(block)*size:]
			clear(x)
			for r, k := range block {
				v.window(f, from[k], out.patches[k], &spec, x[r*in:(r+1)*in])
			}
			conv.Forward(&spec, len(block), x, v.weight, nil, y)
			for r, k := range block {
				copy(out.values(k), y[r*size:(r+1)*size])
			}
		}
	}
	return out, v.out
}

// window writes what generator k has under the windows q into dst, zeroed.
func (v *convolution) window(f *form, k int, q patch, spec *conv.Spec, dst []float64) {
	p, src := f.gens.patches[k], f.gens.values(k)
	top, left := v.y.origin(q.y0), v.x.origin(q.x0)
	y0, y1 := max(int(p.y0), top), min(int(p.y1), top+spec.Height)
	x0, x1 := max(int(p.x0), left), min(int(p.x1), left+spec.Width)
	if x0 >= x1 {
		return
	}
	for c := range spec.Channels {
		for y := y0; y < y1; y++ {
			line := src[(c*p.height()+y-int(p.y0))*p.width():][:p.width()]
			copy(dst[(c*spec.Height+y-top)*spec.Width+x0-left:], line[x0-int(p.x0):x1-int(p.x0)])
		}
	}
}

// pooling is an AveragePool over the image's two axes, or its one.
type pooling struct {
	in, out view
	y, x    sliding
	ny, nx  []float64 // per window: how many positions the mean counts
}

func newPooling(op *nn.AveragePool, in, out nn.Shape) *pooling {
	cfg := op.Config()
	axes, n := len(cfg.Kernel), len(in)
	v := &pooling{
		in:  view{in[:n-axes].Size(), 1, in[n-1]},
		out: view{in[:n-axes].Size(), 1, out[n-1]},
		y:   sliding{1, 1, 1, 1, 1, 0},
	}
	axis := func(k, size, count int) (sliding, []float64) {
		s := sliding{size, count, cfg.Kernel[k], cfg.Stride[k], cfg.Dilation[k], cfg.Pad[k]}
		divisors := make([]float64, count)
		lo, hi := 0, size
		if cfg.CountIncludePad {
			lo, hi = -cfg.Pad[k], size+cfg.Pad[k+axes]
		}
		for o := range divisors {
			for t := range s.kernel {
				if at := s.origin(int32(o)) + t*s.dilation; at >= lo && at < hi {
					divisors[o]++
				}
			}
		}
		return s, divisors
	}
	v.ny = []float64{1}
	if axes == 2 {
		v.in.height, v.out.height = in[n-2], out[n-2]
		v.y, v.ny = axis(0, in[n-2], out[n-2])
	}
	v.x, v.nx = axis(axes-1, in[n-1], out[n-1])
	return v
}

func (v *pooling) carry(ins []*form) (generators, view) {
	f := ins[0].within(v.in)
	out, from := roomFor(f, v.y, v.x, v.out)
	for k, q := range out.patches {
		p, src, dst := f.gens.patches[from[k]], f.gens.values(from[k]), out.values(k)
		for c := range v.in.channels {
			v.mean(src[c*p.height()*p.width():], p, dst[c*q.height()*q.width():], q)
		}
	}
	return out, v.out
}

// mean pools one channel of patch p into patch q, which is zero.
func (v *pooling) mean(src []float64, p patch, dst []float64, q patch) {
	for oy := q.y0; oy < q.y1; oy++ {
		row := dst[int(oy-q.y0)*q.width():][:q.width()]
		for ky := range v.y.kernel {
			y := v.y.origin(oy) + ky*v.y.dilation
			if y < int(p.y0) || y >= int(p.y1) {
				continue
			}
			line := src[(y-int(p.y0))*p.width():][:p.width()]
			for i := range row {
				at := v.x.origin(q.x0+int32(i)) - int(p.x0)
				for range v.x.kernel {
					if at >= 0 && at < len(line) {
						row[i] += line[at]
					}
					at += v.x.dilation
				}
			}
		}
		for i := range row {
			row[i] /= v.ny[oy] * v.nx[int(q.x0)+i]
		}
	}
}
