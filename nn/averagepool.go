package nn

// Average pooling: ONNX's AveragePool and GlobalAveragePool.
//
// AveragePool acts on the last one or two axes and treats all axes before them
// as separate planes. A window's divisor is the number of its positions on the
// plane, or with CountIncludePad on the padded plane; a last window of
// ceil_mode that hangs over the padding never counts what is beyond it.

import "github.com/vouchnn/vouch/internal/parallel"

// AveragePool is the mean over sliding windows of the last axes.
type AveragePool struct{ *pool }

// GlobalAveragePool is the mean over all axes from Axis on, which keep size 1.
type GlobalAveragePool struct {
	Axis int // first spatial axis; may count from the end
}

// NewAveragePool makes an average pooling.
// Errors: *UnsupportedError, *ValueError.
func NewAveragePool(cfg PoolConfig) (*AveragePool, error) {
	p, err := newPool("AveragePool", cfg)
	if err != nil {
		return nil, err
	}
	return &AveragePool{p}, nil
}

// NewGlobalAveragePool makes a mean over all axes from the given one on. For
// an ONNX tensor [N C spatial...] that is axis 2.
func NewGlobalAveragePool(axis int) GlobalAveragePool { return GlobalAveragePool{Axis: axis} }

// Forward64 implements Operator.
func (a *AveragePool) Forward64(c *Call[float64]) { averageForward(a, c) }

// Forward32 implements Operator.
func (a *AveragePool) Forward32(c *Call[float32]) { averageForward(a, c) }

// VJP64 implements Operator.
func (a *AveragePool) VJP64(c *Call[float64]) { averageVJP(a, c) }

// VJP32 implements Operator.
func (a *AveragePool) VJP32(c *Call[float32]) { averageVJP(a, c) }

// Magnitude64 implements Affine.
func (a *AveragePool) Magnitude64(c *Call[float64], _ bool) { averageForward(a, c) }

// Rounding implements Affine: a window's sum and quotient forward, the windows
// over one element backward.
func (a *AveragePool) Rounding(in []Shape) (forward, backward int) {
	p := a.planFor(in[0])
	return p.y.most*p.x.most + 2, p.y.cover*p.x.cover + 2
}

// poolGrain is the least number of outputs worth a goroutine.
const poolGrain = 1 << 12

func averageForward[T Float](a *AveragePool, c *Call[T]) {
	p := a.planFor(c.InShapes[0])
	planes, out := len(c.In[0])/(p.y.n*p.x.n), len(p.y.taps)*len(p.x.taps)
	if planes*out < 2*poolGrain {
		averagePlanes(p, c, 0, planes)
		return
	}
	parallel.For(planes, poolGrain/out+1, func(lo, hi int) { averagePlanes(p, c, lo, hi) })
}

func averagePlanes[T Float](p *poolPlan, c *Call[T], lo, hi int) {
	n, out := p.y.n*p.x.n, len(p.y.taps)*len(p.x.taps)
	for i := lo; i < hi; i++ {
		in, dst := c.In[0][i*n:(i+1)*n], c.Out[i*out:(i+1)*out]
		for y, ty := range p.y.taps {
			for x, tx := range p.x.taps {
				s := T(0)
				for ky := range ty.count {
					line := in[(ty.first+ky*p.y.dilation)*p.x.n:][:p.x.n]
					for kx := range tx.count {
						s += line[tx.first+kx*p.x.dilation]
					}
				}
				dst[y*len(p.x.taps)+x] = s / T(ty.divisor*tx.divisor)
			}
		}
	}
}

func averageVJP[T Float](a *AveragePool, c *Call[T]) {
	if c.GradIn[0] == nil {
		return
	}
	p := a.planFor(c.InShapes[0])
	planes, out := len(c.GradIn[0])/(p.y.n*p.x.n), len(p.y.taps)*len(p.x.taps)
	if planes*out < 2*poolGrain {
		averageVJPPlanes(p, c, 0, planes)
		return
	}
	parallel.For(planes, poolGrain/out+1, func(lo, hi int) { averageVJPPlanes(p, c, lo, hi) })
}

func averageVJPPlanes[T Float](p *poolPlan, c *Call[T], lo, hi int) {
	n, out := p.y.n*p.x.n, len(p.y.taps)*len(p.x.taps)
	for i := lo; i < hi; i++ {
		dst, src := c.GradIn[0][i*n:(i+1)*n], c.GradOut[i*out:(i+1)*out]
		for y, ty := range p.y.taps {
			for x, tx := range p.x.taps {
				g := src[y*len(p.x.taps)+x] / T(ty.divisor*tx.divisor)
				for ky := range ty.count {
					line := dst[(ty.first+ky*p.y.dilation)*p.x.n:][:p.x.n]
					for kx := range tx.count {
						line[tx.first+kx*p.x.dilation] += g
					}
				}
			}
		}
	}
}

// Kind implements Operator.
func (GlobalAveragePool) Kind() string { return "GlobalAveragePool" }

// Params implements Operator.
func (GlobalAveragePool) Params() []*Param { return nil }

// OutShape implements Operator.
func (a GlobalAveragePool) OutShape(in []Shape) (Shape, error) {
	if len(in) != 1 {
		return nil, shapeErrorf(a, "takes one input, got %d", len(in))
	}
	axis, ok := in[0].Axis(a.Axis)
	if !ok {
		return nil, shapeErrorf(a, "%v has no axis %d", in[0], a.Axis)
	}
	s := in[0].Clone()
	for i := axis; i < len(s); i++ {
		s[i] = 1
	}
	return s, nil
}

// Forward64 implements Operator.
func (a GlobalAveragePool) Forward64(c *Call[float64]) { meanForward(c) }

// Forward32 implements Operator.
func (a GlobalAveragePool) Forward32(c *Call[float32]) { meanForward(c) }

// VJP64 implements Operator.
func (a GlobalAveragePool) VJP64(c *Call[float64]) { meanVJP(c) }

// VJP32 implements Operator.
func (a GlobalAveragePool) VJP32(c *Call[float32]) { meanVJP(c) }

// Magnitude64 implements Affine.
func (a GlobalAveragePool) Magnitude64(c *Call[float64], _ bool) { meanForward(c) }

// Rounding implements Affine.
func (a GlobalAveragePool) Rounding(in []Shape) (forward, backward int) {
	axis, _ := in[0].Axis(a.Axis)
	return in[0][axis:].Size() + 2, 2
}

func meanForward[T Float](c *Call[T]) {
	n := c.InShapes[0].Size() / c.OutShape.Size()
	for i := range c.Out {
		s := T(0)
		for _, v := range c.In[0][i*n : (i+1)*n] {
			s += v
		}
		c.Out[i] = s / T(n)
	}
}

func meanVJP[T Float](c *Call[T]) {
	if c.GradIn[0] == nil {
		return
	}
	n := c.InShapes[0].Size() / c.OutShape.Size()
	for i, g := range c.GradOut {
		g /= T(n)
		dst := c.GradIn[0][i*n : (i+1)*n]
		for k := range dst {
			dst[k] += g
		}
	}
}
