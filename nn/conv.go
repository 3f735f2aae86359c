package nn

// Convolution: ONNX's Conv over one or two spatial axes.
//
// The layer acts on the last axes [C, W] or [C, H, W] and treats all axes
// before them as a batch. A convolution along one axis is one over two whose
// height is 1. The arithmetic lives in internal/conv; this file adds shapes,
// parameters and what bound propagation asks of an affine operator.
//
// A row of the layer's matrix is the kernel, laid over the input at one
// position. Rows64 writes it there directly, at the cost of clearing the row,
// where a transposed convolution of a unit vector would multiply by zeros.

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/vouchnn/vouch/internal/conv"
	"github.com/vouchnn/vouch/internal/parallel"
)

// ConvConfig is the geometry of a convolution. All fields but Kernel may be
// left empty.
type ConvConfig struct {
	Kernel   []int // one or two numbers, at least 1 each
	Stride   []int // per axis; default 1
	Dilation []int // per axis; default 1
	Pad      []int // begins of all axes, then ends, as in ONNX; default 0
	Groups   int   // must divide both channel counts; default 1
}

// Conv is a convolution of the last axes [C, W] or [C, H, W].
type Conv struct {
	config  ConvConfig
	windows []window
	inC     int
	weight  *Param // [O × C/groups × kernel...]
	bias    *Param // [O] or nil
	folded  folded
	plan    atomic.Pointer[convPlan]
}

// convPlan is what a convolution needs to know about an input's shape.
type convPlan struct {
	in   Shape
	spec conv.Spec
}

// NewConv makes a convolution from weights [O × C/groups × kernel...],
// row-major, and a bias [O] or nil. It takes the slices over.
// Errors: *UnsupportedError, *ValueError, *ShapeError.
func NewConv(cfg ConvConfig, outChannels, inChannels int, weight, bias []float64) (*Conv, error) {
	ws, err := windows("Conv", cfg.Kernel, cfg.Stride, cfg.Dilation, cfg.Pad)
	if err != nil {
		return nil, err
	}
	if cfg.Groups == 0 {
		cfg.Groups = 1
	}
	if cfg.Groups < 0 || outChannels <= 0 || inChannels <= 0 || inChannels%cfg.Groups != 0 || outChannels%cfg.Groups != 0 {
		return nil, valueErrorf("Conv", "%d groups for %d input and %d output channels", cfg.Groups, inChannels, outChannels)
	}
	shape := append(Shape{outChannels, inChannels / cfg.Groups}, cfg.Kernel...)
	if shape.Size() != len(weight) || (bias != nil && len(bias) != outChannels) {
		return nil, &ShapeError{Op: "Conv", Detail: fmt.Sprintf("weights of %d, bias of %d numbers for kernels %v", len(weight), len(bias), shape)}
	}
	c := &Conv{windows: ws, inC: inChannels, weight: NewParam("weight", shape, weight)}
	c.config = ConvConfig{Kernel: slices.Clone(cfg.Kernel), Groups: cfg.Groups, Pad: make([]int, 2*len(ws))}
	for i, w := range ws {
		c.config.Stride = append(c.config.Stride, w.stride)
		c.config.Dilation = append(c.config.Dilation, w.dilation)
		c.config.Pad[i], c.config.Pad[i+len(ws)] = w.before, w.after
	}
	if bias != nil {
		c.bias = NewParam("bias", Shape{outChannels}, bias)
	}
	return c, nil
}

// Kind implements Operator.
func (*Conv) Kind() string { return "Conv" }

// Config is the geometry with all defaults filled in. The caller must not
// change its slices.
func (v *Conv) Config() ConvConfig { return v.config }

// Weight is the kernels [O × C/groups × kernel...].
func (v *Conv) Weight() *Param { return v.weight }

// Bias is the bias [O], or nil.
func (v *Conv) Bias() *Param { return v.bias }

// Channels is the number of input and output channels.
func (v *Conv) Channels() (in, out int) { return v.inC, v.weight.Shape[0] }

// Params implements Operator: weight, then bias if there is one.
func (v *Conv) Params() []*Param {
	if v.bias == nil {
		return []*Param{v.weight}
	}
	return []*Param{v.weight, v.bias}
}

// OutShape implements Operator.
func (v *Conv) OutShape(in []Shape) (Shape, error) {
	axes := len(v.windows)
	if len(in) != 1 || len(in[0]) <= axes {
		return nil, shapeErrorf(v, "takes one input of at least %d axes, got %v", axes+1, in)
	}
	first := len(in[0]) - axes
	if in[0][first-1] != v.inC {
		return nil, shapeErrorf(v, "%v has %d channels at axis %d, not %d", in[0], in[0][first-1], first-1, v.inC)
	}
	s := in[0].Clone()
	s[first-1] = v.weight.Shape[0]
	for i, w := range v.windows {
		if s[first+i] = w.outputs(in[0][first+i], false); s[first+i] == 0 {
			return nil, shapeErrorf(v, "kernel %v, dilation %v does not fit into %v padded by %v", v.config.Kernel, v.config.Dilation, in[0], v.config.Pad)
		}
	}
	return s, nil
}

// specFor is the geometry for an input of the given shape.
func (v *Conv) specFor(in Shape) *conv.Spec {
	if p := v.plan.Load(); p != nil && p.in.Equal(in) {
		return &p.spec
	}
	ws := v.windows
	if len(ws) == 1 {
		ws = []window{{kernel: 1, stride: 1, dilation: 1}, ws[0]}
	}
	h, w := ws[0], ws[1]
	p := &convPlan{in: in.Clone(), spec: conv.Spec{
		Channels: v.inC, Height: 1, Width: in[len(in)-1], OutChannels: v.weight.Shape[0],
		KernelH: h.kernel, KernelW: w.kernel, StrideH: h.stride, StrideW: w.stride,
		DilationH: h.dilation, DilationW: w.dilation,
		PadTop: h.before, PadBottom: h.after, PadLeft: w.before, PadRight: w.after,
		Groups: v.config.Groups,
	}}
	if len(v.windows) == 2 {
		p.spec.Height = in[len(in)-2]
	}
	v.plan.Store(p)
	return &p.spec
}

// Forward64 implements Operator.
func (v *Conv) Forward64(c *Call[float64]) { convForward(v, c) }

// Forward32 implements Operator.
func (v *Conv) Forward32(c *Call[float32]) { convForward(v, c) }

// VJP64 implements Operator.
func (v *Conv) VJP64(c *Call[float64]) { convVJP(v, c) }

// VJP32 implements Operator.
func (v *Conv) VJP32(c *Call[float32]) { convVJP(v, c) }

func convForward[T Float](v *Conv, c *Call[T]) {
	s := v.specFor(c.InShapes[0])
	conv.Forward(s, len(c.In[0])/(s.Channels*s.Height*s.Width), c.In[0], paramValues[T](v.weight), paramValues[T](v.bias), c.Out)
}

func convVJP[T Float](v *Conv, c *Call[T]) {
	s := v.specFor(c.InShapes[0])
	batch := len(c.GradOut) / (s.OutChannels * s.OutHeight() * s.OutWidth())
	if g := c.GradIn[0]; g != nil {
		if c.Overwrite {
			conv.SetInputGrad(s, batch, c.GradOut, paramValues[T](v.weight), g)
		} else {
			conv.InputGrad(s, batch, c.GradOut, paramValues[T](v.weight), g)
		}
	}
	if c.GradParams == nil {
		return
	}
	gw, gb := c.GradParams[0], []T(nil)
	if v.bias != nil {
		gb = c.GradParams[1]
	}
	conv.WeightGrad(s, batch, c.In[0], c.GradOut, gw, gb)
}

// Overwrites implements Overwriter.
func (*Conv) Overwrites() {}

// Magnitude64 implements Affine.
func (v *Conv) Magnitude64(c *Call[float64], bias bool) {
	s := v.specFor(c.InShapes[0])
	var b []float64
	if bias {
		b = absValues(v.bias)
	}
	conv.Forward(s, len(c.In[0])/(s.Channels*s.Height*s.Width), c.In[0], v.weight.abs(), b, c.Out)
}

// Rounding implements Affine: a sum over a kernel and the bias forward, over
// the kernels of one group backward.
func (v *Conv) Rounding([]Shape) (forward, backward int) {
	k := len(v.weight.Values()) / v.weight.Shape[0]
	back := len(v.weight.Values()) / v.inC
	return k + 2 + v.folded.extra(), back + 2 + v.folded.weight
}

// rowGrain is the least number of elements of rows worth a goroutine.
const rowGrain = 1 << 15

// Rows64 implements RowSource: every row is a kernel laid over the input.
func (v *Conv) Rows64(c *Call[float64], rows []int) {
	s := v.specFor(c.InShapes[0])
	n := c.InShapes[0].Size()
	dst := c.GradIn[0]
	if len(rows)*n < 2*rowGrain {
		for r, row := range rows {
			v.row(s, row, dst[r*n:(r+1)*n])
		}
		return
	}
	parallel.For(len(rows), rowGrain/n+1, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			v.row(s, rows[r], dst[r*n:(r+1)*n])
		}
	})
}

// row overwrites dst by the row of flat output index out.
func (v *Conv) row(s *conv.Spec, out int, dst []float64) {
	clear(dst)
	plane := s.OutHeight() * s.OutWidth()
	sample, out := out/(s.OutChannels*plane), out%(s.OutChannels*plane)
	o, y, x := out/plane, out%plane/s.OutWidth(), out%s.OutWidth()
	perGroup := s.Channels / s.Groups
	group := o / (s.OutChannels / s.Groups)
	kernel := s.KernelH * s.KernelW
	w := v.weight.Values()[o*perGroup*kernel : (o+1)*perGroup*kernel]
	at := (sample*s.Channels + group*perGroup) * s.Height * s.Width
	top, left := y*s.StrideH-s.PadTop, x*s.StrideW-s.PadLeft
	for ch := range perGroup {
		for ky := range s.KernelH {
			iy := top + ky*s.DilationH
			if iy < 0 || iy >= s.Height {
				continue
			}
			line := dst[at+(ch*s.Height+iy)*s.Width:][:s.Width]
			for kx := range s.KernelW {
				if ix := left + kx*s.DilationW; ix >= 0 && ix < s.Width {
					line[ix] = w[ch*kernel+ky*s.KernelW+kx]
				}
			}
		}
	}
}
