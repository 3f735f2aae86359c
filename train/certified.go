package train

// Certified training by interval bounds: cross-entropy at the worst outputs that
// the bounds allow.
//
//	κ·CE(f(x), y) + (1−κ)·CE(ô, y),   ô_j = max over the box of z_j − z_y, ô_y = 0
//
// The last dense layer is merged with the difference of two outputs ("elision of
// the last layer"), which is tighter than the difference of two bounds. ε rises
// from 0 and κ falls from 1 to ½ while training goes on.
// Source: Gowal et al. 2018, arXiv:1810.12715, equations 10 to 13.

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/nn"
)

// IBP is cross-entropy at the worst outputs of interval bounds. NewIBP is the
// usual sum.
type IBP struct {
	Epsilon Schedule // radius of the box
	// Lower and Upper are the range of inputs. Default, both 0: [0, 1].
	Lower, Upper float64
}

// NewIBP is κ·CE + (1−κ)·IBP, with κ falling from 1 to ½ while ε rises from 0
// over the given share of the training.
func NewIBP(epsilon, ramp float64) Sum {
	kappa := Ramp(1, 0.5, 0, ramp)
	return Sum{
		{Loss: CrossEntropy{}, Weight: kappa, Name: "ce"},
		{Loss: IBP{Epsilon: Ramp(0, epsilon, 0, ramp)}, Weight: func(p float64) float64 { return 1 - kappa(p) }, Name: "ibp"},
	}
}

// Validate implements Loss.
func (l IBP) Validate(net nn.Network) error {
	return ReLUStable{Epsilon: l.Epsilon, Lower: l.Lower, Upper: l.Upper}.Validate(net)
}

// Add implements Loss.
func (l IBP) Add(ctx context.Context, s *Step, weight float64) (float64, error) {
	low, high := span(l.Lower, l.Upper)
	b, err := s.box(ctx, l.Epsilon(s.Progress), low, high, false)
	if err != nil {
		return 0, err
	}
	sum, m := 0.0, s.m
	w := worst{b: b, labels: s.Labels, params: s.byNode}
	w.find()
	z, lp := make([]float32, m.outputs), make([]float64, m.outputs)
	for i, label := range s.Labels {
		w.outputs(i, label, z)
		logSoftmax(z, lp)
		sum -= lp[label]
		for j, v := range lp {
			if j != label { // ô_y is the constant 0
				w.back(i, label, j, weight/float64(s.Size)*math.Exp(v))
			}
		}
	}
	return sum / float64(s.Size), nil
}

// worst computes ô and carries its gradient.
type worst struct {
	b      *intervals
	labels []int
	params [][][]float32
	dense  *nn.Dense // the last layer, if it can be merged
	node   int       // what it reads, or the output
	size   int
}

// find looks for a last layer to merge.
func (w *worst) find() {
	m := w.b.m
	w.node, w.size = m.output, m.outputs
	n := &m.nodes[m.output]
	if d, ok := n.Op.(*nn.Dense); ok && d.Weight().Shape[0] == m.outputs && n.Inputs[0] != 0 {
		w.dense, w.node, w.size = d, n.Inputs[0], m.nodes[n.Inputs[0]].Shape.Size()
	}
}

// outputs writes ô of sample i.
func (w *worst) outputs(i, label int, z []float32) {
	l, u := w.b.lower[w.node][i*w.size:(i+1)*w.size], w.b.upper[w.node][i*w.size:(i+1)*w.size]
	for j := range z {
		switch {
		case j == label:
			z[j] = 0
		case w.dense == nil:
			z[j] = u[j] - l[label]
		default:
			weight := w.dense.Weight().Values32()
			a, b := weight[j*w.size:(j+1)*w.size], weight[label*w.size:(label+1)*w.size]
			sum := 0.0
			for k := range a {
				c := float64(a[k] - b[k])
				if c > 0 {
					sum += c * float64(u[k])
				} else {
					sum += c * float64(l[k])
				}
			}
			if bias := w.dense.Bias(); bias != nil {
				sum += float64(bias.Values32()[j] - bias.Values32()[label])
			}
			z[j] = float32(sum)
		}
	}
}

// back adds the gradient g of ô_j of sample i.
func (w *worst) back(i, label, j int, g float64) {
	gl, gu := w.b.grad(w.node)
	gl, gu = gl[i*w.size:(i+1)*w.size], gu[i*w.size:(i+1)*w.size]
	v := float32(g)
	if w.dense == nil {
		gu[j] += v
		gl[label] -= v
		return
	}
	l, u := w.b.lower[w.node][i*w.size:(i+1)*w.size], w.b.upper[w.node][i*w.size:(i+1)*w.size]
	weight, params := w.dense.Weight().Values32(), w.params[w.b.m.output]
	a, b := weight[j*w.size:(j+1)*w.size], weight[label*w.size:(label+1)*w.size]
	ga, gb := params[0][j*w.size:(j+1)*w.size], params[0][label*w.size:(label+1)*w.size]
	for k := range a {
		c, at := a[k]-b[k], l[k]
		if c > 0 {
			at = u[k]
			gu[k] += v * c
		} else {
			gl[k] += v * c
		}
		ga[k] += v * at
		gb[k] -= v * at
	}
	if w.dense.Bias() != nil {
		params[1][j] += v
		params[1][label] -= v
	}
}
