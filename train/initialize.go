package train

// Where weights start. A weight's distribution depends on its layer's fans: how
// many numbers a neuron adds up, and how many neurons a number goes to. For a
// kernel of k elements over C channels in g groups to O channels these are
// C/g·k and O/g·k.

import (
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/nn"
)

// Initializer draws starting values, given the fans of the layer. A nil Bias
// draws zeros.
type Initializer struct {
	Name         string
	Weight, Bias func(rng *rand.Rand, fanIn, fanOut int) float64
}

// The usual ones.
var (
	// He is normal with variance 2/fanIn: He et al. 2015, arXiv:1502.01852, (10).
	He = Initializer{"he", normal(func(in, _ int) float64 { return math.Sqrt(2 / float64(in)) }), nil}
	// HeUniform has the same variance: within ±√(6/fanIn).
	HeUniform = Initializer{"he-uniform", uniform(func(in, _ int) float64 { return math.Sqrt(6 / float64(in)) }), nil}
	// Glorot is uniform within ±√(6/(fanIn+fanOut)): Glorot and Bengio 2010, (16).
	Glorot = Initializer{"glorot", uniform(func(in, out int) float64 { return math.Sqrt(6 / float64(in+out)) }), nil}
	// GlorotNormal has the same variance.
	GlorotNormal = Initializer{"glorot-normal", normal(func(in, out int) float64 { return math.Sqrt(2 / float64(in+out)) }), nil}
	// NarrowNormal is normal with deviation 0.01, weights and biases alike, as
	// in the ImageStar study.
	NarrowNormal = Initializer{"narrow-normal", normal(func(int, int) float64 { return 0.01 }), normal(func(int, int) float64 { return 0.01 })}
	// Torch is PyTorch's default: within ±1/√fanIn, weights and biases alike.
	Torch = Initializer{"torch", uniform(inverseRoot), uniform(inverseRoot)}
)

// Initializers lists them by name.
func Initializers() []Initializer {
	return []Initializer{He, HeUniform, Glorot, GlorotNormal, NarrowNormal, Torch}
}

func inverseRoot(in, _ int) float64 { return 1 / math.Sqrt(float64(in)) }

func normal(deviation func(in, out int) float64) func(*rand.Rand, int, int) float64 {
	return func(rng *rand.Rand, in, out int) float64 { return deviation(in, out) * rng.NormFloat64() }
}

func uniform(limit func(in, out int) float64) func(*rand.Rand, int, int) float64 {
	return func(rng *rand.Rand, in, out int) float64 { return limit(in, out) * (2*rng.Float64() - 1) }
}

// Initialize sets all parameters of net: weights and biases of Dense, Conv and
// MatMul nodes by init, rounded to float32, and BatchNorm nodes to the identity.
// The same seed gives the same values.
func Initialize(net nn.Network, init Initializer, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0x696e6974))
	for _, n := range net.Nodes() {
		if n.Op == nil {
			continue
		}
		params := n.Op.Params()
		if _, ok := n.Op.(*nn.BatchNorm); ok {
			for k, v := range []float32{1, 0, 0, 1} {
				fill(params[k], func() float64 { return float64(v) })
			}
			continue
		}
		in, out := fans(n.Op)
		for _, p := range params {
			switch {
			case p == nil:
			case len(p.Shape) > 1:
				fill(p, func() float64 { return init.Weight(rng, in, out) })
			case init.Bias != nil:
				fill(p, func() float64 { return init.Bias(rng, in, out) })
			default:
				fill(p, func() float64 { return 0 })
			}
		}
	}
}

func fill(p *nn.Param, draw func() float64) {
	v := make([]float32, len(p.Values()))
	for i := range v {
		v[i] = float32(draw())
	}
	p.Set32(v)
}

// fans is how many numbers a neuron of op adds up and how many neurons a number
// goes to.
func fans(op nn.Operator) (in, out int) {
	switch op := op.(type) {
	case *nn.Dense:
		return op.Weight().Shape[1], op.Weight().Shape[0]
	case *nn.Conv:
		s := op.Weight().Shape
		k := s[2:].Size()
		return s[1] * k, s[0] / op.Config().Groups * k
	}
	for _, p := range op.Params() {
		if p != nil && len(p.Shape) == 2 {
			return p.Shape[1], p.Shape[0]
		}
	}
	return 1, 1
}
