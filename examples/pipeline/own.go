package main

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// cascade is a Bounder of one's own: interval arithmetic for all domains, and
// CROWN only for those that it leaves open, which know the intervals already.
type cascade struct{}

// Bound implements bounds.Bounder.
func (cascade) Bound(ctx context.Context, m *bounds.Model, q *bounds.Query) ([]bounds.DomainResult, error) {
	out, err := bounds.IBP{}.Bound(ctx, m, q)
	if err != nil {
		return nil, err
	}
	rest, at := *q, []int(nil)
	rest.Domains = nil
	for i, d := range q.Domains {
		if !allPositive(out[i].Lower) {
			d.Known = out[i].Nodes
			rest.Domains, at = append(rest.Domains, d), append(at, i)
		}
	}
	if len(at) == 0 {
		return out, nil
	}
	tight, err := bounds.Crown{}.Bound(ctx, m, &rest)
	for k, r := range tight {
		out[at[k]] = r
	}
	return out, err
}

// A rule says which input of a box to halve.
type rule func(box spec.Box, r *bounds.DomainResult) int

// widest halves the widest side: metres count as much as wetness.
func widest(box spec.Box, _ *bounds.DomainResult) int {
	return best(len(box.Lower), func(j int) float64 { return box.Upper[j] - box.Lower[j] })
}

// steepest is a split rule of one's own: the side along which the linear lower
// bound of the function furthest from being proven falls most.
func steepest(box spec.Box, r *bounds.DomainResult) int {
	if r.Coef == nil {
		return widest(box, r)
	}
	n := len(box.Lower)
	k := best(len(r.Lower), func(k int) float64 { return -r.Lower[k] })
	return best(n, func(j int) float64 { return math.Abs(r.Coef[k*n+j]) * (box.Upper[j] - box.Lower[j]) })
}

// verify is branch and bound over inputs in its shortest form. It wants all
// functions of the property to be positive, which is exact for properties such
// as robustness, whose conjunctions have one inequality each, and enough for
// others.
func verify(ctx context.Context, net nn.Network, p *spec.Property, b bounds.Bounder, split rule) (*spec.Result, error) {
	if len(p.Cases) != 1 {
		return nil, errors.New("this example takes properties of one case")
	}
	model, err := bounds.Compile(net)
	if err != nil {
		return nil, err
	}
	q := bounds.Query{Functions: bounds.PropertyFunctions(&p.Cases[0], p.Inputs, p.Outputs), Linear: true}
	result := &spec.Result{Verdict: spec.Verified}
	for open := []spec.Box{p.Cases[0].Region.Box()}; len(open) > 0; {
		q.Domains = nil
		for _, box := range open {
			q.Domains = append(q.Domains, bounds.Domain{Region: box})
		}
		answers, err := b.Bound(ctx, model, &q)
		if err != nil {
			return nil, err
		}
		result.Stats.Domains += len(open)
		var next []spec.Box
		for i, box := range open {
			if allPositive(answers[i].Lower) {
				continue
			}
			if c, err := try(net, p, box); c != nil || err != nil {
				return &spec.Result{Verdict: spec.Falsified, Counterexample: c, Stats: result.Stats}, err
			}
			next = append(next, halve(box, split(box, &answers[i]))...)
		}
		if open = next; len(open) > 1<<16 {
			return &spec.Result{Reason: spec.ReasonMemory, Stats: result.Stats}, nil
		}
	}
	return result, nil
}

// try checks the middle of a box.
func try(net nn.Network, p *spec.Property, box spec.Box) (*spec.Counterexample, error) {
	x := make([]float64, len(box.Lower))
	for j := range x {
		x[j] = 0.5*box.Lower[j] + 0.5*box.Upper[j]
	}
	y, err := nn.Evaluate(net, x)
	if k, conjunction, unsafe := p.Check(x, y); err == nil && unsafe {
		return &spec.Counterexample{Input: x, Output: y, Case: k, Conjunction: conjunction}, nil
	}
	return nil, err
}

// halve cuts a box in two along input j.
func halve(box spec.Box, j int) []spec.Box {
	left := spec.Box{Lower: box.Lower, Upper: append([]float64(nil), box.Upper...)}
	right := spec.Box{Lower: append([]float64(nil), box.Lower...), Upper: box.Upper}
	left.Upper[j] = 0.5*box.Lower[j] + 0.5*box.Upper[j]
	right.Lower[j] = left.Upper[j]
	return []spec.Box{left, right}
}

// allPositive reports whether every function is above zero: nothing is unsafe.
func allPositive(lower []float64) bool {
	return !slices.ContainsFunc(lower, func(v float64) bool { return !(v > 0) })
}

// best is the index of the greatest of n scores.
func best(n int, score func(int) float64) int {
	at := 0
	for j := range n {
		if score(j) > score(at) {
			at = j
		}
	}
	return at
}
