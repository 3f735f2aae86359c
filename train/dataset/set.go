package dataset

import (
	"fmt"
	"slices"
)

// Set is a list of labelled images of one shape. It is safe for concurrent use
// as long as nobody writes to it.
type Set struct {
	Name    string
	Shape   []int   // of an image: channels, height, width
	Classes int     // labels are less than this
	Pixels  []uint8 // images one after the other, each in the order of Shape
	Labels  []uint8 // one for each image
}

// Len is the number of images.
func (s *Set) Len() int { return len(s.Labels) }

// Size is the number of values of an image.
func (s *Set) Size() int {
	n := 1
	for _, d := range s.Shape {
		n *= d
	}
	return n
}

// Image is image i as stored, 0 to 255. The slice is the set's own.
// It panics if there is no image i.
func (s *Set) Image(i int) []uint8 {
	n := s.Size()
	return s.Pixels[i*n : (i+1)*n : (i+1)*n]
}

// Float64 is image i as a new slice, divided by 255, correctly rounded.
// It panics if there is no image i.
func (s *Set) Float64(i int) []float64 {
	img := s.Image(i)
	x := make([]float64, len(img))
	for k, p := range img {
		x[k] = float64(p) / 255
	}
	return x
}

// Float32 is image i as a new slice, divided by 255, correctly rounded.
// It panics if there is no image i.
func (s *Set) Float32(i int) []float32 {
	img := s.Image(i)
	x := make([]float32, len(img))
	for k, p := range img {
		x[k] = float32(p) / 255
	}
	return x
}

// Subset is a new set of the images at the given places, in that order.
// Errors: *IndexError.
func (s *Set) Subset(indices []int) (*Set, error) {
	n := s.Size()
	sub := &Set{
		Name: s.Name, Shape: slices.Clone(s.Shape), Classes: s.Classes,
		Pixels: make([]uint8, 0, len(indices)*n), Labels: make([]uint8, 0, len(indices)),
	}
	for _, i := range indices {
		if i < 0 || i >= s.Len() {
			return nil, &IndexError{Set: s.Name, Index: i, Len: s.Len()}
		}
		sub.Pixels = append(sub.Pixels, s.Image(i)...)
		sub.Labels = append(sub.Labels, s.Labels[i])
	}
	return sub, nil
}

// PerClass lists the first k images of each class, by class and then by place;
// fewer if a class has fewer.
func (s *Set) PerClass(k int) []int {
	of := make([][]int, s.Classes)
	for i, l := range s.Labels {
		if len(of[l]) < k {
			of[l] = append(of[l], i)
		}
	}
	return slices.Concat(of...)
}

// FormatError is a file that is not what it should be.
type FormatError struct {
	File   string
	Detail string
	Err    error // cause, or nil
}

// Error implements error.
func (e *FormatError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("dataset: %s: %s: %v", e.File, e.Detail, e.Err)
	}
	return fmt.Sprintf("dataset: %s: %s", e.File, e.Detail)
}

// Unwrap is the cause.
func (e *FormatError) Unwrap() error { return e.Err }

// IndexError asks for an image that is not there.
type IndexError struct {
	Set        string
	Index, Len int
}

// Error implements error.
func (e *IndexError) Error() string {
	return fmt.Sprintf("dataset: %s has images 0 to %d, not %d", e.Set, e.Len-1, e.Index)
}
