// Package highs solves linear and mixed-integer problems with HiGHS.
//
// It is built with -tags highs on Linux and macOS (amd64, arm64) and needs cgo, g++ and
// zlib's header (Debian: zlib1g-dev). HiGHS 1.12 itself is linked statically from the
// module github.com/bartolsthoorn/gohighs; nothing else is to be installed. Without the
// tag the package is empty.
//
//	go build -tags highs ./...
//
// gohighs' Go types have no row bounds on change, no bases and no callbacks, so this
// package imports it for its library alone and declares HiGHS's C functions by itself
// (highs.h).
//
//	Solver ──► internal/lpadapter ──► engine     engine.go
//	             session, referee        │ cgo
//	                                     ▼
//	                          poll, declarations  highs.h
//
// Edits of a session are HiGHS's own and keep its basis; a mixed-integer problem starts
// from the last point. Deadlines, cancellation and iteration limits go through HiGHS's
// interrupt callback, which polls a flag, with its own time limit behind it. One thread
// a solve: answers depend on the problem, the options and the session's history only.
//
// Coefficients of 1e-12 and smaller are dropped by HiGHS. That is found out by the
// checks of internal/lpadapter where it matters.
//
//	source                                    file         test
//	Huangfu & Hall 2018, Math. Prog. Comp.    the library  highs_test.go through
//	  10 (dual simplex)                                      solver/solvertest
//	HiGHS 1.12, highs_c_api.h                 highs.h      highs_test.go
package highs
