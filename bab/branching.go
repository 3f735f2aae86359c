package bab

// A rule of a caller's own for what neuron to split.
//
// Which neuron is split decides how long a proof takes and nothing else: both halves
// are bounded, whatever they are. So the rule may use what proves nothing, as samples
// do. It is not asked while the intervals of neurons are refined (refine.go), where a
// search is for one neuron and short.

import (
	"context"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/spec"
)

// Branching ranks the neurons of a sub-problem.
type Branching interface {
	// Score takes the place of r.Impact: what splitting a neuron is worth, by index of
	// the activation's node and neuron. Neurons without a positive score, and those
	// that cannot be split, are left out; among the few best both halves are bounded
	// once, and what that shows decides (fsb.go).
	//
	// The sub-problem is the part of region where splits hold, oldest first; r is its
	// bounds, which must not be changed. Called from the goroutine of Verify for every
	// sub-problem whose neurons are split.
	// Errors end the search, but for the context's.
	Score(ctx context.Context, region spec.Region, splits []bounds.Split, r *bounds.DomainResult) ([][]float64, error)
}

// scores is what the caller's rule says of a domain, or the impact of relaxations.
func (e *engine) scores(ctx context.Context, o root) ([][]float64, error) {
	if e.opts.Branching == nil {
		return o.r.Impact, nil
	}
	return e.opts.Branching.Score(ctx, e.prop.Cases[o.d.caseIndex].Region, o.d.splits, o.r)
}
