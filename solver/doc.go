// Package solver states linear and mixed-integer problems, what it means to
// solve them, and how to check an answer without trusting the solver.
//
//	Problem ──► Solver.Solve ─────────► Solution   Status, X, duals, rays
//	   │        Incremental.Open           │
//	   │          └─ Session: change,      │
//	   │             Solve, change, ...    │
//	   └───────────────┬───────────────────┘
//	                   ▼
//	       SafeBound, SafeInfeasible      hold over the real numbers
//
// A Status is a value, not an error, and its zero value claims nothing. A solver
// that runs out of time says Limit; that is never to be read as Infeasible.
// Solvers compute in floating point: Optimal and Infeasible are what they
// believe. Whoever needs a proof passes the duals to SafeBound or the ray to
// SafeInfeasible; both are valid whatever the solver did.
//
// Solvers live in folders of their own and are imported by whoever picks one:
//
//	solver/simplex      embedded linear and mixed-integer programming, pure Go
//	solver/solvertest   what every Solver has to pass
//	solver/lpsolve      lp_solve, with -tags lpsolve
//	solver/highs        HiGHS, with -tags highs
//	solver/crosscheck   tests and benchmarks of all, side by side
//
//	source                                       file                      test
//	Neumaier & Shcherbina 2004, Math. Program.   safe.go                   safe_test.go
//	  99, Sect. 2 (bounds, infeasibility)
//	Ogita, Rump & Oishi 2005, SIAM J. Sci.       rounding.go               rounding_test.go
//	  Comput. 26(6), Alg. 3.1, 3.5
//	Jansson 2004, SIAM J. Optim. 14; Rump 1999   correct.go                correct_test.go,
//	                                                                       correct_free_test.go
//	activity bounds                              implied.go                safe_test.go
//	problems, well-formedness                    problem.go, validate.go   problem_test.go
//	LP format (the dialects' common part)        lp_*.go                   format_test.go
//	MPS format, free                             mps_*.go                  format_test.go
package solver
