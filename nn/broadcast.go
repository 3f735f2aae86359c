package nn

// Numpy broadcasting of two operands into one result.
//
// The loops strip the outermost axis until each operand is either
// as large as the result or a single number, which for the usual cases (equal
// shapes, a bias per channel) is at once or after the channels.

// Broadcast is the shape of an elementwise operation's result on operands of shapes a and
// b, by numpy's rule: shapes are aligned at their last axes, and an axis of size 1, or a
// missing one, is repeated. It reports false if the shapes do not fit.
func Broadcast(a, b Shape) (Shape, bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	s := a.Clone()
	skip := len(a) - len(b)
	for i, d := range b {
		switch {
		case s[skip+i] == 1:
			s[skip+i] = d
		case d != 1 && d != s[skip+i]:
			return nil, false
		}
	}
	return s, true
}

// combine is what a broadcast does at each element of the result y.
type combine int

const (
	assignSum        combine = iota // y = a + b
	assignDifference                // y = a − b
	assignProduct                   // y = a·b
	assignQuotient                  // y = a/b
	addQuotient                     // y += a/b
	reduceAdd                       // a += y
	reduceSub                       // a −= y
	reduceMul                       // a += y·b
	reduceDiv                       // a += y/b
)

// tensor is a flat buffer with its shape.
type tensor[T Float] struct {
	data  []T
	shape Shape
}

// at is the i-th sample of a batch of tensors.
func (t tensor[T]) at(i int) tensor[T] {
	n := t.shape.Size()
	return tensor[T]{t.data[i*n : (i+1)*n], t.shape}
}

// strip is index i of the first of the result's rank axes, which t may lack or
// have with size 1.
func (t tensor[T]) strip(rank, i int) tensor[T] {
	switch {
	case len(t.shape) < rank:
		return t
	case t.shape[0] == 1:
		return tensor[T]{t.data, t.shape[1:]}
	}
	n := len(t.data) / t.shape[0]
	return tensor[T]{t.data[i*n : (i+1)*n], t.shape[1:]}
}

// broadcast applies op at each element of y, whose shape is that of a and b
// broadcast. Operations that do not use b ignore it.
func broadcast[T Float](op combine, y, a, b tensor[T]) {
	n := len(y.data)
	if (len(a.data) == n || len(a.data) == 1) && (len(b.data) == n || len(b.data) == 1) {
		combineFlat(op, y.data, a.data, b.data)
		return
	}
	rank := len(y.shape)
	for i := range y.shape[0] {
		broadcast(op, y.strip(rank, i), a.strip(rank, i), b.strip(rank, i))
	}
}

// combineFlat is broadcast for operands of len(y) elements or one.
func combineFlat[T Float](op combine, y, a, b []T) {
	sa, sb := min(len(a)-1, 1), min(len(b)-1, 1)
	if len(y) == 1 {
		sa, sb = 0, 0
	}
	switch op {
	case assignSum:
		for i := range y {
			y[i] = a[i*sa] + b[i*sb]
		}
	case assignDifference:
		for i := range y {
			y[i] = a[i*sa] - b[i*sb]
		}
	case assignProduct:
		for i := range y {
			y[i] = a[i*sa] * b[i*sb]
		}
	case assignQuotient:
		for i := range y {
			y[i] = a[i*sa] / b[i*sb]
		}
	case addQuotient:
		for i := range y {
			y[i] += a[i*sa] / b[i*sb]
		}
	case reduceAdd:
		for i, v := range y {
			a[i*sa] += v
		}
	case reduceSub:
		for i, v := range y {
			a[i*sa] -= v
		}
	case reduceMul:
		for i, v := range y {
			a[i*sa] += v * b[i*sb]
		}
	case reduceDiv:
		for i, v := range y {
			a[i*sa] += v / b[i*sb]
		}
	}
}
