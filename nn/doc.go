// Package nn holds neural networks: what they compute, their derivatives, and
// what a verifier must know of each operator to bound it soundly.
//
// It answers: what is the output of this network at x, in float64 or float32?
// What is its gradient? Which operators is it made of, and which of them are
// affine?
//
// How the parts fit:
//
//	         Network (graph.go)                a list of nodes, in order
//	         Graph, Builder                    the implementation, and how to make one
//	             │ Node: Operator, inputs, shape
//	             ▼
//	         Operator (operator.go)            forward, vector–Jacobian product, shape
//	  ┌──────────┼──────────────┐
//	Affine   Elementwise     MaxPool           what bound propagation asks:
//	Magnitude64, Value,      Windows           |W|, rounding errors, rows of W;
//	Rounding,    Derivative                    f and f′; which inputs compete
//	RowSource
//
//	Evaluator (evaluator.go)                   values and gradients of a batch
//	Simplify (simplify.go)                     the same function in fewer nodes
//
// Shapes are per sample; the batch is an outer axis that only a Call knows of.
// Parameters are kept in float64 with a float32 mirror. The network that is
// verified is the function over the real numbers given by the float64 values.
//
// Operators. All of them are tested against twins in 400-bit arithmetic
// (naive_test.go) on random configurations (cases_test.go): values in both
// precisions, gradients, |W|, and the promised rounding (operators_test.go).
//
//	operator                                     file             further tests
//	Dense (Gemm, MatMul by a constant)           dense.go
//	MatMulLeft (constant · MatMul)               matmul.go
//	Conv, 1-D and 2-D                            conv.go          window_test.go
//	AveragePool, GlobalAveragePool               averagepool.go   window_test.go
//	MaxPool                                      maxpool.go       window_test.go
//	BatchNorm                                    batchnorm.go
//	ReLU, LeakyReLU, Sigmoid, Tanh, Arctan       activation.go
//	ConstArith (Add, Sub, Mul, Div, constant)    arith.go
//	Add, Sub                                     add.go
//	Reduce (ReduceSum, ReduceMean)               reduce.go
//	Concat                                       concat.go
//	Constant                                     constant.go
//	Identity, Flatten, Reshape, Squeeze,
//	Unsqueeze                                    view.go
//	Transpose, Slice, Gather, Pad                transpose.go ... errors_test.go
//	(the moving itself)                          move.go
//	folding of layers                            simplify.go, fold.go, foldrules.go, folded.go
//	                                                              simplify_test.go, fold_test.go
//
// Errors are *ShapeError, *ValueError, *UnsupportedError and, from the readers
// in nn/onnx and nn/nnet, *FormatError.
package nn
