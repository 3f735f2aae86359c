// Package simplex is the embedded solver of linear problems, in pure Go.
//
// It is made for the problems that verifiers ask by the thousand: up to some
// thousand rows and columns, each differing from the last by a bound or by the
// objective. Up to some hundred, or if they are dense, it keeps the simplex
// dictionary in full; beyond that it keeps sparse factors of the basis. It has no
// integer variables.
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
// from the last basis, after a change of objective the primal one.
//
// What is claimed stands a check on the original, unscaled problem: Optimal needs a
// feasible point and duals that close the gap, Infeasible and Unbounded a ray. What
// does not after rebuilding and tightening is Numerical.
//
// Results depend on the problem, the options and, in a session, the changes so far;
// not on time or on the number of processors.
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
//	Tomlin 1975 (geometric scaling)                 scale.go         scale_test.go
//	Andersen & Andersen 1995, 3.1 (presolve)        presolve.go      presolve_test.go
//	relaxed networks, both tableaux                 solvertest       network_test.go
//	warm starts, rows that come and go              session.go,      twin_test.go through
//	                                                rows.go          solver/solvertest
package simplex
