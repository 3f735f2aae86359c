package train

// One step of training, as a loss sees it, and what a loss is.

import (
	"context"
	"math/rand/v2"

	"github.com/vouchnn/vouch/nn"
)

// Loss is what training descends on: a mean over the samples of a batch, or a
// function of the parameters alone.
//
// Implementations are immutable settings: they keep nothing from step to step
// and may be used by several trainers at once.
type Loss interface {
	// Validate names the first setting that is out of range. It is called once
	// before training.
	Validate(net nn.Network) error
	// Add evaluates the loss at the step's batch, adds weight times its gradient
	// to passes of the step or to its parameters' gradients, and returns the
	// loss itself. It polls ctx where it takes long, and draws all randomness
	// from the step.
	Add(ctx context.Context, s *Step, weight float64) (float64, error)
}

// Batch is labelled samples.
type Batch struct {
	Size   int
	X      []float32 // [Size × inputs]
	Labels []int     // [Size]
}

// Step is the state of one step: the batch, the passes that losses share, and
// the randomness. It is valid during Loss.Add.
type Step struct {
	Batch
	Progress float64    // share of the training that is done, in [0, 1)
	Rand     *rand.Rand // the same for the same seed and step
	m        *model
	grad     []float32 // of all parameters, flat
	byNode   [][][]float32
	passes   []*Pass // of this step; those behind count are free
	count    int
	clean    *Pass
	plain    *Pass // at the batch, in evaluation mode
	probe    *Pass // for gradients to the input
	assault  assault
	bufs     [][]float32
	taken    int
	boxes    []*intervals // of this step; those behind boxed are free
	boxed    int
	dual     *dual
	last     *Pass // at the points of the latest attack
	twins    *twins
	record   func(name string, value float64)
}

func newStep(m *model) *Step {
	s := &Step{m: m, grad: make([]float32, m.weights), probe: newPass(m)}
	s.byNode = m.gradients(s.grad)
	return s
}

// begin takes a batch.
func (s *Step) begin(b Batch, progress float64, rng *rand.Rand) {
	s.Batch, s.Progress, s.Rand = b, progress, rng
	s.count, s.clean, s.plain, s.last, s.taken, s.boxed = 0, nil, nil, nil, 0, 0
	if s.twins != nil {
		s.twins.fresh = false
	}
	clear(s.grad)
}

// Network is the network being trained. The caller must not change it.
func (s *Step) Network() nn.Network { return s.m.net }

// Hidden lists the nodes that hold pre-activations, in order. The caller must
// not change it.
func (s *Step) Hidden() []int { return s.m.hidden }

// Clean is the pass at the batch itself, in training mode.
func (s *Step) Clean() *Pass {
	if s.clean == nil {
		s.clean = s.At(s.X)
	}
	return s.clean
}

// Reference is the network at the batch in evaluation mode, for attacks to
// compare with: losses must not add gradients to it. Where training and
// evaluation are the same it is Clean.
func (s *Step) Reference() *Pass {
	if !s.m.modal {
		return s.Clean()
	}
	if s.plain == nil {
		s.plain = s.pass()
		s.plain.run(s.X, s.Size, false, nil)
	}
	return s.plain
}

// Adversarial is the pass at the points of the latest attack in this step, nil
// before there is one.
func (s *Step) Adversarial() *Pass { return s.last }

// At is a new pass at other points [Size × inputs], in training mode.
func (s *Step) At(x []float32) *Pass {
	p := s.pass()
	p.run(x, s.Size, true, s.Rand)
	return p
}

func (s *Step) pass() *Pass {
	if s.count == len(s.passes) {
		s.passes = append(s.passes, newPass(s.m))
	}
	s.count++
	return s.passes[s.count-1]
}

// Param is the gradient of parameter index of a node, to be added to; nil if
// it is not trained.
func (s *Step) Param(node, index int) []float32 {
	if s.byNode[node] == nil {
		return nil
	}
	return s.byNode[node][index]
}

// Report hands a number to Options.Progress under a name, such as the value of
// one term of a sum.
func (s *Step) Report(name string, value float64) {
	if s.record != nil {
		s.record(name, value)
	}
}

// points is a buffer of the batch's size that lives as long as the step.
func (s *Step) points() []float32 {
	if s.taken == len(s.bufs) {
		s.bufs = append(s.bufs, nil)
	}
	s.bufs[s.taken] = grown(s.bufs[s.taken], s.Size*s.m.inputs)
	s.taken++
	return s.bufs[s.taken-1]
}

// gradient evaluates loss and leaves its gradient in s.grad.
func (s *Step) gradient(ctx context.Context, loss Loss) (float64, error) {
	v, err := loss.Add(ctx, s, 1)
	if err != nil {
		return 0, err
	}
	for _, p := range s.passes[:s.count] {
		if p.used {
			p.back(s.byNode, false)
		}
	}
	for _, b := range s.boxes[:s.boxed] {
		b.back(s.byNode)
	}
	if s.clean != nil {
		s.clean.keepStatistics()
	}
	return v, ctx.Err()
}
