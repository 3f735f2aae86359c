package nn

// Element-wise activations: ReLU, LeakyReLU, Sigmoid, Tanh and Arctan.
//
// Derivatives use the forms that neither overflow nor cancel: with
// e = exp(−|x|), the sigmoid's is e/(1+e)², tanh's 4e²/(1+e²)².

import (
	"math"

	"github.com/vouchnn/vouch/internal/parallel"
)

// ReLU is max(x, 0).
type ReLU struct{}

// LeakyReLU is x for x ≥ 0 and Slope·x below.
type LeakyReLU struct {
	Slope float64 // ONNX's alpha, in [0, 1]
}

// Sigmoid is 1/(1+exp(−x)).
type Sigmoid struct{}

// Tanh is the hyperbolic tangent.
type Tanh struct{}

// Arctan is the inverse tangent.
type Arctan struct{}

// Kind implements Operator.
func (ReLU) Kind() string { return "Relu" }

// Kind implements Operator.
func (LeakyReLU) Kind() string { return "LeakyRelu" }

// Kind implements Operator.
func (Sigmoid) Kind() string { return "Sigmoid" }

// Kind implements Operator.
func (Tanh) Kind() string { return "Tanh" }

// Kind implements Operator.
func (Arctan) Kind() string { return "Atan" }

// Value implements Elementwise.
func (ReLU) Value(x float64) float64 {
	if x > 0 {
		return x
	}
	return 0
}

// Derivative implements Elementwise.
func (ReLU) Derivative(x float64) float64 {
	if x >= 0 {
		return 1
	}
	return 0
}

// Value implements Elementwise.
func (a LeakyReLU) Value(x float64) float64 {
	if x >= 0 {
		return x
	}
	return a.Slope * x
}

// Derivative implements Elementwise.
func (a LeakyReLU) Derivative(x float64) float64 {
	if x >= 0 {
		return 1
	}
	return a.Slope
}

// Value implements Elementwise.
func (Sigmoid) Value(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

// Derivative implements Elementwise.
func (Sigmoid) Derivative(x float64) float64 {
	e := math.Exp(-math.Abs(x))
	return e / ((1 + e) * (1 + e))
}

// Value implements Elementwise.
func (Tanh) Value(x float64) float64 { return math.Tanh(x) }

// Derivative implements Elementwise.
func (Tanh) Derivative(x float64) float64 {
	e := math.Exp(-2 * math.Abs(x))
	return 4 * e / ((1 + e) * (1 + e))
}

// Value implements Elementwise.
func (Arctan) Value(x float64) float64 { return math.Atan(x) }

// Derivative implements Elementwise.
func (Arctan) Derivative(x float64) float64 { return 1 / (1 + x*x) }

// OutShape implements Operator.
func (a ReLU) OutShape(in []Shape) (Shape, error) { return sameShape(a, in) }

// OutShape implements Operator.
func (a LeakyReLU) OutShape(in []Shape) (Shape, error) {
	if !(a.Slope >= 0 && a.Slope <= 1) {
		return nil, valueErrorf(a.Kind(), "slope %v is not in [0, 1]", a.Slope)
	}
	return sameShape(a, in)
}

// OutShape implements Operator.
func (a Sigmoid) OutShape(in []Shape) (Shape, error) { return sameShape(a, in) }

// OutShape implements Operator.
func (a Tanh) OutShape(in []Shape) (Shape, error) { return sameShape(a, in) }

// OutShape implements Operator.
func (a Arctan) OutShape(in []Shape) (Shape, error) { return sameShape(a, in) }

// Params implements Operator.
func (ReLU) Params() []*Param { return nil }

// Params implements Operator.
func (LeakyReLU) Params() []*Param { return nil }

// Params implements Operator.
func (Sigmoid) Params() []*Param { return nil }

// Params implements Operator.
func (Tanh) Params() []*Param { return nil }

// Params implements Operator.
func (Arctan) Params() []*Param { return nil }

// Forward64 implements Operator.
func (a ReLU) Forward64(c *Call[float64]) { reluForward(c) }

// Forward32 implements Operator.
func (a ReLU) Forward32(c *Call[float32]) { reluForward(c) }

// VJP64 implements Operator.
func (a ReLU) VJP64(c *Call[float64]) { leakyVJP(0, c) }

// VJP32 implements Operator.
func (a ReLU) VJP32(c *Call[float32]) { leakyVJP(0, c) }

// Forward64 implements Operator.
func (a LeakyReLU) Forward64(c *Call[float64]) { leakyForward(a.Slope, c) }

// Forward32 implements Operator.
func (a LeakyReLU) Forward32(c *Call[float32]) { leakyForward(float32(a.Slope), c) }

// VJP64 implements Operator.
func (a LeakyReLU) VJP64(c *Call[float64]) { leakyVJP(a.Slope, c) }

// VJP32 implements Operator.
func (a LeakyReLU) VJP32(c *Call[float32]) { leakyVJP(float32(a.Slope), c) }

// Forward64 implements Operator.
func (a Sigmoid) Forward64(c *Call[float64]) { mapForward(a, c) }

// Forward32 implements Operator.
func (a Sigmoid) Forward32(c *Call[float32]) { mapForward(a, c) }

// VJP64 implements Operator.
func (a Sigmoid) VJP64(c *Call[float64]) { mapVJP(a, c) }

// VJP32 implements Operator.
func (a Sigmoid) VJP32(c *Call[float32]) { mapVJP(a, c) }

// Forward64 implements Operator.
func (a Tanh) Forward64(c *Call[float64]) { mapForward(a, c) }

// Forward32 implements Operator.
func (a Tanh) Forward32(c *Call[float32]) { mapForward(a, c) }

// VJP64 implements Operator.
func (a Tanh) VJP64(c *Call[float64]) { mapVJP(a, c) }

// VJP32 implements Operator.
func (a Tanh) VJP32(c *Call[float32]) { mapVJP(a, c) }

// Forward64 implements Operator.
func (a Arctan) Forward64(c *Call[float64]) { mapForward(a, c) }

// Forward32 implements Operator.
func (a Arctan) Forward32(c *Call[float32]) { mapForward(a, c) }

// VJP64 implements Operator.
func (a Arctan) VJP64(c *Call[float64]) { mapVJP(a, c) }

// VJP32 implements Operator.
func (a Arctan) VJP32(c *Call[float32]) { mapVJP(a, c) }

func sameShape(op Operator, in []Shape) (Shape, error) {
	if len(in) != 1 {
		return nil, shapeErrorf(op, "takes one input, got %d", len(in))
	}
	return in[0], nil
}

// elementGrain is the least number of elements worth a goroutine.
const elementGrain = 1 << 14

func reluForward[T Float](c *Call[T]) { leakyForward(0, c) }

// Each loop below comes twice: small ones run in place, without the closure
// that a parallel one allocates.

func leakyForward[T Float](slope T, c *Call[T]) {
	if len(c.Out) < 2*elementGrain {
		leakyRange(slope, c, 0, len(c.Out))
		return
	}
	parallel.For(len(c.Out), elementGrain, func(lo, hi int) { leakyRange(slope, c, lo, hi) })
}

func leakyRange[T Float](slope T, c *Call[T], lo, hi int) {
	in, out := c.In[0][lo:hi], c.Out[lo:hi]
	if slope == 0 {
		for i, v := range in {
			out[i] = max(v, 0)
		}
		return
	}
	for i, v := range in {
		out[i] = max(v, 0) + slope*min(v, 0) // one of the two is 0
	}
}

func leakyVJP[T Float](slope T, c *Call[T]) {
	if c.GradIn[0] == nil {
		return
	}
	if len(c.GradOut) < 2*elementGrain {
		leakyVJPRange(slope, c, 0, len(c.GradOut))
		return
	}
	parallel.For(len(c.GradOut), elementGrain, func(lo, hi int) { leakyVJPRange(slope, c, lo, hi) })
}

func leakyVJPRange[T Float](slope T, c *Call[T], lo, hi int) {
	in, grad, dst := c.In[0][lo:hi], c.GradOut[lo:hi], c.GradIn[0][lo:hi]
	if slope == 0 {
		switch in := any(in).(type) {
		case []float32:
			reluVJP32(in, any(grad).([]float32), any(dst).([]float32), c.Overwrite)
			return
		case []float64:
			if c.Overwrite {
				clear(dst)
			}
		}
	}
	for i, g := range grad {
		if in[i] < 0 {
			g *= slope
		}
		dst[i] += g
	}
}

// reluVJP32 lets through the gradients whose input has no sign bit. It asks
// for the bit and not for the order, since a branch that depends on data that
// nobody can predict costs more than all the rest of the loop. The gradient at
// −0 is 0, at +0 it is the right-hand one.
func reluVJP32(in, grad, dst []float32, overwrite bool) {
	in, dst = in[:len(grad)], dst[:len(grad)]
	if overwrite {
		for i, g := range grad {
			off := uint32(int32(math.Float32bits(in[i])) >> 31)
			dst[i] = math.Float32frombits(math.Float32bits(g) &^ off)
		}
		return
	}
	for i, g := range grad {
		off := uint32(int32(math.Float32bits(in[i])) >> 31)
		dst[i] += math.Float32frombits(math.Float32bits(g) &^ off)
	}
}

// Overwrites implements Overwriter.
func (ReLU) Overwrites() {}

func mapForward[T Float](f Elementwise, c *Call[T]) {
	const grain = elementGrain / 8
	if len(c.Out) < 2*grain {
		mapRange(f, c, 0, len(c.Out))
		return
	}
	parallel.For(len(c.Out), grain, func(lo, hi int) { mapRange(f, c, lo, hi) })
}

func mapRange[T Float](f Elementwise, c *Call[T], lo, hi int) {
	out := c.Out[lo:hi]
	for i, v := range c.In[0][lo:hi] {
		out[i] = T(f.Value(float64(v)))
	}
}

func mapVJP[T Float](f Elementwise, c *Call[T]) {
	if c.GradIn[0] == nil {
		return
	}
	const grain = elementGrain / 8
	if len(c.GradOut) < 2*grain {
		mapVJPRange(f, c, 0, len(c.GradOut))
		return
	}
	parallel.For(len(c.GradOut), grain, func(lo, hi int) { mapVJPRange(f, c, lo, hi) })
}

func mapVJPRange[T Float](f Elementwise, c *Call[T], lo, hi int) {
	in, dst := c.In[0][lo:hi], c.GradIn[0][lo:hi]
	for i, g := range c.GradOut[lo:hi] {
		dst[i] += g * T(f.Derivative(float64(in[i])))
	}
}
