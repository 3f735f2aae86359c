// Package onnx reads networks from ONNX files and writes them.
//
// # What a file becomes
//
// ReadFile turns a file into an *nn.Graph, the function of one sample:
//
//	 file ──► wire.go ──► model.go ──► order.go ──► importer.go ──► nn.Graph
//	(gzip)    protobuf    messages     sorted,      ├ import_*.go   nodes
//	          wire        tensor.go    needed       └ fold*.go      constants
//	                                   nodes only
//
// Shapes keep the file's axes, so that axis numbers mean what they say there.
// The first axis of an input is the batch: if it is symbolic or unknown it has
// size 1; a fixed size stays. Any other symbolic axis must be given in
// Options.Dims. A file with several inputs has them flattened and laid end to
// end in order of declaration, and several outputs likewise.
//
// Numbers are those of the file: float, double and half-precision weights are
// taken exactly, and nothing is merged if that would round. Where a file
// itself computes weights from other weights with rounding, Info.Rounded says
// so. What is not understood is an error that names the node. Nothing is ever
// skipped, a softmax at the end included: leave it off when exporting, or the
// property is about another function than the one verified.
//
// # Operators
//
// Operator sets 7 to 21 are read, others from 1 to 24 where an operator means
// the same there.
//
//	operator                                       condition
//	Gemm, MatMul                                   one factor constant
//	Conv, AveragePool, MaxPool                     one or two spatial axes
//	BatchNormalization                             inference
//	GlobalAveragePool
//	Relu, LeakyRelu, Sigmoid, Tanh, Atan, Neg
//	Add, Sub, Sum                                  constants or nodes
//	Mul, Div                                       by a constant
//	Flatten, Reshape, Squeeze, Unsqueeze, Expand   shapes constant
//	Transpose, Concat, Split, Identity, Dropout    Dropout in inference
//	Slice, Gather, Pad                             indices constant, Pad of mode constant
//	ReduceSum, ReduceMean
//	Cast                                           between float and double
//	Shape, Size                                    become constants
//	Constant, ConstantOfShape, Range, Where,       of constants
//	Equal, Pow, Sqrt, Exp, Floor, ReduceProd
//
// Subgraphs, sparse tensors, external data, strings and operators of other
// domains are not read.
//
// # Writing
//
// Write writes every operator of package nn in operator set 13, with float32
// weights, in a form that Read takes back to the same function, bit for bit.
//
//	source                                         file                test
//	ONNX IR specification, onnx.proto              model.go, tensor.go TestReadTensorTypes
//	ONNX operator schemas, versions 1 to 24        import_*.go         TestReadOperators
//	                                               fold*.go            TestReadReportsRounding
//	                                               export_*.go         TestWriteRoundTrip
//	Knuth, TAOCP 4.2.2, theorem B (two-sum)        fold_arith.go       TestReadReportsRounding
package onnx
