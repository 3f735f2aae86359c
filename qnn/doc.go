// Package qnn verifies quantized neural networks under their exact integer
// semantics: levels, weights and inputs are integers, sums are scaled, rounded and
// clamped, and ties between classes go to the first.
//
//	Network ◄── ReadFile (JSON), Quantize (float network), qnn/keras, qnn/qdq
//	   │
//	   ├─ Run, Classify, Trace             exact inference
//	   ├─ Intervals                        interval analysis
//	   ├─ Verify ── attack ► Lagrangian bounds ► branch and bound    spec.Result
//	   ├─ Encode ── levels or compact ──► solver.Problem ──► VerifyILP
//	   └─ MaxRadius, PaperRadius           maximum robust radius, or an interval
//
// Properties are spec.Property values over integer inputs and outputs; Robustness,
// Targeted and OutputEquality make the usual ones, and Network.Ball their regions
// for L∞, L2, L1 and L0.
//
// Verify is complete and needs no integer programming. A bound is a Lagrangian over
// the exact staircases, evaluated in float64 with its rounding error accounted for;
// a counterexample is integers that were run through the network.
//
//	source                                         file                    test
//	Zhang et al. 2022 (QVIP, ASE)
//	  2.2 semantics, configurations                config.go, network.go,  paper_test.go
//	                                               infer.go, staircase.go
//	  3.2, 3.3, 3.5 encoding, regions, intervals   encode.go,              encode_test.go
//	                                               encode_query.go, model.go
//	  4 maximum robust radius                      mrr.go                  encode_test.go
//	compact encoding                               encode.go, ilp.go       encode_test.go,
//	                                                                       solvers_test.go
//	Dvijotham et al. 2018 (UAI), dual bounds       dual.go, descent.go     verify_test.go
//	Singh et al. 2019 (DeepPoly), first slopes     start.go                verify_test.go
//	Anderson et al. 2020 (Math. Programming),
//	  De Palma et al. 2021 (ICLR): hulls over
//	  the box of inputs                            hull*.go, deepen.go     hull_test.go
//	Lemke 1954, Fourer 1994, Maros 2003: the dual
//	  simplex method with bound flipping; cuts by
//	  penalties (Driebeek 1966, Tomlin 1971)       simplex.go,             simplex_test.go
//	                                               simplex_pivot.go,
//	                                               penalty.go
//	reduced-cost fixing                            tighten.go              verify_test.go
//	rows over outputs without rounding             conjunction.go          verify_test.go
//	branch and bound                               search*.go, branch.go,  verify_test.go
//	                                               domain.go
//	local search, projections, dives               attack.go, leaf.go      verify_test.go,
//	                                               exactpoint.go           data_test.go
//	post-training quantization                     quantize.go             quantize_test.go
//
// For training with quantization in the loop, Config.FakeQuantize gives the rounded
// value and where a straight-through gradient passes, and NewFixedPoint makes a
// network of the integers.
package qnn
