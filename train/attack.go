package train

// The attack of adversarial training: projected gradient descent in an L∞ ball,
// clipped to the range of inputs. The descent itself is internal/pgd, which
// package bab's search for counterexamples runs too; here are the ball, the
// starting points, the restarts and what is descended on.
//
// FGSM (Goodfellow et al. 2015, arXiv:1412.6572) is the attack of one step of
// size ε from the centre; PGD is Madry et al. 2018, arXiv:1706.06083; the margin
// loss is that of Carlini and Wagner 2017, arXiv:1608.04644, f₆ without its
// confidence.

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/vouchnn/vouch/internal/pgd"
	"github.com/vouchnn/vouch/nn"
)

// Start is where an attack begins.
type Start int

// The starts.
const (
	// Uniform is anywhere in the ball.
	Uniform Start = iota
	// Gaussian is the centre plus 0.001 times normal noise, as in TRADES.
	Gaussian
	// Centre is the sample itself.
	Centre
)

// Objective is what an attack descends on.
type Objective int

// The objectives.
const (
	// Untargeted raises the cross-entropy of the label.
	Untargeted Objective = iota
	// Margin lowers the label's output minus the greatest of the others.
	Margin
	// Targeted lowers the cross-entropy of the label, which is the target.
	Targeted
)

// Attack is the settings of an attack. Only Epsilon is needed.
type Attack struct {
	// Epsilon is the ball's radius, in units of the input.
	Epsilon Schedule
	// Steps is the number of gradient steps. Default 0: 10.
	Steps int
	// StepSize is how far a step goes, in units of the input. Default 0:
	// 2.5·ε/Steps.
	StepSize float64
	// Raw steps along the gradient of a sample's value, not its sign.
	Raw bool
	// Restarts is the number of starts, of which the best end counts.
	// Default 0: 1.
	Restarts int
	// Start is where the descent begins. Default Uniform.
	Start Start
	// Objective is what Perturb and AttackAccuracy descend on; losses have
	// their own. Default Untargeted.
	Objective Objective
	// Lower and Upper are the range of inputs. Default, both 0: [0, 1].
	Lower, Upper float64
}

// FGSM is the fast gradient sign method with radius epsilon.
func FGSM(epsilon Schedule) Attack { return Attack{Epsilon: epsilon, Steps: 1, Start: Centre} }

// Validate names the first field that is out of range.
func (a *Attack) Validate() error {
	low, high := a.span()
	switch {
	case a.Epsilon == nil:
		return valuef("Attack.Epsilon", "is missing")
	case a.Steps < 0 || a.Steps > 1<<20:
		return valuef("Attack.Steps", "is %d, want 0 to 2^20", a.Steps)
	case !(a.StepSize >= 0) || math.IsInf(a.StepSize, 0):
		return valuef("Attack.StepSize", "is %v, want at least 0", a.StepSize)
	case a.Restarts < 0 || a.Restarts > 1<<20:
		return valuef("Attack.Restarts", "is %d, want 0 to 2^20", a.Restarts)
	case a.Start < Uniform || a.Start > Centre:
		return valuef("Attack.Start", "is %d, no such start", int(a.Start))
	case a.Objective < Untargeted || a.Objective > Targeted:
		return valuef("Attack.Objective", "is %d, no such objective", int(a.Objective))
	case !(low < high) || math.IsInf(high-low, 0):
		return valuef("Attack.Lower", "and Upper are [%v, %v], want a finite range", low, high)
	}
	return a.Epsilon.within("Attack.Epsilon", 0, high-low)
}

func (a *Attack) span() (low, high float64) { return span(a.Lower, a.Upper) }

// objective adds to p the gradient of what an attack lowers, one value a
// sample, and writes the values unless there is no place for them. p holds a
// share of the batch under attack, from sample p.first on; shares are called
// for at the same time.
type objective func(p *Pass, values []float64)

// assault is the buffers of attacks, and passes to attack with, one for each
// goroutine.
type assault struct {
	lower, upper, x []float32
	best, values    []float64
	mu              sync.Mutex
	probes          []*Pass
}

// probe borrows a pass; release gives it back.
func (b *assault) probe(m *model) *Pass {
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := len(b.probes) - 1; last >= 0 {
		p := b.probes[last]
		b.probes = b.probes[:last]
		return p
	}
	return newPass(m)
}

func (b *assault) release(p *Pass) {
	b.mu.Lock()
	b.probes = append(b.probes, p)
	b.mu.Unlock()
}

// perturb writes to out the end of the attack on n samples x: points of the
// ball and of the range. The network is in evaluation mode, where samples are
// independent: each processor takes its share of them from start to end.
func (a *Attack) perturb(ctx context.Context, m *model, buf *assault, x []float32, n int, progress float64, rng *rand.Rand, goal objective, out []float32) error {
	epsilon := a.Epsilon(progress)
	low, high := a.span()
	if !(epsilon >= 0 && epsilon <= high-low) {
		return valuef("Attack.Epsilon", "is %v, want [0, %g]", epsilon, high-low)
	}
	buf.box(x, float32(epsilon), float32(low), float32(high))
	plan, restarts := a.plan(epsilon), max(a.Restarts, 1)
	buf.x, buf.best, buf.values = grown(buf.x, len(x)), grown(buf.best, n), grown(buf.values, n)
	for r := range restarts {
		a.begin(buf, x, float32(epsilon), rng)
		m.spread(n, func(lo, hi int) {
			p := buf.probe(m)
			p.first = lo
			buf.descend(ctx, p, plan, goal, lo, hi, restarts > 1)
			buf.release(p)
		})
		if err := ctx.Err(); err != nil {
			return err
		}
		k := len(x) / n
		for i, v := range buf.values {
			if r == 0 || v < buf.best[i] {
				buf.best[i] = v
				copy(out[i*k:(i+1)*k], buf.x[i*k:(i+1)*k])
			}
		}
	}
	return nil
}

// plan is the steps of a descent.
func (a *Attack) plan(epsilon float64) pgd.Schedule {
	steps, size := a.Steps, a.StepSize
	if steps == 0 {
		steps = 10
	}
	switch {
	case size == 0 && a.Start == Centre && steps == 1:
		size = epsilon
	case size == 0:
		size = 2.5 * epsilon / float64(steps)
	}
	plan := pgd.Schedule{Steps: steps, First: float32(size), Last: float32(size), Step: pgd.Sign}
	if a.Raw {
		plan.Step = pgd.Raw
	}
	return plan
}

// descend takes the samples from lo to hi down, and writes where they end if
// asked to.
func (b *assault) descend(ctx context.Context, p *Pass, plan pgd.Schedule, goal objective, lo, hi int, valued bool) {
	k, n := p.m.inputs, hi-lo
	batch := &pgd.Batch{Points: n, X: b.x[lo*k : hi*k], Lower: b.lower[lo*k : hi*k], Upper: b.upper[lo*k : hi*k]}
	pgd.Run(ctx, batch, plan, func(last bool) ([]float32, bool) {
		if last {
			return nil, false
		}
		p.run(batch.X, n, false, nil)
		goal(p, nil)
		return p.back(nil, true), false
	})
	if valued && ctx.Err() == nil {
		p.run(batch.X, n, false, nil)
		goal(p, b.values[lo:hi])
	}
}

// box is the ball around x, clipped to the range; where x itself is outside
// the range, the range's nearest number.
func (b *assault) box(x []float32, epsilon, low, high float32) {
	b.lower, b.upper = grown(b.lower, len(x)), grown(b.upper, len(x))
	for i, v := range x {
		b.lower[i] = min(max(v-epsilon, low), high)
		b.upper[i] = min(max(v+epsilon, low), high)
	}
}

// begin draws the starting points.
func (a *Attack) begin(b *assault, x []float32, epsilon float32, rng *rand.Rand) {
	switch a.Start {
	case Uniform:
		for i := 0; i < len(x); i += 2 {
			bits := rng.Uint64()
			for k := i; k < min(i+2, len(x)); k++ {
				b.x[k] = x[k] + epsilon*(float32(uint32(bits)>>8)/(1<<23)-1)
				bits >>= 32
			}
		}
	case Gaussian:
		for i, v := range x {
			b.x[i] = v + 0.001*float32(rng.NormFloat64())
		}
	default:
		copy(b.x, x)
	}
	for i, v := range b.x {
		b.x[i] = min(max(v, b.lower[i]), b.upper[i])
	}
}

// attack runs a on the step's batch and returns points that last as long as
// the step.
func (s *Step) attack(ctx context.Context, a *Attack, goal objective) ([]float32, error) {
	out := s.points()
	err := a.perturb(ctx, s.m, &s.assault, s.X, s.Size, s.Progress, s.Rand, goal, out)
	return out, err
}

// ofLabels is a's own objective at the given labels.
func (a *Attack) ofLabels(labels []int) objective {
	return func(p *Pass, values []float64) {
		k := p.m.outputs
		y, g := p.Output(), p.GradOutput()
		lp := make([]float64, k)
		for i, label := range labels[p.first : p.first+p.batch] {
			row, grad := y[i*k:(i+1)*k], g[i*k:(i+1)*k]
			value := 0.0
			if a.Objective == Margin {
				other := rival(row, label)
				value = float64(row[label]) - float64(row[other])
				grad[label]++
				grad[other]--
			} else {
				sign := float32(-1)
				if a.Objective == Targeted {
					sign = 1
				}
				logSoftmax(row, lp)
				value = -float64(sign) * lp[label]
				for j, v := range lp {
					grad[j] += sign * float32(math.Exp(v))
				}
				grad[label] -= sign
			}
			if values != nil {
				values[i] = value
			}
		}
	}
}

// rival is the greatest output beside the label's. With one output it is the
// label.
func rival(y []float32, label int) int {
	best := -1
	for j, v := range y {
		if j != label && (best < 0 || v > y[best]) {
			best = j
		}
	}
	return max(best, 0)
}

// Perturb attacks the samples x [n × inputs] with the given labels (for
// Targeted: targets) and returns the points found, with the schedule's values
// at the end of training. The same seed gives the same points.
// Errors: *ValueError, *LabelError, the context's error.
func (a *Attack) Perturb(ctx context.Context, net nn.Network, x []float32, labels []int, seed uint64) ([]float32, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	m, err := newModel(net, &Options{FreezeStatistics: true})
	if err != nil {
		return nil, err
	}
	if len(x) != len(labels)*m.inputs {
		return nil, valuef("x", "has %d numbers for %d labels and %d inputs", len(x), len(labels), m.inputs)
	}
	for i, l := range labels {
		if l < 0 || l >= m.outputs {
			return nil, &LabelError{Index: i, Label: l, Classes: m.outputs}
		}
	}
	out := make([]float32, len(x))
	buf, rng := &assault{}, rand.New(rand.NewPCG(seed, 0x61747461636b))
	for from := 0; from < len(labels); from += evalBatch {
		to := min(from+evalBatch, len(labels))
		part := labels[from:to]
		err := a.perturb(ctx, m, buf, x[from*m.inputs:to*m.inputs], to-from, 1, rng, a.ofLabels(part), out[from*m.inputs:to*m.inputs])
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
