//go:build !amd64

package blas

// availableKernels lists the kernels of this machine, slowest first.
func availableKernels() []*kernels { return []*kernels{genericKernels} }
