package reach

import (
	"fmt"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// ImageStar is a star of images [channels height width] (Tran et al. 2020, CAV,
// arXiv:2004.05511): centre and generators are images. It is a Star
// whose generators are kept as patches, and stay so through convolution and pooling.
// Immutable and safe for concurrent use.
type ImageStar struct{ *Star }

// NewImageStar is the images between lower and upper, [channels × height × width]
// in row-major order.
// Errors: those of NewStar.
func NewImageStar(lower, upper []float64, channels, height, width int) (*ImageStar, error) {
	b, err := spec.NewBox(lower, upper)
	if err != nil {
		return nil, err
	}
	return imageStar(NewStar(b, nn.Shape{channels, height, width}))
}

// Image is s, whose points have three axes or a first one of size 1, as images.
// Errors: *nn.ShapeError.
func (s *Star) Image() (*ImageStar, error) { return imageStar(s, nil) }

func imageStar(s *Star, err error) (*ImageStar, error) {
	if err != nil {
		return nil, err
	}
	shape := s.Shape()
	if n := len(shape); n < 3 || shape[:n-3].Size() != 1 {
		return nil, &nn.ShapeError{Detail: fmt.Sprintf("points of %v are not images", shape)}
	}
	return &ImageStar{s}, nil
}

// Axes is the numbers of channels, lines and columns.
func (s *ImageStar) Axes() (channels, height, width int) {
	shape := s.Shape()
	n := len(shape)
	return shape[n-3], shape[n-2], shape[n-1]
}

// Index is the dimension of a pixel, as Range and Minimum count.
func (s *ImageStar) Index(channel, y, x int) int {
	_, h, w := s.Axes()
	return (channel*h+y)*w + x
}

// Order is how an image becomes a vector.
type Order int

// The orders of Flatten.
const (
	RowMajor    Order = iota // channel, line, column: the column runs fastest
	ColumnMajor              // MATLAB's, [channel][x][y]: the line runs fastest
)

// Flatten is the images as vectors, in the order in which a network was trained.
// Errors: none for the two orders.
func (s *ImageStar) Flatten(order Order) (*Star, error) {
	c, h, w := s.Axes()
	flat := s.Star
	if order == ColumnMajor {
		t, err := nn.NewTranspose([]int{0, 2, 1})
		if err != nil {
			return nil, err
		}
		f := *s.f
		f.shape = nn.Shape{c, h, w}
		if flat, err = s.with(&f).Apply(t); err != nil {
			return nil, err
		}
	}
	return flat.Apply(nn.NewReshape(nn.Shape{c * h * w}))
}
