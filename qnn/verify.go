package qnn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/vouchnn/vouch/spec"
)

// The verifier that needs no integer programming: attack, Lagrangian bounds,
// branch and bound.

// Options of Verify. The zero value works.
type Options struct {
	// RootIterations is how many backward passes bound a conjunction over the
	// whole region, at most. Default 0: 300.
	RootIterations int
	// Iterations is the same for a part of the region. Default 0: 100.
	Iterations int
	// Batch is how many parts of the region are bounded at a time; the answer does
	// not depend on the number of processors, but which counterexample is found
	// depends on Batch. Default 0: 64.
	Batch int
	// Sweeps is how often a local search goes through all inputs. Default 0: 4.
	Sweeps int
	// MaxDomains ends the search after so many bounded domains. Default 0: none.
	MaxDomains int
	// MaxMemory, in bytes, bounds the open domains. Default 0: 1 GiB.
	MaxMemory int64
	// NoAttack leaves out the local search. Inputs that the bounds name are still
	// tried.
	NoAttack bool
	// Progress, if set, is called after each batch, on the caller's goroutine.
	Progress func(Progress)

	shareAfter  int // rounds after which shares move; 0: shareRound
	deepenAfter int // rounds after which hull.go's bound is turned on; 0: hullRound
}

// Progress of a branch and bound.
type Progress struct {
	Domains int // bounded so far
	Open    int // waiting
}

// Validate names the field that is out of range.
func (o *Options) Validate() error {
	for _, f := range []struct {
		name  string
		value int
	}{
		{"RootIterations", o.RootIterations},
		{"Iterations", o.Iterations},
		{"Batch", o.Batch},
		{"Sweeps", o.Sweeps},
		{"MaxDomains", o.MaxDomains},
	} {
		if f.value < 0 || f.value > 1<<40 {
			return fmt.Errorf("qnn: Options.%s = %d is not in [0, 2^40]", f.name, f.value)
		}
	}
	if o.MaxMemory < 0 {
		return fmt.Errorf("qnn: Options.MaxMemory = %d is negative", o.MaxMemory)
	}
	return nil
}

func (o *Options) fill() {
	for _, f := range []struct {
		value    *int
		standard int
	}{{&o.RootIterations, 300}, {&o.Iterations, 100}, {&o.Batch, 64}, {&o.Sweeps, 4}} {
		if *f.value == 0 {
			*f.value = f.standard
		}
	}
	if o.shareAfter == 0 {
		o.shareAfter = shareRound
	}
	if o.deepenAfter == 0 {
		o.deepenAfter = hullRound
	}
	if o.MaxMemory == 0 {
		o.MaxMemory = 1 << 30
	}
}

// parts is how many parts a batch has.
func (o *Options) parts() int { return max(1, (o.Batch+part-1)/part) }

// Verify decides prop for net. It is complete: given time and memory it answers
// Verified or Falsified. A counterexample is integers, in Result as float64, and
// was replayed through Network.Run.
//
// Regions are read as their integer points within the network's input range; a
// region without any is safe.
// Guarantee: Verified is a proof for the integer semantics; rounding errors of
// the bounds are accounted for. Cost: one backward pass is
// O(inputs × neurons that are not fixed), the number of passes exponential at
// worst. Memory, time and node limits give Unknown with a reason.
// Errors: *Error and *spec.Error if property and network do not fit.
// Safe for concurrent use.
func Verify(ctx context.Context, net *Network, prop spec.Property, opts Options) (*spec.Result, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	if err := checkProperty(net, prop); err != nil {
		return nil, err
	}
	opts.fill()
	begin := time.Now()
	res := &spec.Result{LowerBound: math.Inf(-1)}
	open := false
	for i := range prop.Cases {
		v := verification{net: net, prop: prop, index: i, opts: opts, res: res}
		if reason := v.run(ctx); reason != spec.ReasonNone {
			res.Reason, open = reason, true
		}
		if res.Verdict == spec.Falsified {
			res.Reason = spec.ReasonNone
			break
		}
	}
	if res.Verdict == spec.Unknown && !open {
		res.Verdict, res.LowerBound = spec.Verified, 0
	}
	res.Stats.Elapsed = time.Since(begin)
	return res, nil
}

func checkProperty(net *Network, prop spec.Property) error {
	if err := prop.Validate(); err != nil {
		return err
	}
	if prop.Inputs != net.Inputs() || prop.Outputs != net.Outputs() {
		return errorf("property", "%d inputs and %d outputs for a network with %d and %d", prop.Inputs, prop.Outputs, net.Inputs(), net.Outputs())
	}
	return nil
}

// verification is one case.
type verification struct {
	net   *Network
	prop  spec.Property
	index int
	opts  Options
	res   *spec.Result
}

// run decides the case; a counterexample goes into the result.
func (v *verification) run(ctx context.Context) spec.Reason {
	c := &v.prop.Cases[v.index]
	reg, ok := newRegion(c.Region, v.net.Input)
	if !ok || len(c.Unsafe) == 0 {
		return spec.ReasonNone
	}
	m := newModel(v.net, reg)
	for k, unsafe := range c.Unsafe {
		m.addConjunction(k, unsafe)
	}
	if len(m.rows) == 0 {
		return spec.ReasonNone
	}
	s := newSearch(m, v.opts, &v.res.Stats, v.accept, func(x []float64) bool { return v.replay(x) != nil })
	reason := contextReason(ctx)
	if reason != spec.ReasonNone {
		return reason
	}
	if !m.tightenLater(12) {
		return spec.ReasonNone
	}
	if _, decided := s.root(ctx); decided {
		return spec.ReasonNone
	}
	_, reason = s.run(ctx)
	return reason
}

// accept replays an input through the network and keeps it if it is unsafe.
func (v *verification) accept(x []float64) bool {
	c := v.replay(x)
	if c == nil {
		return false
	}
	v.res.Verdict, v.res.Counterexample = spec.Falsified, c
	return true
}

// replay runs an input through the network; nil if it is not unsafe. Safe for
// concurrent use.
func (v *verification) replay(x []float64) *spec.Counterexample {
	in := integers(x)
	if v.net.CheckInput(in) != nil {
		return nil
	}
	out := floats(v.net.Run(in))
	k, j, ok := v.prop.Check(x, out)
	if !ok {
		return nil
	}
	return &spec.Counterexample{Input: slices.Clone(x), Output: out, Case: k, Conjunction: j}
}

func contextReason(ctx context.Context) spec.Reason {
	switch {
	case ctx.Err() == nil:
		return spec.ReasonNone
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return spec.ReasonTimeout
	default:
		return spec.ReasonCancelled
	}
}
