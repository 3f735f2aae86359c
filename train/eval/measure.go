package eval

// The measurements, one property at a time, so that a caller can keep each as
// it comes and leave out those it has.
//
// The paper does not say where its share of stable neurons comes from. Here a
// hidden neuron is stable if CROWN's interval of its pre-activation does not
// have 0 inside: the bounds that branch and bound starts from.

import (
	"context"
	"fmt"
	"time"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/train"
)

// Row is one property's measurements.
type Row struct {
	Index    int // of the image
	Label    int
	Epsilon  float64
	Verdict  spec.Verdict
	Reason   spec.Reason // of Unknown
	Seconds  float64     // of verification
	Stable   float64     // share of the hidden neurons, in [0, 1]
	Resists  bool        // classified as labelled at the end of the attack, and without it
	Correct  bool        // classified as labelled
	Interval float64     // seconds for Stable
}

// Options of Measure. The zero value has no time limit.
type Options struct {
	// Timeout is the time for a property. Default 0: no limit.
	Timeout time.Duration
	// Attack is the attack of Row.Resists; its Epsilon is not used. The
	// default, no steps, is the paper's: 100 steps of 2.5·ε/100 from one random
	// start.
	Attack train.Attack
	// Seed of the attacks.
	Seed uint64
	// Verify is passed to bab.Verify; its Seed is Seed.
	Verify bab.Options
	// NoStable leaves out Row.Stable.
	NoStable bool
}

// Validate names the first field that is out of range.
func (o *Options) Validate() error {
	if o.Timeout < 0 {
		return fmt.Errorf("eval: Options.Timeout = %v is negative", o.Timeout)
	}
	if err := o.Verify.Validate(); err != nil {
		return err
	}
	a := o.attack(0)
	return a.Validate()
}

func (o *Options) attack(epsilon float64) train.Attack {
	a := o.Attack
	if a.Steps == 0 {
		a.Steps = 100
	}
	a.Epsilon = train.Constant(epsilon)
	return a
}

// Measurer measures properties of one network. Safe for concurrent use.
type Measurer struct {
	net   nn.Network
	model *bounds.Model
	pre   []int // hidden layers in model's network
	opts  Options
}

// NewMeasurer prepares net. Errors: *nn.UnsupportedError, or a field of opts out
// of range.
func NewMeasurer(net nn.Network, opts Options) (*Measurer, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	simple, err := nn.Simplify(net)
	if err != nil {
		return nil, err
	}
	model, err := bounds.Compile(simple)
	if err != nil {
		return nil, err
	}
	return &Measurer{net: net, model: model, pre: model.Preactivations(), opts: opts}, nil
}

// Measure measures the property of one image x with its label.
// The end of ctx is an error, that of Options.Timeout an unknown verdict.
// Errors: *spec.Error, *train.ValueError, *train.LabelError, the context's.
func (m *Measurer) Measure(ctx context.Context, index int, x []float32, label int, epsilon float64) (Row, error) {
	r := Row{Index: index, Label: label, Epsilon: epsilon}
	if err := m.attack(ctx, &r, x); err != nil {
		return r, err
	}
	region, err := ball(x, epsilon)
	if err != nil {
		return r, err
	}
	prop := spec.Robustness(region, label, nn.OutputShape(m.net).Size())
	if !m.opts.NoStable {
		start := time.Now()
		if r.Stable, err = m.stable(ctx, &prop); err != nil {
			return r, err
		}
		r.Interval = time.Since(start).Seconds()
	}
	limited, cancel := ctx, context.CancelFunc(func() {})
	if m.opts.Timeout > 0 {
		limited, cancel = context.WithTimeout(ctx, m.opts.Timeout)
	}
	defer cancel()
	verify := m.opts.Verify
	verify.Seed = m.opts.Seed
	start := time.Now()
	res, err := bab.Verify(limited, m.net, &prop, verify)
	if err != nil {
		return r, err
	}
	r.Seconds, r.Verdict, r.Reason = time.Since(start).Seconds(), res.Verdict, res.Reason
	if ctx.Err() != nil && res.Verdict == spec.Unknown {
		return r, ctx.Err()
	}
	return r, nil
}

// attack fills Correct and Resists.
func (m *Measurer) attack(ctx context.Context, r *Row, x []float32) error {
	one := &train.Samples{X: x, Labels: []int{r.Label}}
	share, err := train.Accuracy(ctx, m.net, one)
	if err != nil {
		return err
	}
	if r.Correct = share == 1; !r.Correct {
		return nil
	}
	share, err = train.AttackAccuracy(ctx, m.net, one, m.opts.attack(r.Epsilon), m.opts.Seed+uint64(r.Index))
	r.Resists = share == 1
	return err
}

// ball is the L∞ ball around x, clipped to [0, 1].
func ball(x []float32, epsilon float64) (spec.Box, error) {
	center, clip := make([]float64, len(x)), spec.Box{Lower: make([]float64, len(x)), Upper: make([]float64, len(x))}
	for i, v := range x {
		center[i] = float64(v)
		clip.Upper[i] = 1
	}
	return spec.NewLInfBall(center, epsilon, &clip)
}

// stable is the share of hidden neurons whose bounds do not have 0 inside.
func (m *Measurer) stable(ctx context.Context, prop *spec.Property) (float64, error) {
	if len(m.pre) == 0 {
		return 1, nil // no neuron is unstable
	}
	c := &prop.Cases[0]
	out, err := bounds.Crown{}.Bound(ctx, m.model, &bounds.Query{
		Domains: []bounds.Domain{{Region: c.Region}}, Functions: bounds.PropertyFunctions(c, prop.Inputs, prop.Outputs),
	})
	if err != nil {
		return 0, err
	}
	stable, all := 0, 0
	for _, node := range m.pre {
		b := out[0].Nodes[node]
		for k, l := range b.Lower {
			all++
			if l >= 0 || b.Upper[k] <= 0 {
				stable++
			}
		}
	}
	return float64(stable) / float64(all), nil
}
