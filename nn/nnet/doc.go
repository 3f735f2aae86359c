// Package nnet reads and writes networks in the .nnet text format, in which
// the ACAS Xu collision avoidance networks were published.
//
// # The format
//
// A file holds one fully connected ReLU network and how to normalise its
// numbers. Lines are lists of numbers, each followed by a comma:
//
//	// any number of comment lines
//	layers, inputs, outputs, largest layer
//	inputs, size of layer 1, ..., outputs
//	a flag that is no longer used
//	smallest value of each input
//	largest value of each input
//	mean of each input, then of the outputs
//	range of each input, then of the outputs
//	for each layer: one line of weights per neuron, then one line per bias
//
// # Two functions in one file
//
// The weights alone are a function of normalised numbers. The function of the
// quantities that the file is about (feet, radians, feet per second) is
//
//	y = network((x − mean) / range) · output range + output mean
//
// and this is what Read returns, with the normalisation as operators of the
// graph. Options.Raw asks for the weights alone, which is what the ONNX files
// of the ACAS Xu benchmark hold and what its properties are about.
//
// The smallest and largest inputs are not part of the function: tools that clip
// inputs to them do so before they call the network. They are in Info.
//
//	source                                       file        test
//	Julian et al., NNet format (Stanford, 2016)  read.go     TestReadACASXu
//	                                             write.go    TestWriteRoundTrip
package nnet
