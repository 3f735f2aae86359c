// Package vouch is the root of a module that proves properties of neural
// networks, or refutes them with counterexamples.
//
// The root holds documentation only; a program imports what it uses.
//
//	question                                          package
//	what is a network? operators, values, gradients   nn
//	  where does one come from?                       nn/onnx, nn/nnet
//	what is asked, what is an answer?                 spec
//	  where does a question come from?                spec/vnnlib
//	what can its outputs be at most and at least?     bounds
//	how far is a classifier of S-curves robust?       dualapp
//	does it have the property?                        bab
//	which outputs can occur?                          reach
//	and if all numbers are small integers?            qnn
//	how does one train networks that are easy?        train, train/eval
//	  on which images?                                train/dataset
//	what is the least of a linear function?           solver, solver/simplex
//	  other solvers                                   solver/lpsolve, solver/highs
//	the same from a shell                             cmd/vouch
//	programs to start from                            examples
//
// An arrow says who imports whom:
//
//	cmd/vouch, examples
//	   │
//	   ├──► nn/onnx, nn/nnet ──► nn
//	   ├──► spec/vnnlib ──► spec
//	   ├──► bab, dualapp, train ──► bounds ──► nn, spec
//	   ├──► reach, qnn ──► nn, spec, solver
//	   └──► solver/simplex, lpsolve, highs ──► solver
//
// The core never imports a file format, so a program carries the readers that
// it uses and no others. A test holds this picture (internal/imports).
//
// # What verified means
//
// The network that is verified is the function over the real numbers that its
// stored weights define: ONNX's float32 values are taken exactly. Bounds are
// computed in float64 and rounded outward, so that rounding cannot turn a
// property that fails into one that is verified. What another program makes of
// the same file in float32 may differ from that function by its own rounding.
//
// A counterexample lies in the region with no tolerance, consists of float32
// values wherever the region holds any, and violates the property when it is
// evaluated in float32 and in float64. Whatever is neither proven nor refuted is
// Unknown, with a reason.
package vouch
