// Package keras reads quantized networks from the weights that Keras keeps in
// HDF5 files.
//
// A network trained with quantization in the loop stores its latent weights,
// floating-point numbers that every forward pass clips and rounds anew. Rounding
// them once gives the integers that the network was trained for. The file names
// its layers in order; those with a kernel and a bias are dense layers, and those
// without weights (Flatten, Dropout) do nothing here.
//
// Files are read in the form that h5py writes unless told otherwise (superblock 0,
// groups as symbol tables of one level, which hold 128 links at least), and in others
// as far as the HDF5 reader goes; links and attributes in fractal heaps are refused.
// A file may say anything: it is checked before the reader follows it, so that bad
// input is a *FileError, whatever sizes and addresses it states.
//
//	what                                    file             test
//	dense layers of a file                  read.go          read_test.go, written_test.go
//	sizes and circles, before reading       check.go         hostile_test.go, mutants_test.go
//	object headers, their continuation      check_header.go  hostile_test.go
//	links: messages and symbol tables       check_links.go   hostile_test.go
//	datasets, values of attributes, heaps   check_data.go    hostile_test.go
//	chunks and what they unpack to          check_chunks.go  hostile_test.go
package keras
