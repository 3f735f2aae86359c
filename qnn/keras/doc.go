// Package keras reads quantized networks from the weights that Keras keeps in
// HDF5 files.
//
// A network trained with quantization in the loop stores its latent weights,
// floating-point numbers that every forward pass clips and rounds anew. Rounding
// them once gives the integers that the network was trained for. The file names
// its layers in order; those with a kernel and a bias are dense layers, and those
// without weights (Flatten, Dropout) do nothing here.
//
//	what                    file       test
//	dense layers of a file  read.go    read_test.go
package keras
