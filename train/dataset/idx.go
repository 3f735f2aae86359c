package dataset

// IDX: a magic number 0, 0, type, dimensions; the sizes, big-endian 32 bits;
// the values. Type 8 is a byte, the only one that images and labels use.
// Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database", file formats.

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// maxImages and maxPixels bound what a header may claim.
const (
	maxImages = 1 << 28
	maxPixels = 1 << 33 // bytes of a file
)

// ReadIDX reads images and their labels. Images have two dimensions (grey; one
// channel) or three with the channels first, after their number. The classes
// are those up to the greatest label. A path may lack its ".gz".
// Errors: *FormatError, and those of the file system.
func ReadIDX(images, labels string) (*Set, error) {
	pixels, dims, imagesName, err := readIDX(images)
	if err != nil {
		return nil, err
	}
	var shape []int
	switch len(dims) {
	case 3:
		shape = []int{1, dims[1], dims[2]}
	case 4:
		shape = dims[1:]
	default:
		return nil, &FormatError{File: imagesName, Detail: fmt.Sprintf("has %d dimensions, want 3 or 4 for images", len(dims))}
	}
	marks, ldims, labelsName, err := readIDX(labels)
	if err != nil {
		return nil, err
	}
	if len(ldims) != 1 {
		return nil, &FormatError{File: labelsName, Detail: fmt.Sprintf("has %d dimensions, want 1 for labels", len(ldims))}
	}
	if ldims[0] != dims[0] {
		return nil, &FormatError{File: labelsName, Detail: fmt.Sprintf("has %d labels for the %d images of %s", ldims[0], dims[0], imagesName)}
	}
	if len(marks) == 0 {
		return nil, &FormatError{File: labelsName, Detail: "is empty"}
	}
	return &Set{Name: images, Shape: shape, Classes: int(slices.Max(marks)) + 1, Pixels: pixels, Labels: marks}, nil
}

// readIDX reads a file of bytes: its values, its sizes, the name that it was
// found by.
func readIDX(path string) (data []uint8, dims []int, name string, err error) {
	f, err := open(path)
	if err != nil {
		return nil, nil, path, err
	}
	defer f.close()
	var magic [4]byte
	if err := f.header(magic[:]); err != nil {
		return nil, nil, f.name, err
	}
	if magic[0] != 0 || magic[1] != 0 {
		return nil, nil, f.name, f.errorf("is not an IDX file: it begins with % x", magic)
	}
	if magic[2] != 8 {
		return nil, nil, f.name, f.errorf("holds values of type %#x, want bytes (0x8)", magic[2])
	}
	total := int64(1)
	for range magic[3] {
		var size [4]byte
		if err := f.header(size[:]); err != nil {
			return nil, nil, f.name, err
		}
		n := int64(binary.BigEndian.Uint32(size[:]))
		if n == 0 || n > maxImages || total > maxPixels/n {
			return nil, nil, f.name, f.errorf("claims a dimension of %d", n)
		}
		total *= n
		dims = append(dims, int(n))
	}
	if len(dims) == 0 {
		return nil, nil, f.name, f.errorf("has no dimensions")
	}
	data, err = f.rest(total)
	return data, dims, f.name, err
}

func (f *file) errorf(format string, args ...any) error {
	return &FormatError{File: f.name, Detail: fmt.Sprintf(format, args...)}
}
