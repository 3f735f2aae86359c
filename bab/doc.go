// Package bab decides properties of networks: it attacks them, bounds them and
// branches until the property is proven or refuted.
//
// The question is always whether some input of a region leads to an unsafe
// output (package spec). Verify answers it:
//
//	property ──► attack (projected gradient, replayed) ──► Falsified
//	    │
//	    ▼
//	 bound the whole region (package bounds) ──► every unsafe
//	    │                                        condition impossible: Verified
//	    ▼
//	 split what is open: an input's range, or a neuron's
//	    │         ▲
//	    ▼         │
//	 bound a batch of halves, drop what is impossible, clip the
//	 rest by the property, try the minimisers as counterexamples
//	    │
//	    ▼
//	 nothing left to split: a linear program (package solver)
//
// Splitting inputs suits networks with few of them, splitting neurons the
// others; in between both searches take turns. Options.Split forces one. Where a
// search over neurons does not end soon, their intervals are refined by searches
// of their own first (Options.Refine).
//
// RunCampaign verifies many properties of one network, shares what they have in
// common, and resumes from its results file after a kill.
//
// A verdict is a claim. Verified rests on bounds that hold in real arithmetic,
// rounded outward. Falsified comes with an input inside the region (no
// tolerance) that violates the property in float64 and in float32. Everything
// else is Unknown with a reason: a deadline, a limit, or sub-problems that
// floating point can no longer halve.
//
//	paper                                       file          test
//	Bunel et al. 2018, arXiv:1711.00455         search.go     twin_test.go
//	Bunel et al. 2020, JMLR 21(42) (BaBSR)      split.go      twin_test.go
//	Xu et al. 2021, arXiv:2011.13824 (batches)  search.go     verify_test.go
//	Madry et al. 2018, arXiv:1706.06083 (PGD)   attack.go     attack_test.go
//	Zhou et al. 2025 (clipping)                 clip.go       clip_test.go
//	                                            corner.go     corner_test.go
//	Ehlers 2017, arXiv:1705.01320 (leaves)      leaf.go       leaf_test.go
//	De Palma et al. 2021, arXiv:2104.06718 (FSB) fsb.go       fsb_test.go
//	Shi et al. 2024, arXiv:2405.21063 (GenBaB)  split.go      verify_test.go
//	Tjeng et al. 2019, arXiv:1711.07356, §4     refine.go     refine_test.go
//	(tighter intervals of neurons)              ends.go
//	a caller's rule for what to split           branching.go  branching_test.go
//
// The twin in twin_test.go decides tiny networks in rational arithmetic by
// enumerating activation patterns, with thresholds planted at the exact
// minimum.
package bab
