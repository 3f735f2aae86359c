package nn

// Sliding windows, shared by convolution and pooling.
//
// A window visits an axis of length n, padded by p before and q after, at
// positions o·stride − p + k·dilation for k in [0, kernel). The number of
// outputs is, as in ONNX, floor((n+p+q−e)/stride)+1 with the extent
// e = (kernel−1)·dilation+1, or with ceil_mode the ceiling of that quotient,
// less the last window if it would start in the padding behind the axis.

import "fmt"

// window is the geometry of a kernel along one axis.
type window struct{ kernel, stride, dilation, before, after int }

// windows fills in the defaults of an ONNX window (stride 1, dilation 1, no
// padding) and checks the attributes. pad holds the begins of all axes, then
// the ends.
func windows(op string, kernel, stride, dilation, pad []int) ([]window, error) {
	n := len(kernel)
	if n != 1 && n != 2 {
		return nil, &UnsupportedError{Op: op, Detail: fmt.Sprintf("kernel of %d axes; 1 or 2 are implemented", n)}
	}
	ws := make([]window, n)
	attributes := []struct {
		name   string
		values []int
		absent int
		least  int
		length int
	}{{"kernel", kernel, 0, 1, n}, {"stride", stride, 1, 1, n}, {"dilation", dilation, 1, 1, n}, {"pad", pad, 0, 0, 2 * n}}
	for _, a := range attributes {
		if len(a.values) != 0 && len(a.values) != a.length {
			return nil, valueErrorf(op, "%s %v does not have %d numbers", a.name, a.values, a.length)
		}
		for i := range a.length {
			v := a.absent
			if len(a.values) != 0 {
				v = a.values[i]
			}
			if v < a.least || v > MaxElements {
				return nil, valueErrorf(op, "%s %v is not in [%d, %d]", a.name, a.values, a.least, MaxElements)
			}
			w := &ws[i%n]
			switch {
			case a.name == "kernel":
				w.kernel = v
			case a.name == "stride":
				w.stride = v
			case a.name == "dilation":
				w.dilation = v
			case i < n:
				w.before = v
			default:
				w.after = v
			}
		}
	}
	return ws, nil
}

// outputs is the number of windows on an axis of length n; 0 if the kernel is
// larger than the padded axis.
func (w window) outputs(n int, ceil bool) int {
	padded := n + w.before + w.after
	if w.kernel-1 > (padded-1)/w.dilation {
		return 0
	}
	room := padded - (w.kernel-1)*w.dilation - 1
	out := room/w.stride + 1
	if !ceil {
		return out
	}
	if room%w.stride != 0 {
		out++
	}
	if (out-1)*w.stride >= n+w.before {
		out--
	}
	return out
}

// taps is the part of window o that lies on an axis of length n: count
// positions from first on, dilation apart.
func (w window) taps(n, o int) (first, count int) {
	return w.clip(o*w.stride-w.before, 0, n)
}

// padded is how many positions of window o lie on the axis of length n or its
// padding. Only a last window of ceil_mode has fewer than kernel.
func (w window) padded(n, o int) int {
	_, count := w.clip(o*w.stride-w.before, -w.before, n+w.after)
	return count
}

// clip intersects the positions start, start+dilation, ... of one kernel with
// [low, high).
func (w window) clip(start, low, high int) (first, count int) {
	skip := 0
	if start < low {
		skip = (low - start + w.dilation - 1) / w.dilation
	}
	end := w.kernel // first tap at or behind high
	if start >= high {
		end = 0
	} else if room := (high-1-start)/w.dilation + 1; room < end {
		end = room
	}
	if end <= skip {
		return 0, 0
	}
	return start + skip*w.dilation, end - skip
}
