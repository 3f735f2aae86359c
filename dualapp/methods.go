package dualapp

// The methods of the comparison, by name.

import (
	"fmt"
	"strings"

	"github.com/vouchnn/vouch/bounds"
)

// MethodOptions is what some of the methods take. The zero value is the paper's.
type MethodOptions struct {
	Samples int     // of Monte Carlo; default 0: 1000
	Seed    uint64  // of Monte Carlo
	Step    float64 // of the gradient step, a fraction of the radius; default 0: 0.45
	// Iterations of the optimiser of alpha, newise-network and aimed. Default 0: 20,
	// 100 and none.
	Iterations int
	// Intermediate is alpha's iterations for each pre-activation. Default 0: none,
	// only the outputs' bounds are optimised.
	Intermediate int
}

// Methods lists the names that Method knows:
//
//	dualapp-mc      the dual relaxation, Monte Carlo
//	dualapp-grad    the dual relaxation, gradients
//	newise          NeWise's neuron-wise lines
//	newise-network  NeWise's network-wise lines
//	deepcert, verinet, robustverifier, deeppoly, crown
//	                these papers' lines
//	alpha           tangents optimised by gradient steps, from dualapp-mc's
//	best            dualapp-mc, verinet and newise intersected (Best)
//	aimed           tangents at the worst inputs of dualapp-mc (Aimed)
func Methods() []string {
	return []string{
		"dualapp-mc", "dualapp-grad", "newise", "newise-network", "deepcert", "verinet", "robustverifier", "deeppoly", "crown", "alpha", "best", "aimed",
	}
}

// MethodError is a method's name that is not known.
type MethodError struct{ Name string }

// Error implements error.
func (e *MethodError) Error() string {
	return fmt.Sprintf("dualapp: method %q: want one of %s", e.Name, strings.Join(Methods(), ", "))
}

// Method is the Verifier of a name; its other fields are the caller's to set.
// Errors: *MethodError, *OptionError.
func Method(name string, o MethodOptions) (Verifier, error) {
	if err := o.Validate(); err != nil {
		return Verifier{}, err
	}
	sampled := MonteCarlo{Samples: o.Samples, Seed: o.Seed}
	crown := func(r bounds.Relaxer) (Verifier, error) {
		return Verifier{Bounder: bounds.Crown{Relaxer: r}}, nil
	}
	switch name {
	case "dualapp-mc":
		return Verifier{Bounder: bounds.Crown{Relaxer: Dual{}}, Under: sampled}, nil
	case "dualapp-grad":
		return Verifier{Bounder: bounds.Crown{Relaxer: Dual{}}, Under: Gradient{Step: o.Step}}, nil
	case "alpha":
		b := bounds.AlphaBeta{Relaxer: Dual{}, Iterations: o.Iterations, Intermediate: o.Intermediate}
		return Verifier{Bounder: b, Under: sampled}, nil
	case "best":
		return Verifier{Bounder: Best{}, Under: sampled}, nil
	case "aimed":
		return Verifier{Bounder: Aimed{Iterations: o.Iterations}, Under: sampled}, nil
	case "newise-network":
		return Verifier{Bounder: bounds.NeWise{Iterations: o.Iterations}}, nil
	case "newise":
		return crown(bounds.NeWiseLines{})
	case "deepcert":
		return crown(bounds.DeepCertLines{})
	case "verinet":
		return crown(bounds.VeriNetLines{})
	case "robustverifier":
		return crown(bounds.RobustVerifierLines{})
	case "deeppoly":
		return crown(bounds.DeepPolyLines{})
	case "crown":
		return crown(bounds.CrownLines{})
	}
	return Verifier{}, &MethodError{name}
}

// Validate checks the fields.
// Errors: *OptionError.
func (o *MethodOptions) Validate() error {
	switch {
	case o.Samples < 0 || o.Samples > 1<<24:
		return &OptionError{"Samples", fmt.Sprintf("%d is not in [0, 2^24]", o.Samples)}
	case !(o.Step >= 0 && o.Step <= 1):
		return &OptionError{"Step", fmt.Sprintf("%v is not in [0, 1]", o.Step)}
	case o.Iterations < 0 || o.Intermediate < 0:
		return &OptionError{"Iterations", "is negative"}
	}
	return nil
}
