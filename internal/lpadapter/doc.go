// Package lpadapter is what the back-ends of external solvers share: everything but the
// calls into the library.
//
//	Adapter.Solve, .Open ──► session: edits, checked and kept       session.go
//	                            │ Load, edits, Run
//	                            ▼
//	                         Engine, the library's copy             engine.go
//	                            │ Outcome: what the library says
//	                            ▼
//	                         referee: does it stand?                referee.go
//	                            ├─ elastic and recession problems   auxiliary.go
//	                            └─ more precise points and duals    refine.go
//
// Libraries are fast and mostly right. What they say is checked on the problem as the
// caller gave it (internal/lpcheck): Optimal needs a feasible point, integers where they
// belong and, of linear problems, duals that close the gap; Infeasible a Farkas ray;
// Unbounded a feasible point and a direction. Libraries that have no rays are asked two
// further linear problems instead. A point or duals that lack precision are refined. An
// answer that does not stand is asked for again,
// cold and with ever more cautious settings, and is Numerical in the end. That a point
// of a mixed-integer problem is the best one, or that there is none though the
// relaxation has points, is the library's word.
//
// A library that answers another problem than the one it was given (tiny coefficients
// dropped, huge bounds taken for infinite) is found out by the same checks.
//
// Problems without rows or without variables are answered here (trivial.go): libraries
// disagree about them.
package lpadapter
