// Package lpsolve solves linear and mixed-integer problems with lp_solve 5.5.
//
// It is built with -tags lpsolve and needs cgo and the library. On Debian:
//
//	apt-get install liblpsolve55-dev lp-solve
//	C_INCLUDE_PATH=/usr/include/lpsolve go build -tags lpsolve ./...
//
// C_INCLUDE_PATH is for the module github.com/draffensperger/golp, which looks for the
// headers in its own folder. The library is linked dynamically from Debian's
// /usr/lib/lp_solve, which the program remembers; elsewhere add CGO_LDFLAGS. Without the
// tag the package is empty.
//
// golp's types change no right-hand side, no row and no basis of a problem, count time
// in whole seconds, cannot be interrupted and keep their handle to themselves. So this
// package takes golp's library and its names of lp_solve's answers, and calls lp_solve's
// C functions by itself.
//
//	Solver ──► internal/lpadapter ──► engine      engine.go
//	             session, referee        ├─ rows.go    kinds of rows, bases
//	                                     └─ outcome.go lp_solve's answers
//
// Bounds and the objective change in place. A row that changes its kind (which sides are
// finite), comes or goes makes the problem be loaded anew, with the last basis mapped
// onto it. Mixed-integer problems are loaded anew for every solve: warm, from the last
// node of the last search, lp_solve calls some feasible ones infeasible. Deadlines and cancellation go through lp_solve's abort callback, which polls
// a flag at every iteration, as do limits on iterations and nodes.
//
// lp_solve has no Farkas rays and no unbounded directions; those of auxiliary problems
// take their place (internal/lpadapter), and every claim that a linear problem is
// infeasible or unbounded is checked by them, at the price of one or two further linear
// problems. After a limit no bound of a mixed-integer problem is known. Numbers of 1e30
// and more are infinite to lp_solve; the checks find out where that matters.
//
//	source                               file         test
//	lp_solve 5.5.2.5, lp_lib.h           engine.go,   lpsolve_test.go through
//	                                     outcome.go     solver/solvertest
//	sensitivity.htm (signs of duals)     outcome.go   lpsolve_test.go
//	bas_format.htm, set_basis.htm        rows.go      rows_test.go
package lpsolve
