// Package reach computes the set of outputs of a network over a region of inputs, and
// decides properties by it.
//
// # What it answers
//
// Where can the outputs be? As a star, {c + V·a : a in P} with a polytope P (Star;
// ImageStar for images), as a union of stars without loss, or as a zonotope. Is a
// property true? Verify bounds every unsafe condition over the set.
//
// How the parts fit:
//
//	nn.Network ──Compile──▶ Model                 model.go: a rule per node
//	                          │
//	        Model.Reach ──────┼────── Model.Verify            reach.go, verify.go
//	                          ▼
//	   approx.go  one star: relaxes       exact.go  many stars: splits at
//	   undecided neurons                  undecided neurons (split.go)
//	     │ activation.go scurve.go maxpool.go zonotope.go relaxstar.go
//	     │
//	     │ ranges: box of variables ▸ zonotope ▸ substitute.go ▸ lp.go (solver)
//	     ▼
//	   form.go       centre, generators in patches, what rounding has done
//	     affine.go patches.go product.go    affine operators on forms
//	   predicate.go box.go                  variables, rows, relaxed neurons
//	     ▼
//	   check.go      least value of an unsafe condition
//	   attack.go     search for counterexamples, replayed
//
// Which method: ApproxStar for a proof in milliseconds where networks have a few
// thousand neurons; RelaxStar or Zono where its linear programs take too long;
// ExactStar where piecewise linear networks must be decided; Options.Refine for the
// one after the other.
//
// A verdict is a claim, as in package spec: sets hold the network's outputs over the
// real numbers in spite of rounding, bounds by linear programs are computed from dual
// solutions and hold whatever the solver did, counterexamples are replayed.
//
// # Where things come from
//
//	paper                                                  file            test
//	Tran et al. 2019, FM (star, exact, approx)             exact.go,       twin_test.go
//	                                                       approx.go
//	Tran et al. 2020, CAV, arXiv:2004.05511 (ImageStar,    imagestar.go,   star_test.go,
//	  convolution, pooling)                                patches.go,     affine_test.go
//	                                                       maxpool.go
//	Tran et al. 2020, CAV, arXiv:2004.05519 (NNV:          scurve.go       activation_test.go
//	  S-curves)
//	Tran et al. 2021, CAV (relax-star)                     relaxstar.go    activation_test.go,
//	                                                                       soundness_test.go
//	Tran et al. 2021, FAOC (zonotope pre-filter)           approx.go       soundness_test.go
//	Singh et al. 2018, NeurIPS (zonotope)                  zonotope.go     soundness_test.go
//	Singh et al. 2019, POPL (abs-dom)                      activation.go   activation_test.go
//	Zhang et al. 2018, arXiv:1811.00866; Xu et al. 2021,   substitute.go   substitute_test.go
//	  arXiv:2011.13824 (substitution, ascent)
//	Neumaier & Shcherbina 2004 (safe bounds)               lp.go           solvers_test.go
//	Higham 2002, §3.1 (rounding)                           form.go,        rounding_test.go,
//	                                                       rounding.go     slack_test.go
//	Madry et al. 2018, arXiv:1706.06083 (attack)           attack.go       verify_test.go
//
// The twins in twin_test.go decide tiny networks by enumerating activation patterns,
// and the triangle relaxation by the textbook's linear program; soundness_test.go
// samples networks of every operator under every method; data_test.go reads published
// instances.
package reach
