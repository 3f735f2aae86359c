// Package solvertest is what every solver.Solver has to pass, one of this module
// or a user's own:
//
//	func TestConformance(t *testing.T) {
//		solvertest.Run(t, func() solver.Solver { return mine.Solver{} })
//	}
//
//	Run ── known         the literature's traps and the corners     known.go
//	    ├─ generated     answers known by construction              generate.go
//	    ├─ exact twin    random small problems, rational arithmetic twin.go, exact.go
//	    ├─ hostile       typed errors                               limits.go
//	    ├─ limits        named, and claiming nothing                limits.go
//	    ├─ cancellation  how long a stopped solve takes to return   limits.go
//	    ├─ concurrent    one solver, many goroutines                limits.go
//	    └─ sessions      warm = cold over random changes            sessions.go
//
//	RunInteger ── known        corners, knapsacks, parity           integer.go
//	           ├─ exact twin   branch and bound over the rationals  twin_integer.go,
//	           │                                                    exact_integer.go
//	           ├─ hostile      typed errors                         integer.go
//	           └─ limits       named, with bounds that hold         integer.go
//
// Wild asks what floating point is not made for, and demands only that nothing wrong is
// claimed (wild.go).
//
// The problems of the benchmarks are here too, so that all solvers are measured on the
// same: Bounded (limits.go), Network (network.go), Star and ReLUs (star.go), Knapsack and
// SparseKnapsack (knapsack.go), Quantized (quantized.go).
//
// Optimal answers are judged by themselves (judge.go): feasibility, Cost = Aᵀy + d,
// and the gap that the signs of the duals leave.
//
//	source                                    file        test
//	Chvátal 1983, ch. 2, 3; Bland 1977        exact.go    exact_test.go
//	Beale 1955; Klee & Minty 1972             known.go    exact_test.go
//	Ehlers 2017, Sect. 3 (triangle)           network.go  simplex/network_test.go
//	Tran et al. 2019; Tjeng et al. 2019       star.go     generators_test.go
//	Zhang et al. 2022 (QVIP)                  quantized.go  generators_test.go
package solvertest
