package reach

import (
	"fmt"
	"time"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
)

// Method is how a network's output set is computed.
type Method int

// The methods.
const (
	// ApproxStar relaxes every undecided neuron, after bounding it by linear
	// programming. Tran et al. 2019 (FM), 2020 (CAV).
	ApproxStar Method = iota
	// ExactStar splits at every undecided neuron: a union of stars, no loss.
	ExactStar
	// RelaxStar is ApproxStar that spends linear programs on some of the neurons
	// only. Tran et al. 2021 (CAV).
	RelaxStar
	// AbsDom is ApproxStar with one lower line for each relaxed neuron. Singh et
	// al. 2019 (POPL), Tran et al. 2019.
	AbsDom
	// Zono carries a zonotope. Singh et al. 2018 (NeurIPS).
	Zono
)

var methodNames = []string{"approx-star", "exact-star", "relax-star", "abs-dom", "zono"}

// String is the method's name as in the papers: approx-star, exact-star, ...
func (m Method) String() string {
	if m < 0 || int(m) >= len(methodNames) {
		return fmt.Sprintf("Method(%d)", int(m))
	}
	return methodNames[m]
}

// ParseMethod is the method of a name that String prints.
func ParseMethod(name string) (Method, error) {
	for m, n := range methodNames {
		if n == name {
			return Method(m), nil
		}
	}
	return 0, fmt.Errorf("reach: no method %q; there are %v", name, methodNames)
}

// Choice is which neurons RelaxStar bounds by linear programming.
type Choice int

// The choices. Widths and areas are those of the estimated ranges.
const (
	ByRange    Choice = iota // the widest
	ByArea                   // those whose triangle is greatest
	ByBound                  // the greatest bounds of all, each by itself
	ByRandom                 // at random
	ByOrder                  // the first ones ("static")
	UpperFirst               // the greatest upper bounds, then lower ones
)

var choiceNames = []string{"range", "area", "bound", "random", "static", "upper-bounds-first"}

// String is the choice's name: range, area, bound, random, static or
// upper-bounds-first.
func (c Choice) String() string {
	if c < 0 || int(c) >= len(choiceNames) {
		return fmt.Sprintf("Choice(%d)", int(c))
	}
	return choiceNames[c]
}

// ParseChoice is the choice of a name that String prints.
func ParseChoice(name string) (Choice, error) {
	for c, n := range choiceNames {
		if n == name {
			return Choice(c), nil
		}
	}
	return 0, fmt.Errorf("reach: no choice %q; there are %v", name, choiceNames)
}

// Options of reachability and verification. The zero value is approx-star with the
// embedded solver.
type Options struct {
	// Method is how sets are computed. Default ApproxStar.
	Method Method
	// RelaxFactor is the share of undecided neurons that RelaxStar does not bound by
	// linear programming, in [0, 1]: 0 is ApproxStar, 1 solves no program before the
	// output. Default 0.
	RelaxFactor float64
	// Choice is which neurons those are. Default ByRange.
	Choice Choice
	// NoPrefilter leaves out the bounds that come before linear programming: those of
	// a zonotope carried along and those by substitution of lines.
	NoPrefilter bool
	// Solver solves the linear programs. Default nil: simplex.Solver{}.
	Solver solver.Solver
	// Seed of attacks and of random choices. Same seed, same options: same answer.
	Seed uint64
	// MaxStars ends exact reachability after so many stars. Default 0: no limit.
	MaxStars int
	// MaxMemory, in bytes, bounds the stars that wait or are kept. Default 0: 1 GiB.
	MaxMemory int64
	// NoAttack leaves out the search for a counterexample after an approximate method
	// has not proved a property. Points that bounds come with are tried anyway.
	NoAttack bool
	// Attack is the budget of that search.
	Attack AttackOptions
	// Refine hands what an approximate method leaves open to exact-star, where the
	// network's activations are piecewise linear.
	Refine bool
	// Progress, if not nil, is called now and then from the calling goroutine. It
	// must not block.
	Progress func(Progress)
}

// AttackOptions is the budget of a search for counterexamples.
type AttackOptions struct {
	// Restarts is the number of starting points per conjunction, at least 1.
	// Default 0: 16.
	Restarts int
	// Steps is the number of gradient steps per start, at least 1. Default 0: 20.
	Steps int
}

// Progress is a glance at a running analysis.
type Progress struct {
	Elapsed time.Duration
	Node    int // of the network's nodes, the last one that was reached
	Stars   int // exact: stars that have reached the output
	Open    int // exact: stars that wait
}

// OptionError names a field of Options that is out of range.
type OptionError struct{ Field, Detail string }

func (e *OptionError) Error() string { return "reach: Options." + e.Field + " " + e.Detail }

// Validate names the field that is out of range.
// Errors: *OptionError.
func (o *Options) Validate() error {
	bad := func(field, format string, v any) error {
		return &OptionError{field, fmt.Sprintf(format, v)}
	}
	switch {
	case o.Method < ApproxStar || o.Method > Zono:
		return bad("Method", "= %d is not a Method", int(o.Method))
	case !(o.RelaxFactor >= 0 && o.RelaxFactor <= 1):
		return bad("RelaxFactor", "= %g is not in [0, 1]", o.RelaxFactor)
	case o.Choice < ByRange || o.Choice > UpperFirst:
		return bad("Choice", "= %d is not a Choice", int(o.Choice))
	case o.MaxStars < 0:
		return bad("MaxStars", "= %d is negative", o.MaxStars)
	case o.MaxMemory < 0:
		return bad("MaxMemory", "= %d is negative", o.MaxMemory)
	case o.Attack.Restarts < 0:
		return bad("Attack.Restarts", "= %d is negative", o.Attack.Restarts)
	case o.Attack.Steps < 0:
		return bad("Attack.Steps", "= %d is negative", o.Attack.Steps)
	}
	return nil
}

// withDefaults fills in what was left at zero.
func (o Options) withDefaults() Options {
	if o.Solver == nil {
		o.Solver = simplex.Solver{}
	}
	if o.MaxMemory == 0 {
		o.MaxMemory = 1 << 30
	}
	if o.Attack.Restarts == 0 {
		o.Attack.Restarts = 16
	}
	if o.Attack.Steps == 0 {
		o.Attack.Steps = 20
	}
	return o
}
