// Package conv computes two-dimensional convolutions and their gradients on
// batches; a one-dimensional convolution is one of height 1.
//
// How the parts fit:
//
//	Forward, InputGrad, WeightGrad   forward.go, inputgrad.go, weightgrad.go
//	        │
//	   block.go     samples side by side: [n][features] to [features][n] and back
//	   patches.go   gather (im2col) and scatter (col2im) of patches
//	        │
//	   internal/blas   matrix products, copies of rows
//
// A convolution is the product of the weights, seen as a matrix, with a matrix
// whose columns are the patches of the input under the kernel (Chellapilla, Puri
// and Simard, "High performance convolutional neural networks for document
// processing", 2006). The patches are gathered for a few positions at a time, so
// that they stay in cache. The samples of a block lie side by side, so the
// smallest thing ever moved is a row of 16 or 32 numbers, and the matrix product
// has many columns even where the image is small.
package conv
