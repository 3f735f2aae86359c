package nn

// Batch normalisation with fixed statistics: ONNX's BatchNormalization.
//
// Over the real numbers, each channel is mapped by
//
//	out = scale·(in − mean)/√(variance + ε) + bias.
//
// The coefficient scale/√(variance + ε) is computed anew in each evaluation,
// with one rounding for each of +, √ and /; Rounding counts them.

import (
	"fmt"
	"math"
)

// BatchNorm normalises each channel of one axis by fixed statistics.
//
// Params are scale, bias, mean and variance, in this order. Gradients flow to
// scale and bias only: mean and variance are statistics of the training data,
// not something that descent should move, and their GradParams stay as they
// are.
type BatchNorm struct {
	axis                        int
	epsilon                     float64
	scale, bias, mean, variance *Param
}

// NewBatchNorm makes a batch normalisation of the channels along axis (which
// may count from the end). It takes the slices over.
// Errors: *ShapeError, *ValueError unless variance + epsilon > 0.
func NewBatchNorm(axis int, scale, bias, mean, variance []float64, epsilon float64) (*BatchNorm, error) {
	n := len(scale)
	if n == 0 || len(bias) != n || len(mean) != n || len(variance) != n {
		return nil, &ShapeError{Op: "BatchNormalization", Detail: fmt.Sprintf("scale, bias, mean, variance of %d, %d, %d, %d numbers", n, len(bias), len(mean), len(variance))}
	}
	if !(epsilon >= 0) || math.IsInf(epsilon, 0) {
		return nil, valueErrorf("BatchNormalization", "epsilon %v", epsilon)
	}
	for i, v := range variance {
		if !(v+epsilon > 0) {
			return nil, valueErrorf("BatchNormalization", "variance[%d] + epsilon = %v is not positive", i, v+epsilon)
		}
	}
	s := Shape{n}
	return &BatchNorm{
		axis: axis, epsilon: epsilon,
		scale: NewParam("scale", s, scale), bias: NewParam("bias", s, bias),
		mean: NewParam("mean", s, mean), variance: NewParam("variance", s, variance),
	}, nil
}

// Kind implements Operator.
func (*BatchNorm) Kind() string { return "BatchNormalization" }

// Axis is the channel axis, as given.
func (b *BatchNorm) Axis() int { return b.axis }

// Epsilon is what is added to the variance.
func (b *BatchNorm) Epsilon() float64 { return b.epsilon }

// Params implements Operator: scale, bias, mean, variance.
func (b *BatchNorm) Params() []*Param { return []*Param{b.scale, b.bias, b.mean, b.variance} }

// OutShape implements Operator.
func (b *BatchNorm) OutShape(in []Shape) (Shape, error) {
	if len(in) != 1 {
		return nil, shapeErrorf(b, "takes one input, got %d", len(in))
	}
	axis, ok := in[0].Axis(b.axis)
	if n := len(b.scale.Values()); !ok || in[0][axis] != n {
		return nil, shapeErrorf(b, "axis %d of %v does not have %d channels", b.axis, in[0], n)
	}
	return in[0], nil
}

// Forward64 implements Operator.
func (b *BatchNorm) Forward64(c *Call[float64]) { batchNormForward(b, c) }

// Forward32 implements Operator.
func (b *BatchNorm) Forward32(c *Call[float32]) { batchNormForward(b, c) }

// VJP64 implements Operator.
func (b *BatchNorm) VJP64(c *Call[float64]) { batchNormVJP(b, c) }

// VJP32 implements Operator.
func (b *BatchNorm) VJP32(c *Call[float32]) { batchNormVJP(b, c) }

// factor is scale/√(variance+ε) of channel i.
func (b *BatchNorm) factor(i int) float64 {
	return b.scale.Values()[i] / math.Sqrt(b.variance.Values()[i]+b.epsilon)
}

// plane is the number of elements behind the channel axis.
func (b *BatchNorm) plane(in Shape) int {
	axis, _ := in.Axis(b.axis)
	return in[axis+1:].Size()
}

func batchNormForward[T Float](b *BatchNorm, c *Call[T]) {
	plane, channels := b.plane(c.InShapes[0]), len(b.scale.Values())
	mean, bias := paramValues[T](b.mean), paramValues[T](b.bias)
	for i := range len(c.In[0]) / plane {
		ch := i % channels
		f, m, t := T(b.factor(ch)), mean[ch], bias[ch]
		out := c.Out[i*plane : (i+1)*plane]
		for k, x := range c.In[0][i*plane : (i+1)*plane] {
			out[k] = (x-m)*f + t
		}
	}
}

func batchNormVJP[T Float](b *BatchNorm, c *Call[T]) {
	plane, channels := b.plane(c.InShapes[0]), len(b.scale.Values())
	if dst := c.GradIn[0]; dst != nil {
		for i := range len(dst) / plane {
			f := T(b.factor(i % channels))
			d := dst[i*plane : (i+1)*plane]
			for k, g := range c.GradOut[i*plane : (i+1)*plane] {
				d[k] += g * f
			}
		}
	}
	if c.GradParams == nil {
		return
	}
	if sums := c.GradParams[1]; sums != nil {
		addPlanes(c.GradOut, plane, sums)
	}
	sums := c.GradParams[0]
	if sums == nil {
		return
	}
	mean := paramValues[T](b.mean)
	for i := range len(c.GradOut) / plane {
		ch := i % channels
		x, s := c.In[0][i*plane:(i+1)*plane], T(0)
		for k, g := range c.GradOut[i*plane : (i+1)*plane] {
			s += g * (x[k] - mean[ch])
		}
		sums[ch] += s / T(math.Sqrt(b.variance.Values()[ch]+b.epsilon))
	}
}

// addPlanes adds the sums of the planes of x [... × len(sums) × plane].
func addPlanes[T Float](x []T, plane int, sums []T) {
	for i := range len(x) / plane {
		s := T(0)
		for _, v := range x[i*plane : (i+1)*plane] {
			s += v
		}
		sums[i%len(sums)] += s
	}
}

// Magnitude64 implements Affine: |factor|·(x + |mean|) + |bias|.
func (b *BatchNorm) Magnitude64(c *Call[float64], bias bool) {
	plane, channels := b.plane(c.InShapes[0]), len(b.scale.Values())
	for i := range len(c.In[0]) / plane {
		ch := i % channels
		f, t := math.Abs(b.factor(ch)), 0.0
		if bias {
			t = f*math.Abs(b.mean.Values()[ch]) + math.Abs(b.bias.Values()[ch])
		}
		out := c.Out[i*plane : (i+1)*plane]
		for k, x := range c.In[0][i*plane : (i+1)*plane] {
			out[k] = f*x + t
		}
	}
}

// Rounding implements Affine: +, √, / for the factor; −, ·, + for the value.
func (b *BatchNorm) Rounding([]Shape) (forward, backward int) { return 8, 6 }
