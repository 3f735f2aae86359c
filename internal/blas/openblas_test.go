//go:build openblas

package blas

import "gonum.org/v1/netlib/blas/netlib"

// With -tags openblas the benchmarks also measure OpenBLAS, which must be
// installed: CGO_LDFLAGS="-L/usr/lib/x86_64-linux-gnu -lopenblas", and for one
// thread OPENBLAS_NUM_THREADS=1 and -cpu 1.
func init() { rivals["openblas"] = netlib.Implementation{} }
