// Package dataset reads labelled images: IDX files (MNIST, Fashion-MNIST,
// MedNIST) and the binary records of CIFAR-10, plain or compressed with gzip.
//
// A [Set] keeps the pixels as the files do, one byte each, so that a whole data
// set fits in memory and integer networks see the very integers. [Set.Float64]
// and [Set.Float32] divide by 255, the usual units of networks.
//
//	Open ──► where the files are (directory, VOUCH_DATA) ──► ReadIDX, ReadCIFAR ──► Set
//
//	format                                       file      test
//	IDX (LeCun, Cortes, Burges: MNIST)           idx.go    idx_test.go
//	CIFAR-10 binary version (Krizhevsky 2009)    cifar.go  cifar_test.go
//	names and directories                        open.go   open_test.go
//	downloads with checksums                     fetch.go    fetch_test.go
//	crops and mirrors (He et al. 2016)           augment.go  fetch_test.go
//	drawn digits, without files                  digits.go   fetch_test.go
//
// Files are not trusted: sizes are checked against what is there before memory
// is taken, and a file cut short, a wrong magic number, a label without a class
// give a *FormatError that names the file and says what is wrong.
package dataset
