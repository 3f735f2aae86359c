package bab

// Branch and bound.
//
// A domain is a case's region with the intervals of its pre-activations; a
// split clips one of these intervals, or one side of the box of inputs (node 0)
// into two. Bounding a domain gives a lower bound of every inequality's value;
// a conjunction with a positive one is impossible there, and a domain in which
// every conjunction is impossible is closed. Domains are bounded a batch at a
// time, the most violated first. What is left when the frontier is empty is a
// proof; a point that survives its replay is a refutation.
//
// Source: Bunel et al. 2018, arXiv:1711.00455; Bunel et al. 2020 (BaBSR),
// JMLR 21(42); batches: Xu et al. 2021, arXiv:2011.13824.

import (
	"context"
	"time"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// Verify decides whether net has the property.
//
// Guarantee: Verified is a proof over the real numbers (see package bounds for
// the rounding); Falsified comes with a counterexample that was replayed in
// float64 and float32. Complete in the limit: a property that holds with some
// margin on a bounded region is decided given time, as is one violated on a
// set with interior points; one decided only by the exact equality of a bound
// may end in a limit.
//
// The context's deadline or cancellation yields Unknown with ReasonTimeout or
// ReasonCancelled, not an error. Safe for concurrent use.
// Errors: *spec.Error, *nn.UnsupportedError, *nn.ShapeError, or a field of
// opts out of range.
func Verify(ctx context.Context, net nn.Network, prop *spec.Property, opts Options) (*spec.Result, error) {
	start := time.Now()
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	if err := checkFit(net, prop); err != nil {
		return nil, err
	}
	p, err := prepare(net)
	if err != nil {
		return nil, err
	}
	return p.verify(ctx, prop, opts, start, nil)
}

// prepared is a network made ready for any number of verifications.
type prepared struct {
	net, simple nn.Network
	model       *bounds.Model
}

func prepare(net nn.Network) (*prepared, error) {
	simple, err := nn.Simplify(net)
	if err != nil {
		return nil, err
	}
	model, err := bounds.Compile(simple)
	if err != nil {
		return nil, err
	}
	return &prepared{net, simple, model}, nil
}

// verify is Verify for arguments that have been checked. What shared knows of a
// case's region, the first bounds start from; it may be nil.
func (p *prepared) verify(ctx context.Context, prop *spec.Property, opts Options, start time.Time, shared sharedBounds) (*spec.Result, error) {
	e := newEngine(p.model, p.net, p.simple, prop, opts, start)
	e.shared = shared
	res, err := e.run(ctx)
	if err != nil {
		if ctx.Err() == nil {
			return nil, err
		}
		res = e.interrupted(ctx)
	}
	res.Stats.Elapsed = time.Since(start)
	return res, nil
}

// sharedBounds is what is known of the nodes on the region of a case: intervals
// by node index, and the node up to which they need no tightening.
type sharedBounds func(ctx context.Context, caseIndex int) (known []bounds.Interval, settled int, err error)
