// Package dualapp certifies networks of sigmoid, tanh and arctan by two
// approximations: bounds of what can occur, and examples of what does.
//
// # What it answers
//
// How far may this input be changed before its class can? A proved radius
// ([Verifier.Radii]), the share of inputs proved at one radius ([Verifier.Ratio]), or
// a bound of the margin ([Verifier.Margins]). And for all that, which of the
// published relaxations is best on this network ([Method]).
//
// How the parts fit:
//
//	input, radius ──▶ UnderApproximator ──▶ bounds.Domain.Under: [l′, u′] per neuron
//	                  montecarlo.go   Algorithm 1: samples       │
//	                  gradient.go     Algorithm 2: one step      │
//	                                                             ▼
//	bounds.Crown ──▶ [l, u] per neuron ──────────────▶ Dual (dual.go): lines
//	      │                                            sound on [l, u], tight on [l′, u′]
//	      ▼
//	Verifier (verifier.go): outputs apart, or margins; inputs clipped or not
//	      │
//	      ▼
//	Search (radius.go): the paper's 15 bisections, or four or five interpolations
//
// Whatever is wrong with [l′, u′], a line is sound on [l, u]: no claim rests on
// samples, tables or single precision.
//
// Beside the paper: [Aimed] takes the tangents at the worst input of a first pass,
// which gains about as much as twenty steps of an optimiser; [Best] intersects the bounds
// of several relaxations; a bounds.AlphaBeta or bounds.Alpha with Dual starts its
// optimiser from DualApp's lines. For ReLU networks, [Dual] chooses the lower slope by
// what occurs, and [Unstable] tells the neurons that are undecided for certain.
//
// Which one: Aimed with margins where a radius should be large, at twice the time;
// DualApp by Monte Carlo to compare with the literature. Gradient domains need no
// samples, but on convolutional networks a forward pass for each neuron.
//
// # Where things come from
//
//	paper                                            file            test
//	Xue et al. 2023, arXiv:2305.00998, Algorithm 1   montecarlo.go   under_test.go
//	  Algorithm 2                                    gradient.go     under_test.go
//	  §4.3, equations 3–6                            dual.go         dual_test.go
//	  §5.1 (search), the authors' logs               radius.go       radius_test.go, golden_test.go
//	  the released code's rule, which is unsound     –               released_test.go
//	argument in the file (worst inputs)              aim.go          combine_test.go
//	argument in the file (several relaxations)       best.go         combine_test.go
//	the other papers of the comparison               ../bounds       ../bounds/relaxers_test.go
//	h²/8·max|f″| (tables)                            curves.go       radius_test.go
package dualapp
