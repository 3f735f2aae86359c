package bab

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/solver"
)

// SplitKind says what branch and bound splits.
type SplitKind int

// The kinds of split.
const (
	// SplitAuto splits input dimensions if few of them vary, neurons if many
	// do, and in between searches both ways in turns.
	SplitAuto SplitKind = iota
	// SplitInput halves the box of inputs.
	SplitInput
	// SplitNeuron splits a neuron's pre-activation interval: a ReLU at zero,
	// an S-curve in the middle. Where no neuron is left to split, the box is.
	SplitNeuron
)

// String is the kind's name: auto, input or neuron.
func (k SplitKind) String() string {
	switch k {
	case SplitInput:
		return "input"
	case SplitNeuron:
		return "neuron"
	default:
		return "auto"
	}
}

// Refinement says whether the intervals of neurons are tightened by a branch and
// bound of their own before the search that splits neurons.
type Refinement int

// The ways to refine.
const (
	// RefineAuto refines where a search of moderate length has not decided, if
	// the network has several layers of ReLUs, no convolution, and not too many
	// undecided neurons.
	RefineAuto Refinement = iota
	// RefineOn refines before searching.
	RefineOn
	// RefineOff does not refine.
	RefineOff
)

// String is auto, on or off.
func (r Refinement) String() string {
	switch r {
	case RefineOn:
		return "on"
	case RefineOff:
		return "off"
	default:
		return "auto"
	}
}

// Options of Verify. The zero value is the recommended setting.
type Options struct {
	// Seed of the attacks. Same seed, same options: same answer, times aside.
	Seed uint64
	// Split is what is split. Default SplitAuto.
	Split SplitKind
	// Conjunctions says whether open conjunctions are taken one by one where
	// neurons are split. Default ConjunctionsAuto.
	Conjunctions Conjunctions
	// Refine says whether the intervals of neurons are refined where neurons
	// alone are split. Default RefineAuto. The statistics' choice "refine" is off,
	// or on and the number of turns.
	Refine Refinement
	// Bounder bounds the sub-problems, but not those of refining. Default nil:
	// bounds.Crown{} where inputs are split, bounds.AlphaBeta{} where neurons are, within
	// bounds.Envelope{} where neurons alone are: at the roots, and in sub-problems if that
	// gains at least a tenth of what the roots lack to a proof (the statistics' choice "envelopes").
	// Not nil: RefineAuto does not refine.
	Bounder bounds.Bounder
	// Branching ranks the neurons to split. Default nil: by the impact of their
	// relaxations on the open conjunctions.
	Branching Branching
	// Solver solves the linear programs of sub-problems in which every neuron is
	// decided. Its answers are checked, not trusted. Default nil:
	// simplex.Solver{}.
	Solver solver.Solver
	// Batch is how many sub-problems are bounded at a time, in [1, 65536].
	// Default 0: chosen from the network's size.
	Batch int
	// MaxDomains ends the search with spec.ReasonNodeLimit after so many
	// sub-problems. Default 0: no limit.
	MaxDomains int
	// MaxMemory, in bytes, bounds the memory of open sub-problems; when it is
	// reached they give up the optimiser's variables, then the search goes
	// depth-first, and at twice the limit it ends with spec.ReasonMemory.
	// Default 0: 2 GiB.
	MaxMemory int64
	// NoAttack leaves out the search for counterexamples before bounding.
	NoAttack bool
	// Attack is the budget of the attack.
	Attack AttackOptions
	// Progress, if not nil, is called from Verify's goroutine about ten times
	// a second. It must not block.
	Progress func(Progress)
	// Logger receives debug records. Default nil: none.
	Logger *slog.Logger
}

// Progress is a glance at a running search.
type Progress struct {
	Elapsed    time.Duration
	Domains    int     // sub-problems bounded so far
	Open       int     // sub-problems that wait
	LowerBound float64 // proven lower bound of the least violation
}

// AttackOptions is the budget of a projected-gradient attack.
type AttackOptions struct {
	// Restarts is the number of starting points per conjunction, at least 1.
	// Default 0: 32.
	Restarts int
	// Steps is the number of gradient steps per start, at least 1.
	// Default 0: 40.
	Steps int
	// Seed of the starting points.
	Seed uint64
}

// Validate names the field that is out of range.
func (o *Options) Validate() error {
	switch {
	case o.Split < SplitAuto || o.Split > SplitNeuron:
		return fmt.Errorf("bab: Options.Split = %d is not a SplitKind", int(o.Split))
	case o.Conjunctions < ConjunctionsAuto || o.Conjunctions > ConjunctionsApart:
		return fmt.Errorf("bab: Options.Conjunctions = %d is not a Conjunctions", int(o.Conjunctions))
	case o.Refine < RefineAuto || o.Refine > RefineOff:
		return fmt.Errorf("bab: Options.Refine = %d is not a Refinement", int(o.Refine))
	case o.Batch < 0 || o.Batch > 65536:
		return fmt.Errorf("bab: Options.Batch = %d is not in [0, 65536]", o.Batch)
	case o.MaxDomains < 0:
		return fmt.Errorf("bab: Options.MaxDomains = %d is negative", o.MaxDomains)
	case o.MaxMemory < 0:
		return fmt.Errorf("bab: Options.MaxMemory = %d is negative", o.MaxMemory)
	}
	return o.Attack.Validate()
}

// Validate names the field that is out of range.
func (o *AttackOptions) Validate() error {
	switch {
	case o.Restarts < 0:
		return fmt.Errorf("bab: AttackOptions.Restarts = %d is negative", o.Restarts)
	case o.Steps < 0:
		return fmt.Errorf("bab: AttackOptions.Steps = %d is negative", o.Steps)
	}
	return nil
}
