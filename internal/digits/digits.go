// Package digits draws small grey pictures of the ten digits.
//
// It stands in for a data set where a program must run without one: in the
// examples and in tests. A digit is a few strokes, straight or bent. Each
// picture moves, turns, slants, scales and thickens them at random, draws them
// with soft edges and adds noise, so that a network has something to learn and
// a held-out set means something. It is no substitute for a real data set: the
// classes are far better separated than handwriting is.
package digits

import (
	"math"
	"math/rand/v2"
)

const (
	// Size is the height and the width of a picture, in pixels.
	Size = 12
	// Pixels is the number of values of a picture.
	Pixels = Size * Size
	// Classes is the number of digits.
	Classes = 10
)

// point is a place in the frame of a digit: x to the right and y down, both
// from −1 to 1.
type point struct{ x, y float64 }

// strokes is the digits as polylines.
var strokes = [Classes][][]point{
	{arc(0, 0, 0.62, 1, 0, 360)},
	{{{-0.4, -0.55}, {0.1, -1}, {0.1, 1}}},
	{append(arc(0, -0.45, 0.6, 0.55, 200, 400), point{-0.6, 1}, point{0.65, 1})},
	{append(arc(-0.05, -0.5, 0.6, 0.5, 215, 450), arc(-0.05, 0.5, 0.65, 0.5, 270, 500)...)},
	{{{0.3, 1}, {0.3, -1}, {-0.65, 0.35}, {0.7, 0.35}}},
	{append([]point{{0.55, -1}, {-0.45, -1}, {-0.5, -0.1}}, arc(-0.05, 0.38, 0.62, 0.6, 240, 500)...)},
	{append([]point{{0.35, -1}, {-0.3, -0.35}}, arc(0, 0.42, 0.6, 0.58, 200, 560)...)},
	{{{-0.6, -1}, {0.6, -1}, {-0.15, 1}}},
	{arc(0, -0.5, 0.5, 0.48, 0, 360), arc(0, 0.5, 0.62, 0.5, 0, 360)},
	{append(arc(0, -0.42, 0.6, 0.58, 0, 360), point{0.45, 0.35}, point{0.1, 1})},
}

// arc is part of an ellipse, by angles in degrees, clockwise from the right.
func arc(x, y, width, height, from, to float64) []point {
	const steps = 12
	line := make([]point, 0, steps+1)
	for i := range steps + 1 {
		s, c := math.Sincos((from + (to-from)*float64(i)/steps) * math.Pi / 180)
		line = append(line, point{x + width*c, y + height*s})
	}
	return line
}

// Draw is one picture of the digit label: Pixels grey values in [0, 1], row by
// row, each a whole number of 255ths as in an image file. The same state of rng
// gives the same picture.
// Precondition: label in [0, Classes).
func Draw(rng *rand.Rand, label int) []float64 {
	between := func(low, high float64) float64 { return low + (high-low)*rng.Float64() }
	// From pixels back to the frame: shift, turn, scale, slant.
	shiftX, shiftY := between(-1.2, 1.2), between(-1.2, 1.2)
	sin, cos := math.Sincos(between(-0.3, 0.3))
	scaleX, scaleY, slant := between(2.8, 4.4), between(3.4, 4.5), between(-0.3, 0.3)
	half := between(0.5, 1) // of the stroke's width, in pixels
	ink, noise := between(0.7, 1), between(0.02, 0.08)

	image := make([]float64, Pixels)
	for i := range image {
		px := float64(i%Size) - (Size-1)/2.0 - shiftX
		py := float64(i/Size) - (Size-1)/2.0 - shiftY
		p := point{cos*px + sin*py, cos*py - sin*px}
		p.x += slant * p.y
		away := math.Inf(1)
		for _, line := range strokes[label] {
			for k := 1; k < len(line); k++ {
				a, b := line[k-1], line[k]
				away = min(away, distance(p, point{a.x * scaleX, a.y * scaleY}, point{b.x * scaleX, b.y * scaleY}))
			}
		}
		v := ink*min(max(half+0.5-away, 0), 1) + noise*rng.NormFloat64()
		image[i] = math.Round(255*min(max(v, 0), 1)) / 255
	}
	return image
}

// distance is how far p is from the segment from a to b.
func distance(p, a, b point) float64 {
	dx, dy := b.x-a.x, b.y-a.y
	t := ((p.x-a.x)*dx + (p.y-a.y)*dy) / (dx*dx + dy*dy)
	t = min(max(t, 0), 1)
	return math.Hypot(p.x-a.x-t*dx, p.y-a.y-t*dy)
}

// Set is n pictures with their labels, all digits equally often up to one:
// images [n × Pixels], labels [n]. The same seed gives the same set.
func Set(seed uint64, n int) (images []float64, labels []int) {
	rng := rand.New(rand.NewPCG(seed, 0))
	images = make([]float64, 0, n*Pixels)
	labels = make([]int, n)
	for i, k := range rng.Perm(n) {
		labels[i] = k % Classes
		images = append(images, Draw(rng, labels[i])...)
	}
	return images, labels
}
