package train

// Losses by name, as commands and tables have them: "ce", "madry", "trades",
// "rs", "ibp", "nbc", and sums such as "trades+nbc" or "ce+jacobian".
//
// The first name is a method with its own cross-entropy term. "nbc" is
// CE − β·NBC by itself and adds −β·NBC to any other method; "l1", "l2" and
// "jacobian" add a penalty.

import (
	"fmt"
	"strings"
)

// LossOptions is the settings of losses by name. Zero fields have the default.
type LossOptions struct {
	Epsilon float64 // radius, at the end of the ramp
	// Ramp is the share of the training in which the radius rises from 0 to
	// Epsilon on a straight line. Default 0: 0.4; negative: none. With an
	// IBP term it is also the share in which κ falls.
	Ramp     float64
	Steps    int     // of attacks; default 10
	Restarts int     // of attacks; default 1
	Beta     float64 // of NBC; default 1; negative: 0
	Trades   float64 // weight of TRADES' KL; default 1
	W1       float64 // of ReLU-stable's L1; default 2e-5
	W2       float64 // of ReLU-stable's RS; default 1e-4
	Full     bool    // ReLUStable.Full
	Composed bool    // ReLUStable.Composed
	Ordinal  bool    // NBC.Ordinal
	Raw      bool    // the raw gradient in NBC's inner loop, with StepSize
	StepSize float64 // Attack.StepSize
	Shared   bool    // NBC.Shared, in sums with a method that attacks
	Penalty  float64 // weight of l1, l2 or jacobian; default 1e-4, jacobian 0.01
}

// LossNames lists the names that ParseLoss takes, alone or joined by "+".
func LossNames() []string {
	return []string{"ce", "madry", "trades", "rs", "ibp", "nbc", "l1", "l2", "jacobian"}
}

// ParseLoss is the loss of a name. Errors: *ValueError.
func ParseLoss(name string, o LossOptions) (Loss, error) {
	if !(o.Epsilon >= 0 && o.Epsilon <= 1) {
		return nil, valuef("epsilon", "is %v, want [0, 1]", o.Epsilon)
	}
	if !(o.Ramp <= 1) {
		return nil, valuef("ramp", "is %v, want at most 1", o.Ramp)
	}
	o = o.withDefaults()
	parts := strings.Split(name, "+")
	sum, err := o.method(parts[0])
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{parts[0]: true}
	for _, p := range parts[1:] {
		if seen[p] {
			return nil, valuef("loss", "%q names %s twice", name, p)
		}
		seen[p] = true
		term, err := o.extra(p)
		if err != nil {
			return nil, err
		}
		sum = append(sum, term)
	}
	return sum, nil
}

func (o LossOptions) withDefaults() LossOptions {
	set := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	set(&o.Ramp, 0.4)
	set(&o.Beta, 1)
	set(&o.Trades, 1)
	set(&o.W1, 2e-5)
	set(&o.W2, 1e-4)
	o.Beta = max(o.Beta, 0)
	return o
}

// radius is ε as it rises.
func (o LossOptions) radius() Schedule {
	if o.Ramp < 0 {
		return Constant(o.Epsilon)
	}
	return Ramp(0, o.Epsilon, 0, o.Ramp)
}

func (o LossOptions) attack() Attack {
	return Attack{Epsilon: o.radius(), Steps: o.Steps, Restarts: o.Restarts, StepSize: o.StepSize}
}

// method is the loss that a sum begins with.
func (o LossOptions) method(name string) (Sum, error) {
	switch name {
	case "ce":
		return Sum{{Loss: CrossEntropy{}, Name: "ce"}}, nil
	case "madry":
		return Sum{{Loss: Madry{o.attack()}, Name: "ce"}}, nil
	case "trades":
		return NewTRADES(Constant(o.Trades), o.attack()), nil
	case "rs":
		return NewReLUStable(o.attack(), ReLUStable{Epsilon: o.radius(), Full: o.Full, Composed: o.Composed}, o.W1, o.W2), nil
	case "ibp":
		return NewIBP(o.Epsilon, max(o.Ramp, 1e-3)), nil
	case "nbc":
		return Sum{{Loss: CrossEntropy{}, Name: "ce"}, o.nbc(false)}, nil
	}
	return nil, valuef("loss", "%q is no method; the methods are ce, madry, trades, rs, ibp and nbc", name)
}

func (o LossOptions) nbc(shared bool) Term {
	a := o.attack()
	a.Raw = o.Raw
	return Term{Loss: NBC{Attack: a, Ordinal: o.Ordinal, Shared: shared}, Weight: Constant(o.Beta), Name: "-nbc"}
}

// extra is a term that a name adds to a method.
func (o LossOptions) extra(name string) (Term, error) {
	weight := func(d float64) Schedule {
		if o.Penalty != 0 {
			d = o.Penalty
		}
		return Constant(d)
	}
	switch name {
	case "nbc":
		return o.nbc(o.Shared), nil
	case "l1":
		return Term{Loss: L1{}, Weight: weight(1e-4), Name: "l1"}, nil
	case "l2":
		return Term{Loss: L2{}, Weight: weight(1e-4), Name: "l2"}, nil
	case "jacobian":
		return Term{Loss: Jacobian{Softmax: true}, Weight: weight(0.01), Name: "jacobian"}, nil
	}
	return Term{}, valuef("loss", "%q adds nothing; nbc, l1, l2 and jacobian do", name)
}

// String is all settings, for fingerprints and tables.
func (o LossOptions) String() string {
	type plain LossOptions
	return fmt.Sprintf("%+v", plain(o.withDefaults()))
}
