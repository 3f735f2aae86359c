// Package bounds computes sound bounds of a network's neurons and of linear
// functions of its output, over a region of inputs.
//
// # What it answers
//
// Given a [Model] (a compiled nn.Network), a batch of [Domain] (each a region
// and, where something is known already, bounds of nodes) and [Functions] of
// output and input, a [Bounder] returns numbers between which the functions
// and all nodes lie on the whole region. The numbers hold for the function over
// the real numbers that the stored weights define: all rounding is outward.
//
// How the parts fit:
//
//	nn.Network ──Compile──▶ Model: a rule per node
//	                          │         affine.go       W·x + b, of any kind
//	                          │         relaxation.go   activations ◀── Relaxer: lines
//	                          │         maxpool.go      MaxPool         (scurve.go,
//	                          │                                          tangent_lines.go)
//	Query ───────────────▶ Bounder
//	  domains, functions      │  IBP        forward, intervals
//	                          │  CrownIBP   forward, then backward from the output
//	                          │  Crown      backward from every undecided neuron
//	                          │  Alpha      Crown, every pass optimised
//	                          │  AlphaBeta  Crown, its last pass optimised, with splits
//	                          │             live.go, union.go: dead neurons left out
//	                          │             window.go: rows of convolutions
//	                          │             halves.go: many cuts of one domain
//	                          │             halfspace.go: corners of a region
//	                          │  Envelope   another, then the first layer's neurons jointly
//	                          ▼
//	                    DomainResult: node intervals, Lower, Upper
//
//	backward:   f(y) ──▶ A·x + b ──affine──▶ (A·W)·x + … ──lines──▶ … ──▶ min over region
//
// Which method: IBP where thousands of cheap bounds are needed, Crown where a
// bound must be tight, CrownIBP in between, Alpha for the tightest bounds of one
// region at five to sixty times Crown's cost, AlphaBeta for branch and bound, and
// Envelope around one of them where lines lose much in a first layer of ReLUs. The
// backward methods are never looser than IBP, and those that optimise never
// looser than Crown. A [Relaxer] replaces the lines of activations without
// touching anything else.
//
// # Where things come from
//
//	paper                                            file            test
//	Gowal et al. 2018, arXiv:1810.12715 (IBP)        ibp.go          soundness_test.go, reference_test.go
//	Zhang et al. 2018, arXiv:1811.00866 (CROWN)      crown.go        twin_test.go, reference_test.go
//	Zhang et al. 2020, arXiv:1906.06316 (CROWN-IBP)  crown.go        reference_test.go
//	Xu et al. 2020, arXiv:2002.12920 (on graphs)     crown.go        soundness_test.go
//	Xu et al. 2021, arXiv:2011.13824 (α-CROWN)       alpha.go        alpha_test.go, alpha_twin_test.go
//	  tangent points of S-curves                     tangent.go      tangent_test.go, alpha_test.go
//	  inactive neurons left out of the network       reduce.go       reduce_test.go
//	Wang et al. 2021, arXiv:2103.06624 (β-CROWN)     alphabeta.go    soundness_test.go
//	Zhou et al. 2025 (Clip-and-Verify)               halfspace.go    halfspace_test.go
//	Anderson et al. 2020 (envelopes over boxes)      envelope*.go    envelope*_test.go
//	Zhang et al. 2018, §3.3 (ReLU lines)             relaxation.go   rounding_test.go
//	S-curves: chords, tangents, rounding             scurve.go       scurve_test.go, scurve_big_test.go
//	  their published lines, side by side            tangent_lines.go  relaxers_test.go
//	Zhang et al. 2018, §3.3 (CROWN's lines)          scurve_crown.go   relaxers_test.go
//	Singh et al. 2019 (DeepPoly, ERAN)               deeppoly.go       relaxers_test.go
//	Lin et al. 2019 (RobustVerifier)                 robustverifier.go relaxers_test.go
//	Henriksen, Lomuscio 2020 (VeriNet; the default)  verinet.go        relaxers_test.go, scurve_test.go
//	Wu, Zhang 2021 (DeepCert)                        deepcert.go       relaxers_test.go
//	Zhang et al. 2022 (NeWise)                       newise.go         newise_test.go
//	argument in the file (rows of convolutions)      window.go         window_test.go
//	De Palma et al. 2021, §4.2 (halves of cuts)      halves.go         halves_test.go
//	proof in the file (MaxPool)                      maxpool.go      maxpool_test.go
//	argument in the file (dead neurons)              live.go, union.go  live_test.go
//	Higham 2002, §3.1 (rounding)                     rounding.go     rounding_test.go
package bounds
