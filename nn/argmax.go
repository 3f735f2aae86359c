package nn

import "cmp"

// ArgMax is the index of the greatest number, the first of equals; −1 of none. Of a
// classifier's outputs it is the class. A NaN counts as less
// than any number.
func ArgMax[T cmp.Ordered](y []T) int {
	best := -1
	for i, v := range y {
		if best < 0 || cmp.Compare(v, y[best]) > 0 {
			best = i
		}
	}
	return best
}
