package main

import (
	"bytes"
	"encoding/base64"
	"html/template"
	"image"
	"image/color"
	"image/png"
	"math"
)

// Pictures of counterexamples whose inputs are images: the centre of the
// region, the counterexample, and the difference, stretched to full contrast
// about grey. Whether an input is an image is told from its shape: [.., h, w]
// with one or three channels in front, or flat with a square number of values,
// as MNIST's 784 are. At least smallestSide, or a control problem's state would
// be drawn.

const (
	smallestSide = 8
	largestSide  = 512
)

// imageShape reads a shape as channels, height, width.
func imageShape(shape []int) (channels, height, width int, ok bool) {
	var s []int
	for _, d := range shape {
		if d != 1 {
			s = append(s, d)
		}
	}
	switch {
	case len(s) == 3 && s[0] == 3:
		channels, height, width = 3, s[1], s[2]
	case len(s) == 2:
		channels, height, width = 1, s[0], s[1]
	case len(s) == 1:
		channels = 1
		if side := squareRoot(s[0] / 3); s[0]%3 == 0 && side > 0 {
			channels, height, width = 3, side, side
		} else if side := squareRoot(s[0]); side > 0 {
			height, width = side, side
		}
	}
	return channels, height, width, min(height, width) >= smallestSide && max(height, width) <= largestSide
}

// squareRoot is the root of a square number, 0 for another.
func squareRoot(n int) int {
	if r := int(math.Round(math.Sqrt(float64(n)))); r*r == n {
		return r
	}
	return 0
}

// pictures are the centre, the counterexample and the difference as data URLs.
// ok is false if the input is no image.
func (c *storedCounterexample) pictures() (urls [3]template.URL, ok bool) {
	channels, height, width, ok := imageShape(c.Shape)
	if !ok {
		return urls, false
	}
	least, greatest := c.valueRange()
	n := len(c.Input)
	centre, found, difference := make([]float64, n), make([]float64, n), make([]float64, n)
	most := 0.0
	for i, v := range c.Input {
		middle := 0.5*float64(c.Lower[i]) + 0.5*float64(c.Upper[i])
		centre[i] = (middle - least) / (greatest - least)
		found[i] = (float64(v) - least) / (greatest - least)
		difference[i] = float64(v) - middle
		most = max(most, math.Abs(difference[i]))
	}
	for i := range difference {
		if most > 0 {
			difference[i] /= 2 * most
		}
		difference[i] += 0.5
	}
	for i, values := range [][]float64{centre, found, difference} {
		urls[i] = drawPNG(values, channels, height, width)
	}
	return urls, true
}

// valueRange is what black and white stand for: [0, 1] or [0, 255] where all
// values lie in it, else their own range, as of normalised inputs.
func (c *storedCounterexample) valueRange() (least, greatest float64) {
	least, greatest = math.Inf(1), math.Inf(-1)
	for _, list := range [][]number{c.Lower, c.Upper, c.Input} {
		for _, v := range list {
			least, greatest = min(least, float64(v)), max(greatest, float64(v))
		}
	}
	switch {
	case least >= 0 && greatest <= 1:
		return 0, 1
	case least >= 0 && greatest <= 255:
		return 0, 255
	case least < greatest:
		return least, greatest
	default:
		return least, least + 1
	}
}

// drawPNG draws values in [0, 1], channels first.
func drawPNG(values []float64, channels, height, width int) template.URL {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	level := func(i int) uint8 { return uint8(math.Round(255 * min(max(values[i], 0), 1))) }
	for y := range height {
		for x := range width {
			i, plane := y*width+x, height*width
			c := color.RGBA{level(i), 0, 0, 255}
			c.G, c.B = c.R, c.R
			if channels == 3 {
				c.G, c.B = level(i+plane), level(i+2*plane)
			}
			img.SetRGBA(x, y, c)
		}
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		panic(err) // a buffer takes everything, and the size is not zero
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(buf.Bytes()))
}
