package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// Deciding one property, and not taking the verifier's word for a
// counterexample: it is replayed here on the network as it was read.

// verifier is what decide asks; it is bab.Verify except in tests.
type verifier func(context.Context, nn.Network, *spec.Property, bab.Options) (*spec.Result, error)

// replayError is a counterexample that does not refute the property.
type replayError struct{ detail string }

func (e *replayError) Error() string { return "the counterexample does not replay: " + e.detail }

// decide verifies and replays. The end of ctx is an answer, not an error.
// Errors: *replayError, *panicError and those of bab.Verify.
func decide(ctx context.Context, verify verifier, net nn.Network, prop *spec.Property, opts bab.Options) (*spec.Result, error) {
	res, err := contained(func() (*spec.Result, error) { return verify(ctx, net, prop, opts) })
	switch {
	case err != nil && isContextError(err):
		return undecided(err), nil
	case err != nil:
		return nil, err
	case res == nil:
		return nil, errors.New("internal error: the verifier did not answer")
	case res.Verdict == spec.Falsified:
		return res, replay(net, prop, res.Counterexample)
	}
	return res, nil
}

// undecided is the result for a context that ended with err.
func undecided(err error) *spec.Result {
	r := &spec.Result{Verdict: spec.Unknown, Reason: spec.ReasonCancelled, LowerBound: negInf}
	if errors.Is(err, context.DeadlineExceeded) {
		r.Reason = spec.ReasonTimeout
	}
	return r
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// replay checks a counterexample: its input lies in a region with no tolerance,
// and the outputs that net computes there, in float64 and in float32, are
// unsafe. Where an interval of the region holds no float32 value, the float32
// pass starts from the nearest one.
// Errors: *replayError.
func replay(net nn.Network, prop *spec.Property, c *spec.Counterexample) error {
	if c == nil {
		return &replayError{"there is none"}
	}
	if len(c.Input) != prop.Inputs || prop.Inputs != nn.InputShape(net).Size() || prop.Outputs != nn.OutputShape(net).Size() {
		return &replayError{fmt.Sprintf("%d inputs, where the property has %d", len(c.Input), prop.Inputs)}
	}
	inside := false
	for _, k := range prop.Cases {
		inside = inside || k.Region.Contains(c.Input)
	}
	if !inside {
		return &replayError{"its input lies in no region"}
	}
	y, err := nn.Evaluate(net, c.Input)
	if err != nil {
		return err
	}
	if _, _, ok := prop.Check(c.Input, y); !ok {
		return &replayError{"its output is safe in float64"}
	}
	x32 := make([]float32, len(c.Input))
	for i, v := range c.Input {
		x32[i] = float32(v)
	}
	for i, v := range nn.NewEvaluator[float32](net).Forward(x32, 1) {
		y[i] = float64(v)
	}
	if _, _, ok := prop.Check(c.Input, y); !ok {
		return &replayError{"its output is safe in float32"}
	}
	return nil
}
