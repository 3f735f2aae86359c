// Package qdq reads quantized networks from ONNX files in QDQ form, in which tool
// chains deploy them: QuantizeLinear and DequantizeLinear around Gemm, MatMul and
// Conv, with a scale and a zero point per tensor or per channel.
//
// The network made has the integers of the file as weights and the quantized
// tensors as levels. Its staircases are computed exactly from the scales as
// rational numbers: the function is the one over the real numbers that the file
// states, rounding halves to even as ONNX says. A runtime that multiplies scales
// in float32 may differ where that rounding moves a number across a half.
//
//	what                                   file        test
//	tensors and nodes, one after another   read.go     read_test.go
//	QuantizeLinear, DequantizeLinear       quantize.go requantize_test.go
//	Gemm, MatMul, Conv as integer layers   lower.go    read_test.go
package qdq
