package train

// Jacobian regularisation: half the squared Frobenius norm of the Jacobian of
// the logits, or of the softmax, estimated from one random direction v of the
// outputs for each sample,
//
//	½‖J‖² = ½·C·E‖vᵀJ‖²,  v uniform on the unit sphere of C dimensions.
//
// The gradient of g = vᵀJ needs a second derivative. With u = C·g held fixed,
// ∂(½·C·‖g‖²)/∂θ = ∂(g·u)/∂θ, and g·u is the derivative of v·f along u. So one
// backward pass gives g; a forward pass of tangents along u, and a walk back
// through values and tangents together, give the gradient, exactly:
//
//	affine node   ẏ = W·ẋ                  ∂W += g_y·xᵀ + g_ẏ·ẋᵀ
//	activation    ẏ = f′(x)·ẋ              ∂x += f′·g_y + f″·ẋ·g_ẏ,  ∂ẋ += f′·g_ẏ
//	MaxPool       ẏ = ẋ at the maximum
//
// The values' part of the walk is that of the pass itself, so its cost is shared
// with other losses. BatchNorm takes part with the network's statistics, and
// dropout is off: couplings between the samples of a batch are not the network's.
//
// Source: Hoffman, Roberts and Yaida 2019, arXiv:1908.02729, §2.2; on the softmax
// as in the 45-network study of the ImageStar recipe. The double backward pass
// is Pearlmutter 1994's.

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/nn"
)

// Jacobian is ½·C·‖vᵀJ‖², the mean over the batch.
type Jacobian struct {
	// Softmax takes the Jacobian of the softmax of the outputs. Default: of
	// the outputs.
	Softmax bool
}

// Validate implements Loss.
func (Jacobian) Validate(nn.Network) error { return nil }

// Add implements Loss.
func (l Jacobian) Add(ctx context.Context, s *Step, weight float64) (float64, error) {
	t, err := s.twinsFor()
	if err != nil {
		return 0, err
	}
	m := s.m
	p := s.Clean()
	if m.modal {
		p = s.pass()
		p.run(s.X, s.Size, false, nil)
	}
	v := l.directions(s)
	s.probe.run(s.X, s.Size, false, nil)
	l.head(p.Output(), v, s.probe.GradOutput(), m.outputs)
	g := s.probe.back(nil, true)
	if s.dual == nil {
		s.dual = newDual(m)
	}
	u, sum, scale := s.points(), 0.0, float64(m.outputs)/float64(s.Size)
	for i, d := range g {
		sum += float64(d) * float64(d)
		u[i] = float32(weight * scale * float64(d))
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	d := s.dual
	d.forward(p, t, u)
	l.headTangent(p.Output(), d.t[m.output], v, d.grad(m.output), p.GradOutput(), m.outputs)
	d.back(p, t, s.byNode)
	return sum * scale / 2, nil
}

// directions draws a unit vector of the outputs for each sample.
func (l Jacobian) directions(s *Step) []float32 {
	k := s.m.outputs
	v, raw := make([]float32, s.Size*k), make([]float64, k)
	for i := range s.Size {
		norm := 0.0
		for j := range raw {
			raw[j] = s.Rand.NormFloat64()
			norm += raw[j] * raw[j]
		}
		norm = math.Sqrt(max(norm, 1e-30))
		for j, r := range raw {
			v[i*k+j] = float32(r / norm)
		}
	}
	return v
}

// head adds the gradient of v·y, or of v·softmax(y), to g.
func (l Jacobian) head(y, v, g []float32, k int) {
	if !l.Softmax {
		add(g, v)
		return
	}
	lp := make([]float64, k)
	for at := 0; at < len(y); at += k {
		logSoftmax(y[at:at+k], lp)
		mean := 0.0
		for j, q := range lp {
			mean += math.Exp(q) * float64(v[at+j])
		}
		for j, q := range lp {
			g[at+j] += float32(math.Exp(q) * (float64(v[at+j]) - mean))
		}
	}
}

// headTangent adds the gradients of the tangent of the head, v·ẏ or
// Σ v·p·ẏ − (v·p)(p·ẏ), with respect to ẏ to gt and to y to gy.
func (l Jacobian) headTangent(y, dot, v, gt, gy []float32, k int) {
	if !l.Softmax {
		add(gt, v)
		return
	}
	lp := make([]float64, k)
	for at := 0; at < len(y); at += k {
		logSoftmax(y[at:at+k], lp)
		a, b, c := 0.0, 0.0, 0.0
		for j, q := range lp {
			p, vj, dj := math.Exp(q), float64(v[at+j]), float64(dot[at+j])
			a, b, c = a+vj*p*dj, b+vj*p, c+p*dj
		}
		for j, q := range lp {
			p, vj, dj := math.Exp(q), float64(v[at+j]), float64(dot[at+j])
			gt[at+j] += float32(p * (vj - b))
			gy[at+j] += float32(p * ((vj*dj - a) - c*(vj-b) - b*(dj-c)))
		}
	}
}
