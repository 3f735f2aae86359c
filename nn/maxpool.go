package nn

// Max pooling: ONNX's MaxPool, padded by −∞.
//
// MaxPool is not affine and not element-wise. What bound propagation needs of
// it is which inputs each output is the maximum of; Windows lists them.
// The gradient goes to the first maximum of a window.

import "github.com/vouchnn/vouch/internal/parallel"

// MaxPool is the maximum over sliding windows of the last axes.
type MaxPool struct{ *pool }

// NewMaxPool makes a max pooling.
// Errors: *UnsupportedError, *ValueError.
func NewMaxPool(cfg PoolConfig) (*MaxPool, error) {
	p, err := newPool("MaxPool", cfg)
	if err != nil {
		return nil, err
	}
	return &MaxPool{p}, nil
}

// Windows lists, for an input of the given shape, which flat input indices
// each flat output index is the maximum of: those of output i are
// index[start[i]:start[i+1]], in the order of the input and never empty.
// Errors: *ShapeError.
func (m *MaxPool) Windows(in Shape) (start, index []int, err error) {
	out, err := m.OutShape([]Shape{in})
	if err != nil {
		return nil, nil, err
	}
	p := m.planFor(in)
	planes := in.Size() / (p.y.n * p.x.n)
	start = make([]int, 1, out.Size()+1)
	for i := range planes {
		for _, ty := range p.y.taps {
			for _, tx := range p.x.taps {
				for ky := range ty.count {
					line := (i*p.y.n + ty.first + ky*p.y.dilation) * p.x.n
					for kx := range tx.count {
						index = append(index, line+tx.first+kx*p.x.dilation)
					}
				}
				start = append(start, len(index))
			}
		}
	}
	return start, index, nil
}

// Forward64 implements Operator.
func (m *MaxPool) Forward64(c *Call[float64]) { maxForward(m, c) }

// Forward32 implements Operator.
func (m *MaxPool) Forward32(c *Call[float32]) { maxForward(m, c) }

// VJP64 implements Operator.
func (m *MaxPool) VJP64(c *Call[float64]) { maxVJP(m, c) }

// VJP32 implements Operator.
func (m *MaxPool) VJP32(c *Call[float32]) { maxVJP(m, c) }

func maxForward[T Float](m *MaxPool, c *Call[T]) {
	p := m.planFor(c.InShapes[0])
	planes, out := len(c.In[0])/(p.y.n*p.x.n), len(p.y.taps)*len(p.x.taps)
	if planes*out < 2*poolGrain {
		maxPlanes(p, c, 0, planes)
		return
	}
	parallel.For(planes, poolGrain/out+1, func(lo, hi int) { maxPlanes(p, c, lo, hi) })
}

func maxPlanes[T Float](p *poolPlan, c *Call[T], lo, hi int) {
	n, out := p.y.n*p.x.n, len(p.y.taps)*len(p.x.taps)
	for i := lo; i < hi; i++ {
		in, dst := c.In[0][i*n:(i+1)*n], c.Out[i*out:(i+1)*out]
		for y, ty := range p.y.taps {
			for x, tx := range p.x.taps {
				dst[y*len(p.x.taps)+x] = in[argmax(p, in, ty, tx)]
			}
		}
	}
}

// argmax is the index of the first maximum of one window over a plane.
func argmax[T Float](p *poolPlan, plane []T, ty, tx poolTaps) int {
	best := ty.first*p.x.n + tx.first
	top := plane[best]
	for ky := range ty.count {
		at := (ty.first+ky*p.y.dilation)*p.x.n + tx.first
		for range tx.count {
			if v := plane[at]; v > top {
				best, top = at, v
			}
			at += p.x.dilation
		}
	}
	return best
}

func maxVJP[T Float](m *MaxPool, c *Call[T]) {
	if c.GradIn[0] == nil {
		return
	}
	p := m.planFor(c.InShapes[0])
	planes, out := len(c.In[0])/(p.y.n*p.x.n), len(p.y.taps)*len(p.x.taps)
	if planes*out < 2*poolGrain {
		maxVJPPlanes(p, c, 0, planes)
		return
	}
	parallel.For(planes, poolGrain/out+1, func(lo, hi int) { maxVJPPlanes(p, c, lo, hi) })
}

func maxVJPPlanes[T Float](p *poolPlan, c *Call[T], lo, hi int) {
	n, out := p.y.n*p.x.n, len(p.y.taps)*len(p.x.taps)
	for i := lo; i < hi; i++ {
		in, dst, src := c.In[0][i*n:(i+1)*n], c.GradIn[0][i*n:(i+1)*n], c.GradOut[i*out:(i+1)*out]
		for y, ty := range p.y.taps {
			for x, tx := range p.x.taps {
				dst[argmax(p, in, ty, tx)] += src[y*len(p.x.taps)+x]
			}
		}
	}
}
