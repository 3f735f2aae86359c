package dataset

import "math/rand/v2"

// CropFlip augments images: it pads with zeros, takes a window of the image's
// size at a random place, and mirrors left and right with probability one half.
// It is a train.Augment. For CIFAR-10 the padding is usually 4; leave the mirror
// out for digits.
// Source: He et al. 2016, arXiv:1512.03385, §4.2.
type CropFlip struct {
	Pad  int // pixels on each side; at most the image's size counts
	Flip bool
}

// Apply changes x, of shape [channels, height, width], in place.
func (c CropFlip) Apply(x []float32, shape []int, rng *rand.Rand) {
	height, width := shape[len(shape)-2], shape[len(shape)-1]
	down, right := 0, 0
	if c.Pad > 0 {
		down, right = rng.IntN(2*c.Pad+1)-c.Pad, rng.IntN(2*c.Pad+1)-c.Pad
	}
	mirror := c.Flip && rng.IntN(2) == 1
	old := make([]float32, height*width)
	for at := 0; at+len(old) <= len(x); at += len(old) {
		plane := x[at : at+len(old)]
		copy(old, plane)
		for i := range height {
			for j := range width {
				from := j
				if mirror {
					from = width - 1 - j
				}
				y, z := i+down, from+right
				plane[i*width+j] = 0
				if y >= 0 && y < height && z >= 0 && z < width {
					plane[i*width+j] = old[y*width+z]
				}
			}
		}
	}
}
