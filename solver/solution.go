package solver

// Status is what a solver found out. The zero value claims nothing.
type Status int

// The statuses. Optimal, Infeasible and Unbounded are claims of the solver, made
// in floating point; SafeBound and SafeInfeasible turn them into proofs.
const (
	Unknown    Status = iota
	Optimal           // X is feasible and best, within the tolerances
	Infeasible        // no point is feasible
	Unbounded         // feasible points are arbitrarily good
	Limit             // stopped early: Solution.Reason says why
	Numerical         // rounding errors prevent an answer
)

// String is the status's name in lower case.
func (s Status) String() string {
	switch s {
	case Optimal:
		return "optimal"
	case Infeasible:
		return "infeasible"
	case Unbounded:
		return "unbounded"
	case Limit:
		return "limit"
	case Numerical:
		return "numerical"
	default:
		return "unknown"
	}
}

// Reason says which limit a solver stopped at. A status other than Limit has
// ReasonNone.
type Reason int

// The reasons.
const (
	ReasonNone       Reason = iota
	ReasonTimeout           // the context's deadline or Options.TimeLimit passed
	ReasonCancelled         // the context was cancelled
	ReasonIterations        // Options.MaxIterations
	ReasonNodes             // Options.MaxNodes
	ReasonMemory            // the problem does not fit Options.MaxMemory
)

// String is the reason's name in lower case, empty for ReasonNone.
func (r Reason) String() string {
	switch r {
	case ReasonTimeout:
		return "timeout"
	case ReasonCancelled:
		return "cancelled"
	case ReasonIterations:
		return "iteration limit"
	case ReasonNodes:
		return "node limit"
	case ReasonMemory:
		return "memory limit"
	default:
		return ""
	}
}

// Solution is a solver's answer. The caller owns its slices.
//
// Signs: with y the RowDuals and d the ReducedCosts, Cost = Aᵀy + d whatever the
// sense. When minimising, a row or variable at its lower bound has a dual value
// or reduced cost ≥ 0, at its upper bound ≤ 0; when maximising, the reverse.
type Solution struct {
	Status Status
	Reason Reason // why Status is Limit

	// X is a point: the optimum; for Unbounded a feasible point; for Limit on a
	// mixed-integer problem the incumbent. Otherwise nil.
	X []float64
	// Objective is the value of X with the offset; NaN without an X.
	Objective float64
	// Bound is what the solver believes the optimum cannot pass: below it when
	// minimising, above it when maximising. Of a solved linear problem it is
	// Objective; ∓Inf if nothing is known. Not safe: see SafeBound.
	Bound float64

	RowDuals     []float64 // per row, of an optimal linear problem
	ReducedCosts []float64 // per variable, of an optimal linear problem

	// FarkasRay, per row, proves that an Infeasible problem is: see
	// SafeInfeasible, which accepts it. Only with Options.Rays; nil where the
	// solver has no ray that passes.
	FarkasRay []float64
	// UnboundedRay, per variable, is a direction from X along which the problem
	// stays feasible and the objective improves. Only with Options.Rays.
	UnboundedRay []float64

	Iterations int // simplex pivots and bound flips
	Nodes      int // of branch and bound
}
