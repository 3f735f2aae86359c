package bounds

// Rows of convolutions as windows.
//
// A row that starts at one element of a convolution has coefficients in a small
// window of the layer before, and behind one more convolution in a window that is
// a kernel larger. Elsewhere they are zero. While the window is much smaller than
// the layer, a pass keeps and carries it alone: a 3×3 window of 4 channels is 36
// numbers of 2704. Where it has grown too large, or meets an operator of another
// kind, the rows are laid out in full and go on as all rows do.
//
// All rows of a block have windows of one size, each with its own origin, which
// may lie outside of the layer; what a window holds there belongs to padding and is
// zero. A convolution backward is one product for the block, window elements by
// kernel, whose results are then added up where kernels overlap.
//
// Rounding is accounted for as everywhere (rounding.go), by the same magnitudes:
// terms that are left out are zero.

import (
	"github.com/vouchnn/vouch/nn"
)

// kernel is the geometry and the weights of a convolution over two axes, without
// groups and dilation.
type kernel struct {
	height, width, strideY, strideX, top, left int
	inC, inH, inW, outC, outH, outW            int
	weight                                     []float64 // [outC × height × width × inC]
}

// newKernel is the kernel of a convolution of one tensor [C, H, W] or [C, W], axes
// of length 1 in front of it aside; nil for others.
func newKernel(op nn.Affine, in nn.Shape, out nn.Shape) *kernel {
	v, ok := op.(*nn.Conv)
	if !ok {
		return nil
	}
	cfg := v.Config()
	axes := len(cfg.Kernel)
	if cfg.Groups != 1 || in[:len(in)-axes-1].Size() != 1 {
		return nil
	}
	for _, d := range cfg.Dilation {
		if d != 1 {
			return nil
		}
	}
	// A missing axis is one of length 1.
	at := func(list []int, axis, otherwise int) int {
		if axis -= 2 - axes; axis >= 0 {
			return list[axis]
		}
		return otherwise
	}
	inC, outC := v.Channels()
	k := &kernel{
		height: at(cfg.Kernel, 0, 1), width: at(cfg.Kernel, 1, 1), strideY: at(cfg.Stride, 0, 1), strideX: at(cfg.Stride, 1, 1),
		top: at(cfg.Pad, 0, 0), left: at(cfg.Pad, 1, 0),
		inC: inC, inH: at(in[len(in)-axes:], 0, 1), inW: in[len(in)-1], outC: outC, outH: at(out[len(out)-axes:], 0, 1), outW: out[len(out)-1],
	}
	if 2*k.inside() > k.inC*k.inH*k.inW {
		return nil // a window would save nothing
	}
	places := k.height * k.width
	k.weight = make([]float64, outC*places*inC)
	from := v.Weight().Values()
	for o := range outC {
		for c := range inC {
			for p := range places {
				k.weight[(o*places+p)*inC+c] = from[(o*inC+c)*places+p]
			}
		}
	}
	return k
}

// inside is the size of one window of the input.
func (k *kernel) inside() int { return k.height * k.width * k.inC }

// windows is the coefficients of a block's rows at one node, of which they keep
// windows [rows × height × width × channels].
type windows struct {
	coef                    []float64
	height, width, channels int
	layerH, layerW          int   // of the node
	originY, originX        []int // per row
	node                    int
}

// startWindows carries rows of single elements of the start node back as windows,
// as far as that pays, and lays them out. It returns the node where they are, or ok
// false if windows are no use for them.
func (p *pass) startWindows(start int) (next int, ok bool) {
	a, isAffine := p.s.m.rules[start].(*affine)
	if !isAffine || a.kernel == nil || p.view != nil || p.tune != nil {
		return start, false
	}
	w := p.firstWindows(a.kernel)
	w.node = p.s.m.nodes[start].Inputs[0]
	p.startConstants(a, start)
	for w.node > 0 && p.windowStep(w) {
	}
	p.layOut(w)
	return w.node, true
}

// firstWindows is the rows of the convolution's matrix.
func (p *pass) firstWindows(k *kernel) *windows {
	n := len(p.rows)
	w := &windows{
		height: k.height, width: k.width, channels: k.inC, layerH: k.inH, layerW: k.inW,
		originY: make([]int, n), originX: make([]int, n), coef: p.buffer(n * k.inside()),
	}
	plane := k.outH * k.outW
	for r, row := range p.rows {
		o, y, x := row.index/plane, row.index%plane/k.outW, row.index%k.outW
		w.originY[r], w.originX[r] = y*k.strideY-k.top, x*k.strideX-k.left
		dst := w.coef[r*k.inside() : (r+1)*k.inside()]
		for i, v := range k.weight[o*k.inside() : (o+1)*k.inside()] {
			dst[i] = row.sign * v
		}
	}
	w.clearPadding()
	return w
}

// size is the numbers of one row.
func (w *windows) size() int { return w.height * w.width * w.channels }

// linesInside calls fn for each line of row r's window that lies in the layer, with
// the place of its first number in the window and in one channel of the layer, and
// how many places of the line lie in the layer.
func (w *windows) linesInside(r int, fn func(at, place, count int)) {
	fromX, toX := max(0, -w.originX[r]), min(w.width, w.layerW-w.originX[r])
	if fromX >= toX {
		return
	}
	for y := max(0, -w.originY[r]); y < min(w.height, w.layerH-w.originY[r]); y++ {
		fn((y*w.width+fromX)*w.channels, (w.originY[r]+y)*w.layerW+w.originX[r]+fromX, toX-fromX)
	}
}

// clearPadding sets to zero what lies outside of the layer.
func (w *windows) clearPadding() {
	for r := range w.originY {
		if w.originY[r] >= 0 && w.originX[r] >= 0 && w.originY[r]+w.height <= w.layerH && w.originX[r]+w.width <= w.layerW {
			continue
		}
		row := w.coef[r*w.size() : (r+1)*w.size()]
		for y := range w.height {
			for x := range w.width {
				if iy, ix := w.originY[r]+y, w.originX[r]+x; iy < 0 || ix < 0 || iy >= w.layerH || ix >= w.layerW {
					clear(row[(y*w.width+x)*w.channels : (y*w.width+x+1)*w.channels])
				}
			}
		}
	}
}

// windowStep carries the rows through their node, if it is an activation or a
// convolution behind which windows still pay.
func (p *pass) windowStep(w *windows) bool {
	switch r := p.s.m.rules[w.node].(type) {
	case elementwise:
		p.relaxWindows(w)
		w.node = p.s.m.nodes[w.node].Inputs[0]
		return true
	case *affine:
		k := r.kernel
		if k == nil {
			return false
		}
		height, width := (w.height-1)*k.strideY+k.height, (w.width-1)*k.strideX+k.width
		if 2*height*width*k.inC > k.inC*k.inH*k.inW {
			return false
		}
		p.sumWindows(w, r)
		p.widenWindows(w, k, height, width)
		w.node = p.s.m.nodes[w.node].Inputs[0]
		return true
	}
	return false
}

// relaxWindows replaces each neuron by the line below or above it, as
// elementwise.step does.
func (p *pass) relaxWindows(w *windows) {
	s, i := p.s, w.node
	g := gamma(s.m.size[i] + 4 + s.m.arriving[s.m.nodes[i].Inputs[0]])
	plane := w.layerH * w.layerW
	for r, row := range p.rows {
		v := p.at(i, row.domain)
		coef := w.coef[r*w.size() : (r+1)*w.size()]
		constant, mass := 0.0, 0.0
		w.linesInside(r, func(at, place, count int) {
			for x := range count {
				for e := place + x; e < len(v.magnitude); e += plane {
					a := coef[at]
					slope, intercept := v.lines.LowSlope[e], v.lines.Low[e]
					if a < 0 {
						slope, intercept = v.lines.HighSlope[e], v.lines.High[e]
						mass -= a * v.magnitude[e]
					} else {
						mass += a * v.magnitude[e]
					}
					constant += a * intercept
					coef[at] = a * slope
					at++
				}
			}
		})
		p.addConst(r, constant)
		p.err[r] += g * mass
	}
}

// sumWindows adds the constants of a convolution and its rounding, as affine.step
// does.
func (p *pass) sumWindows(w *windows, a *affine) {
	s, i := p.s, w.node
	if s.magnitude[i] == nil {
		return
	}
	arriving, _ := s.m.arrivingAt(i)
	g := a.backwardError + gamma(arriving)
	plane := w.layerH * w.layerW
	for r, row := range p.rows {
		coef := w.coef[r*w.size() : (r+1)*w.size()]
		magnitude := s.span(s.magnitude[i], i, row.domain)
		constant, mass := 0.0, 0.0
		w.linesInside(r, func(at, place, count int) {
			for x := range count {
				for e := place + x; e < len(magnitude); e += plane {
					v := coef[at]
					mass += max(v, -v) * magnitude[e]
					if a.bias != nil {
						constant += v * a.bias[e]
					}
					at++
				}
			}
		})
		if a.bias != nil {
			p.addConst(r, constant)
		}
		p.err[r] += g * mass
	}
}

// widenWindows carries the rows through a convolution: all kernels at once, then
// what they have in common is added up.
func (p *pass) widenWindows(w *windows, k *kernel, height, width int) {
	n, line := len(p.rows), k.width*k.inC
	product := p.buffer(n * w.height * w.width * k.inside())
	p.gemm(false, n*w.height*w.width, k.inside(), k.outC, w.coef, k.outC, k.weight, k.inside(), 0, product, k.inside())
	to := &windows{
		height: height, width: width, channels: k.inC, layerH: k.inH, layerW: k.inW,
		originY: w.originY, originX: w.originX, coef: p.buffer(n * height * width * k.inC), node: w.node,
	}
	clear(to.coef)
	at := 0
	for r := range n {
		row := to.coef[r*to.size() : (r+1)*to.size()]
		for y := range w.height {
			for x := range w.width {
				for ky := range k.height {
					dst := row[((y*k.strideY+ky)*width+x*k.strideX)*k.inC:][:line]
					for i, v := range product[at : at+line] {
						dst[i] += v
					}
					at += line
				}
			}
		}
		w.originY[r] = w.originY[r]*k.strideY - k.top
		w.originX[r] = w.originX[r]*k.strideX - k.left
	}
	p.free = append(p.free, product, w.coef)
	to.clearPadding()
	*w = *to
}

// layOut makes full rows of the windows.
func (p *pass) layOut(w *windows) {
	plane, n := w.layerH*w.layerW, w.channels*w.layerH*w.layerW
	dst, _ := p.target(w.node)
	clear(dst)
	for r := range p.rows {
		coef, row := w.coef[r*w.size():(r+1)*w.size()], dst[r*n:(r+1)*n]
		w.linesInside(r, func(at, place, count int) {
			for x := range count {
				for e := place + x; e < n; e += plane {
					row[e] = coef[at]
					at++
				}
			}
		})
	}
	p.free = append(p.free, w.coef)
	if w.coef = nil; w.node == 0 {
		p.window = w
	}
}

// supportOf is where row r of the input is not zero; nil if that is not known or of
// no use, because the point x where the row is least is wanted.
func (p *pass) supportOf(r int, x []float64) []run {
	w := p.window
	if w == nil || x != nil {
		return nil
	}
	out := make([]run, 0, w.height*w.channels)
	w.linesInside(r, func(_, place, count int) {
		for c := range w.channels {
			out = append(out, run{c*w.layerH*w.layerW + place, count})
		}
	})
	return out
}
