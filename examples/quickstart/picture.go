package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/vouchnn/vouch/internal/digits"
)

// shades is five grey levels, each two characters wide so that a pixel is
// about square.
var shades = [...]string{"  ", "░░", "▒▒", "▓▓", "██"}

// drawPictures writes up to three pictures with values in [0, 1] side by side,
// 80 columns for three.
func drawPictures(w io.Writer, pictures ...[]float64) {
	edge := strings.Repeat("─", 2*digits.Size)
	line := func(left string, middle func(picture []float64) string, right string) {
		parts := make([]string, len(pictures))
		for i, p := range pictures {
			parts[i] = left + middle(p) + right
		}
		fmt.Fprintln(w, strings.Join(parts, " "))
	}
	line("┌", func([]float64) string { return edge }, "┐")
	for y := range digits.Size {
		line("│", func(picture []float64) string {
			var row strings.Builder
			for _, v := range picture[y*digits.Size : (y+1)*digits.Size] {
				row.WriteString(shades[shade(v)])
			}
			return row.String()
		}, "│")
	}
	line("└", func([]float64) string { return edge }, "┘")
}

// shade is the level nearest to v.
func shade(v float64) int {
	top := len(shades) - 1
	return int(min(max(v, 0), 1)*float64(top) + 0.5)
}

// grey is a picture in double precision.
func grey(picture []float32) []float64 {
	out := make([]float64, len(picture))
	for i, v := range picture {
		out[i] = float64(v)
	}
	return out
}

// float32s is a picture in single precision.
func float32s(picture []float64) []float32 {
	out := make([]float32, len(picture))
	for i, v := range picture {
		out[i] = float32(v)
	}
	return out
}
