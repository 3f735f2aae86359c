// Package gorgonia trains networks of package nn with Gorgonia, an automatic
// differentiation library for Go, and checks the gradients of package train
// against its.
//
//	nn.Network ──► graph.go: an expression graph with the same parameters
//	                 │
//	                 ├─► Gradients   values and gradients of CE, KL and NBC
//	                 └─► Trainer     a train.Trainer for cross-entropy
//
// It is a module of its own: Gorgonia and what it needs would add some hundred
// modules to every program that imports vouch. It is several times slower than
// train.Engine and knows Dense, Conv with the same padding on both sides of an
// axis, MaxPool, ReLU, Sigmoid, Tanh, Add, and views.
//
// Gorgonia v0.9.18 refuses to start on this version of Go unless
// go4.org/unsafe/assume-no-moving-gc is as new as go.mod says.
//
//	source                        file         test
//	gorgonia.org/gorgonia         graph.go     gorgonia_test.go
package gorgonia
