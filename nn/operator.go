package nn

// What an operator is.
//
// An operator maps one or more tensors to one tensor. It knows its output
// shape, its value on a batch in float64 and float32, and its vector–Jacobian
// product to its inputs and to its parameters. All calls go through a Call,
// which holds the flat buffers of one evaluation, so that an operator holds no
// state of its own and can be used from many goroutines.
//
// A batch is an outer axis over whole samples: In[i] holds Batch consecutive
// tensors of shape InShapes[i]. The same vector–Jacobian product serves
// training (the batch is a batch of samples) and backward bound propagation
// (the batch is a batch of linear functions).

import (
	"math"
	"sync"
	"sync/atomic"

	"github.com/vouchnn/vouch/internal/parallel"
)

// Float is the number types in which operators compute.
type Float interface{ float32 | float64 }

// Call holds the arguments and results of one evaluation of an operator.
//
// Slices belong to the caller; an operator may read In and OutShape and may
// write Out (Forward), or read In, Out, GradOut and add to GradIn and
// GradParams (VJP). It keeps no reference to any of them. Buffers of different
// fields never overlap.
type Call[T Float] struct {
	Batch    int
	InShapes []Shape
	OutShape Shape
	In       [][]T // one flat buffer [Batch × InShapes[i].Size()] per input
	Out      []T   // [Batch × OutShape.Size()]

	// For VJP.
	GradOut    []T   // [Batch × OutShape.Size()]
	GradIn     [][]T // added to, unless Overwrite; a nil entry is not wanted
	GradParams [][]T // added to, summed over the batch, one per Params(); nil if none is wanted
	// Overwrite says that GradIn holds no numbers yet: VJP must overwrite it.
	// It is set only for operators that implement Overwriter.
	Overwrite bool
}

// Operator is one kind of layer. Implementations are immutable after
// construction, except that a trainer may change the values of their
// parameters, and safe for concurrent use as long as nobody does.
type Operator interface {
	// Kind is the operator's name, as in ONNX where ONNX has it ("Conv").
	Kind() string
	// OutShape is the output's shape for inputs of the given shapes.
	// Errors: *ShapeError.
	OutShape(in []Shape) (Shape, error)
	// Forward64 overwrites c.Out with the values at c.In.
	Forward64(c *Call[float64])
	// Forward32 is Forward64 in single precision.
	Forward32(c *Call[float32])
	// VJP64 adds GradOut·∂out/∂in to each wanted GradIn and GradOut·∂out/∂param
	// to each wanted GradParams. At kinks any element of the subdifferential
	// may be used. An operator that implements Affine must not read In or Out
	// unless GradParams are wanted.
	VJP64(c *Call[float64])
	// VJP32 is VJP64 in single precision.
	VJP32(c *Call[float32])
	// Params are the parameters, in a fixed order; nil if there are none.
	Params() []*Param
}

// Affine is implemented by operators that are affine in their inputs taken
// together: out = W·in + b. It is what bound propagation needs besides
// Forward and VJP in order to stay sound under rounding.
type Affine interface {
	Operator
	// Magnitude64 overwrites c.Out with |W|·c.In, plus |b| if bias is set,
	// where |W| and |b| are element-wise absolute values (for an operator
	// whose coefficients are themselves computed, such as BatchNorm, of the
	// terms that make them up). c.In must be non-negative.
	Magnitude64(c *Call[float64], bias bool)
	// Rounding is how many rounding errors one output of Forward64, and one
	// element of GradIn of VJP64, can collect: both satisfy
	//   |computed − exact| ≤ γ(n)·(magnitude),  γ(n) = n·u/(1−n·u),  u = 2⁻⁵³,
	// with the magnitude of Magnitude64 resp. |GradOut|·|W|. Zero means that
	// the operator only moves numbers about.
	Rounding(in []Shape) (forward, backward int)
}

// RowSource is an optional interface of Affine operators that can write rows
// of W without multiplying: the vector–Jacobian products of unit vectors. It
// saves the first and often the largest product of a backward pass.
type RowSource interface {
	// Rows64 overwrites GradIn[0] (Batch = len(rows)) with the rows of W for
	// the given flat output indices. All of GradOut, In, Out are ignored.
	Rows64(c *Call[float64], rows []int)
}

// Overwriter is an optional interface of operators whose VJP heeds
// Call.Overwrite, which saves clearing the gradients first. For all others the
// caller clears them.
type Overwriter interface {
	Operator
	// Overwrites does nothing; having it is the promise.
	Overwrites()
}

// Elementwise is implemented by activations: out[i] = f(in[i]).
type Elementwise interface {
	Operator
	// Value is f(x).
	Value(x float64) float64
	// Derivative is f'(x), at a kink the right-hand one.
	Derivative(x float64) float64
}

// Param is one tensor of parameters of an operator.
//
// Values are kept in float64, which holds every float32 of a file exactly,
// with a float32 mirror for single-precision evaluation. After Set32 the mirror
// leads, and the float64 values follow when they are first asked for: training,
// which sets them at every step, never asks.
type Param struct {
	Name  string
	Shape Shape
	v64   []float64
	v32   []float32

	behind    atomic.Bool // v64 is to be made from v32
	following sync.Mutex  // held while that is done

	magnitude []float64                 // see folded.go; nil stands for |v64|
	abs64     atomic.Pointer[[]float64] // made by abs, dropped by Set
}

// NewParam makes a parameter over data, which it takes over.
// Precondition: len(data) is shape.Size().
func NewParam(name string, shape Shape, data []float64) *Param {
	if len(data) != shape.Size() {
		panic("nn: parameter " + name + ": data does not fill its shape " + shape.String())
	}
	p := &Param{Name: name, Shape: shape.Clone(), v64: data, v32: make([]float32, len(data))}
	p.sync()
	return p
}

// Values is the parameter's values as they are now: ask again after Set or Set32. The
// caller must not change them.
func (p *Param) Values() []float64 {
	if p.behind.Load() {
		p.follow()
	}
	return p.v64
}

// follow makes the float64 values from the float32 ones. Several goroutines may ask
// for them at once.
func (p *Param) follow() {
	p.following.Lock()
	defer p.following.Unlock()
	if p.behind.Load() {
		for i, v := range p.v32 {
			p.v64[i] = float64(v)
		}
		p.behind.Store(false)
	}
}

// Values32 is the values rounded to float32. The caller must not change them.
func (p *Param) Values32() []float32 { return p.v32 }

// Set replaces the values, and the float32 mirror with them rounded.
// Not safe while the network is in use elsewhere.
func (p *Param) Set(values []float64) {
	p.Values()
	copy(p.v64, values)
	p.sync()
	p.abs64.Store(nil)
}

// Set32 replaces all values by exactly these float32 numbers.
// Not safe while the network is in use elsewhere.
func (p *Param) Set32(values []float32) {
	parallel.For(len(values), elementGrain, func(lo, hi int) { copy(p.v32[lo:hi], values[lo:hi]) })
	p.behind.Store(true)
	p.abs64.Store(nil)
}

func (p *Param) sync() {
	for i, v := range p.v64 {
		p.v32[i] = float32(v)
	}
}

// abs is the magnitudes of the values: their absolute values or, if greater,
// those of the terms that they were computed from.
func (p *Param) abs() []float64 {
	if a := p.abs64.Load(); a != nil {
		return *a
	}
	a := make([]float64, len(p.v64))
	for i, v := range p.Values() {
		a[i] = math.Abs(v)
		if p.magnitude != nil {
			a[i] = max(a[i], p.magnitude[i])
		}
	}
	p.abs64.Store(&a)
	return a
}

// absValues is p's magnitudes; nil for a nil parameter.
func absValues(p *Param) []float64 {
	if p == nil {
		return nil
	}
	return p.abs()
}

// paramValues is p's values in T; nil for a nil parameter.
func paramValues[T Float](p *Param) []T {
	if p == nil {
		return nil
	}
	var s any
	switch any(T(0)).(type) {
	case float32:
		s = p.v32
	default:
		s = p.Values()
	}
	return s.([]T)
}
