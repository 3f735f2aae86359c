package qnn

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/spec"
)

// Verification by integer linear programming: QVIP's method with any solver.
//
// One program is solved for each conjunction that intervals leave open. Three
// outcomes are kept apart: a point, which is replayed on the network and counts
// only if it is unsafe there; infeasible; and everything else, which is unknown.
// That a program is infeasible is the solver's word, given within its tolerances,
// which enlarge the set of points and so do not by themselves make an unsafe
// case look safe. Verify needs no solver to be trusted.

// ILPOptions of VerifyILP. Solver is required.
type ILPOptions struct {
	Solver  solver.Solver
	Encode  EncodeOptions
	Options solver.Options // of the solver; TimeLimit applies to each program
	// Joint solves one program for all conjunctions of a case, as the paper does,
	// with a Boolean for each.
	Joint bool
}

// VerifyILP decides prop for net with an integer linear programming solver.
//
// Falsified is replayed on the network. Verified rests on the solver's word that the
// programs are infeasible: simplex.Solver proves each of its own, others are trusted.
// Errors: those of Verify and Encode, and the solver's.
// Safe for concurrent use if the solver is.
func VerifyILP(ctx context.Context, net *Network, prop spec.Property, opts ILPOptions) (*spec.Result, error) {
	if opts.Solver == nil {
		return nil, errors.New("qnn: ILPOptions.Solver is nil")
	}
	if err := checkProperty(net, prop); err != nil {
		return nil, err
	}
	begin := time.Now()
	res := &spec.Result{LowerBound: math.Inf(-1)}
	reason := spec.ReasonNone
	for i, c := range prop.Cases {
		first, last := 0, len(c.Unsafe)-1
		if opts.Joint && len(c.Unsafe) > 1 {
			first, last = -1, -1
		}
		for k := first; k <= last && res.Verdict == spec.Unknown; k++ {
			if k >= 0 && excluded(net, c, k) {
				continue
			}
			why, err := solveOne(ctx, net, prop, i, k, opts, res)
			if err != nil {
				return nil, err
			}
			if why != spec.ReasonNone {
				reason = why
			}
		}
	}
	switch {
	case res.Verdict == spec.Falsified:
	case reason == spec.ReasonNone:
		res.Verdict, res.LowerBound = spec.Verified, 0
	default:
		res.Reason = reason
	}
	res.Stats.Elapsed = time.Since(begin)
	return res, nil
}

// excluded reports whether intervals alone show that conjunction k cannot hold.
func excluded(net *Network, c spec.Case, k int) bool {
	reg, ok := newRegion(c.Region, net.Input)
	if !ok {
		return true
	}
	m := newModel(net, reg)
	m.addConjunction(k, c.Unsafe[k])
	for j := range m.rows {
		if m.newDomain(j) != nil {
			return false
		}
	}
	return true
}

// solveOne solves one program; a counterexample goes into res.
func solveOne(ctx context.Context, net *Network, prop spec.Property, index, conjunction int, opts ILPOptions, res *spec.Result) (spec.Reason, error) {
	if reason := contextReason(ctx); reason != spec.ReasonNone {
		return reason, nil
	}
	e, err := Encode(net, prop, index, conjunction, opts.Encode)
	if err != nil {
		return spec.ReasonNone, err
	}
	sol, err := opts.Solver.Solve(ctx, e.Problem, opts.Options)
	if err != nil {
		return spec.ReasonNone, err
	}
	res.Stats.Domains += max(1, sol.Nodes)
	if sol.X != nil && len(e.Inputs) > 0 {
		v := verification{net: net, prop: prop, index: index, res: res}
		if v.accept(floats(e.Input(sol.X))) {
			return spec.ReasonNone, nil
		}
	}
	switch sol.Status {
	case solver.Infeasible:
		return spec.ReasonNone, nil
	case solver.Limit:
		switch sol.Reason {
		case solver.ReasonTimeout:
			return spec.ReasonTimeout, nil
		case solver.ReasonCancelled:
			return spec.ReasonCancelled, nil
		case solver.ReasonMemory:
			return spec.ReasonMemory, nil
		}
		return spec.ReasonNodeLimit, nil
	default:
		return spec.ReasonNumerical, nil
	}
}
