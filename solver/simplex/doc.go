// Package simplex is the embedded solver of linear and mixed-integer problems, in
// pure Go.
//
// It is made for the problems that verifiers ask by the thousand: up to some
// thousand rows and columns, each differing from the last by a bound or by the
// objective. Up to some hundred, or if they are dense, it keeps the simplex
// dictionary in full; beyond that it keeps sparse factors of the basis.
//
// # Linear problems
//
//	Solver.Solve                         Solver.Open
//	    │ presolve.go                        │ session.go, rows.go
//	    ▼                                    ▼
//	 reduced problem ───────────────────► engine (scaled: engine.go, scale.go)
//	                                         │ drive.go: turns of
//	          dual.go, dual_ratio.go ◄───────┼───────► primal.go
//	                    └─────► tableau.go ◄─────────────┘
//	                 dense.go: T itself │ factored.go: lu.go, order.go
//	                                    │ drift.go: errors, rebuilding
//	                                    ▼
//	                   check.go, internal/lpcheck: judged on the problem as given
//
// A point that violates bounds goes through the dual method first, any other
// straight to the primal one. So after a change of bounds the dual method starts
// from the last basis, after a change of objective the primal one, from the best of the
// bases that the last objectives left (pool.go); or the dual one, where moving boxed
// variables to their other bounds leaves little to repair (drive.go).
//
// What is claimed stands a check on the original, unscaled problem: Optimal needs a
// feasible point and duals that close the gap, Infeasible and Unbounded a ray. What
// does not after rebuilding and tightening is Numerical.
//
// # Integers
//
//	Solver.Solve, Session.Solve
//	    │ reduce.go: bounds, divisors, coefficients, costs
//	    ▼
//	 integer.go ──► root.go: probing (probe.go), first linear program, an objective if
//	                    │    there is none (surrogate.go), cuts (cuts.go, covers.go,
//	                    │    mir.go), points
//	                    ▼
//	                tree.go: rounds of tasks, merged in order
//	                    │
//	                    ▼
//	                task.go: domains.go, choices.go (propagation), relaxation.go
//	                         (linear program, proofs by outward.go), branching.go
//	                         (pseudocost.go, trials), leaf.go, dive.go, fixing.go,
//	                         improve.go (points)
//
// A branch is discarded only by proof: an empty box by propagation or a Farkas ray, a
// poor one by a Lagrangian bound, all with error bounds over the real numbers. So
// Infeasible is proved, and Bound is a bound, except where variables without bounds left
// nothing to show and the linear part's answer stands in (integer.go); what can neither
// be shown nor branched on makes the answer Numerical. Points have exact integers and
// are judged on the problem as given, rows of integers without tolerance (points.go).
//
// Cuts hold over the real numbers, too. They are made at the root only; conflict clauses
// are not used.
//
// Results depend on the problem, the options and, in a session, the changes so far;
// not on time, unless a time limit strikes, or on the number of processors.
//
//	source                                          file             test
//	Chvátal 1983, ch. 2 (dictionaries)              tableau.go,      dictionary_test.go
//	                                                dense.go
//	Gilbert & Peierls 1988, Suhl & Suhl 1990 (LU)   lu.go, order.go  lu_test.go
//	Dantzig & Orchard-Hays 1954 (product form)      factored.go      dictionary_test.go
//	Harris 1973 (Devex; tolerant ratio test)        engine.go,       twin_test.go
//	                                                primal.go
//	Forrest & Goldfarb 1992 (dual steepest edge)    dual.go          twin_test.go
//	Koberstein 2005, 4.5, 6.3.3 (shifts,            dual.go          twin_test.go
//	  perturbation)
//	Fourer 1994, Maros 2003, 10.2 (long steps)      dual_ratio.go    dual_ratio_test.go
//	moves of boxed variables after a new objective  drive.go         drive_test.go
//	Tomlin 1975 (geometric scaling)                 scale.go         scale_test.go
//	Andersen & Andersen 1995, 3.1 (presolve)        presolve.go      presolve_test.go
//	relaxed networks, both tableaux                 solvertest       network_test.go
//	warm starts, rows and variables that come       session.go,      twin_test.go through
//	                                                rows.go          solver/solvertest
//	bases of earlier objectives                     pool.go          pool_test.go
//	Savelsbergh 1994; Achterberg et al. 2020        reduce.go,       milp_test.go
//	                                                domains.go,      choices_test.go
//	                                                choices.go, probe.go
//	Balas 1975; Zemel 1989 (lifted covers)          covers.go        cuts_test.go
//	Marchand & Wolsey 2001; Cook et al. 2009        mir.go, cuts.go  cuts_test.go, mir_test.go
//	  (mixed-integer rounding, Gomory's cuts)
//	Achterberg, Koch & Martin 2005 (reliability)    branching.go     milp_test.go through
//	Benichou et al. 1971 (pseudo-costs)             pseudocost.go    solver/solvertest
//	Neumaier & Shcherbina 2004 (safe bounds)        outward.go,      milp_test.go
//	                                                relaxation.go
//	Achterberg 2007, 9.2; Danna et al. 2005         dive.go          as branching.go
//	Berthold & Hendel 2015                          fixing.go        as branching.go
package simplex
