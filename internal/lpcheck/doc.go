// Package lpcheck judges, in floating point and on the problem as the caller gave it,
// whether the answer of a linear or mixed-integer solver stands.
//
//	FeasiblePoint, Integral     X is a point of the problem            point.go
//	ReducedCosts, SmallGap      row duals close the gap to its value   duals.go
//	SignsFit                    with the bounds that their signs need  duals.go
//	ProvesInfeasible            a Farkas ray                           rays.go
//	ProvesUnbounded             a direction                            rays.go
//
// Tolerances are relative to bounds and, for rounding errors, to the size of the terms
// that were added. Comparisons are written so that NaN fails. What has to hold over the
// real numbers goes through solver.SafeBound and solver.SafeInfeasible instead.
package lpcheck
