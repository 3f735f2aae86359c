package blas

// Sums and updates over vectors, as bound propagation and attacks need them. The
// machine code keeps 4 vectors of partial sums; the order of summation depends
// on the length alone. The errors are within gamma_n times the sum of the terms'
// absolute values.

// Dot returns Σ x[i]·y[i] over the length of x. It panics if y is shorter.
func Dot[T Float](x, y []T) T {
	if len(x) == 0 {
		return 0
	}
	y = y[:len(x)]
	return kernelOf[T]().dot(len(x), &x[0], &y[0])
}

// AbsDot returns Σ |x[i]|·y[i] over the length of x: with y a vector of radii,
// the radius of a linear function over a box. It panics if y is shorter.
func AbsDot[T Float](x, y []T) T {
	if len(x) == 0 {
		return 0
	}
	y = y[:len(x)]
	return kernelOf[T]().absDot(len(x), &x[0], &y[0])
}

// PosNegDot returns Σ max(x[i],0)·low[i] + min(x[i],0)·high[i] over the length of
// x: the least value of a linear function over the box [low, high], and with
// the two exchanged the greatest. The bounds must be finite: a product of zero
// and infinity is not a number. It panics if low or high is shorter.
func PosNegDot[T Float](x, low, high []T) T {
	if len(x) == 0 {
		return 0
	}
	low, high = low[:len(x)], high[:len(x)]
	return kernelOf[T]().signDot(len(x), &x[0], &low[0], &high[0])
}

// Axpy adds alpha·x to y over the length of x. It panics if y is shorter. x and
// y must be the same or not overlap.
func Axpy[T Float](alpha T, x, y []T) {
	if len(x) == 0 {
		return
	}
	y = y[:len(x)]
	kernelOf[T]().axpy(len(x), alpha, &x[0], &y[0])
}
