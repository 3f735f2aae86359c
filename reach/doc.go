// Package reach computes the set of outputs of a network over a region of inputs.
package reach
