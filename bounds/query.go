package bounds

import (
	"context"

	"github.com/vouchnn/vouch/spec"
)

// Interval holds lower and upper bounds of the elements of one node.
type Interval struct {
	Lower, Upper []float64
}

// Functions is K linear functions of a network's output y and input x:
// function k is Output[k]·y + Input[k]·x + Const[k].
type Functions struct {
	Output []float64 // [K × outputs], row-major
	Input  []float64 // [K × inputs], or nil for zero
	Const  []float64 // [K], or nil for zero
}

// Domain is one sub-problem: a region of inputs, and bounds already known.
type Domain struct {
	Region spec.Region
	// Known holds, by node index, bounds that hold on the part of the region
	// that is of interest: bounds computed before for a larger region, or the
	// halves of a split. It may be nil or shorter than the number of nodes,
	// and an entry with nil slices knows nothing.
	Known []Interval
	// Under holds, by node index, intervals between values that are known to
	// occur: under-approximated domains, for Relaxers that choose their lines by
	// them (package dualapp). They move lines about and no bound rests on them. It
	// may be nil or shorter than the number of nodes, and an entry with nil slices
	// knows nothing.
	Under []Interval
	// Settled says that Known already holds the best bounds wanted for nodes
	// below this index; they are taken as they are, without bounding again.
	// Every node below it that the method needs must then be in Known.
	Settled int
	// Splits are half-spaces of pre-activations in which alone bounds must
	// hold. Known must be clipped to them too; methods without multipliers use
	// nothing but that.
	Splits []Split
	// Halfspaces are linear conditions on inputs in which alone bounds must
	// hold. The backward methods use them for every bound.
	Halfspaces []Halfspace
	// Warm is where an optimising method starts: the DomainResult.Warm of a
	// domain that contains this one. May be nil.
	Warm *Warm
	// Only lists the functions that matter in this domain; nil means all. The
	// others are not bounded: they get −Inf and +Inf.
	Only []int
}

// Split is one side of a cut: the element of the node is at least Point, or,
// if Below, at most Point.
type Split struct {
	Node, Index int
	Below       bool
	Point       float64
}

// Query asks for bounds of linear functions on a batch of domains.
type Query struct {
	Domains   []Domain
	Functions Functions
	// Upper also asks for upper bounds of the functions.
	Upper bool
	// Linear also asks for the linear lower bounds themselves.
	Linear bool
	// AnyOf lists ranges [from, to) of functions of which one positive lower
	// bound is enough. An optimising method stops working on a domain once
	// each of them has it. Nil: it stops where every function is positive.
	AnyOf [][2]int
	// Impact also asks for an estimate of what each neuron's relaxation costs
	// the functions' lower bounds: what to split.
	Impact bool
}

// DomainResult is the answer for one domain.
type DomainResult struct {
	// Nodes holds sound bounds of every node, by node index.
	Nodes []Interval
	// Lower and Upper bound the functions, [K]. Upper is nil if not asked for.
	Lower, Upper []float64
	// Apart is Lower as it was before neurons were bounded jointly (Envelope); nil if
	// they were not.
	Apart []float64
	// Coef [K × inputs] and Offset [K] are linear functions of the input below
	// the functions: wherever in the domain Known and Splits hold, function k is
	// at least Coef[k]·x + Offset[k], with these numbers taken exactly. Offset
	// is −Inf for a function that was not bounded backward.
	// Nil if not asked for or if the method has none.
	Coef, Offset []float64
	// Impact holds, by index of the nonlinear node, one number per element of
	// its input: the distance between the activation and its line, times the
	// coefficient of the line, added up over the functions. Nil for nodes that
	// are not element-wise, and if not asked for. A heuristic.
	Impact [][]float64
	// Warm is what an optimising method found, to start from in a sub-domain.
	Warm *Warm
	// Infeasible says that the known bounds contradict the computed ones: no
	// input of the region satisfies them. Lower is then +Inf, Upper −Inf.
	Infeasible bool
}

// Bounder computes sound bounds.
//
// Guarantee: on every point x of a domain's region and half-spaces whose node
// values satisfy the domain's Known, each function lies within [Lower, Upper] and each node
// within its interval, in exact real arithmetic.
//
// Implementations are safe for concurrent use and do not change the query.
// Errors: *spec.Error for a malformed query; the context's error when it ends.
type Bounder interface {
	Bound(ctx context.Context, m *Model, q *Query) ([]DomainResult, error)
}
