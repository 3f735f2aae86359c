// Package spec states what is asked of a network, and what the answer is.
//
// A query is a Property: regions of inputs, and for each region the outputs
// that must not occur there. A Result answers it.
//
//	Property
//	  Case 0   Region  ── Box, *Ball (Linf, L2, L1, L0, clipped or not), or a caller's own
//	           Unsafe  ── Conjunction  or  Conjunction  or ...
//	                         │
//	                         Inequality  and  Inequality  and ...
//	                              Σ aᵢ·x[i] + Σ bⱼ·y[j] ≤ c
//	  Case 1   ...
//
//	Result
//	  Verdict         Verified | Falsified | Unknown
//	  Reason          why Unknown
//	  Counterexample  x, y, and which case and conjunction: Property.Check agrees
//
// The property holds if for no case there is an input in the region at which
// the network's output satisfies a conjunction. The package knows nothing of
// networks and imports nothing outside the standard library.
//
// Everything here is about the real numbers. What is claimed about a region
// (Box, MinLinear) is rounded outward, points taken from it (Minimizer, Project,
// RoundInto32) are rounded inward, and what decides a claim (Contains, Holds,
// Check) is exact.
//
//	what                                     where                 test
//	regions, boxes                           region.go             region_test.go
//	norm balls                               ball.go               ball_test.go
//	  min a·x: dual norm, knapsack           ball_linear.go        ball_test.go
//	  projection (Duchi et al. 2008)         ball_project.go       ball_test.go
//	exact signs (Shewchuk 1997)              exact.go              exact_test.go
//	the property language                    property.go           property_test.go
//	robustness, targeted, output range       robustness.go         property_test.go
//	well-formedness                          validate.go           property_test.go
//	exact evaluation at a point              check.go              check_test.go
//	counterexamples in float32               float32.go            float32_test.go
//	verdicts, reasons, statistics            result.go, encoding.go  encoding_test.go
//	answers as text                          text.go               text_test.go
//	VNN-LIB                                  spec/vnnlib           there
package spec
