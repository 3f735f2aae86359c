package dataset

// The binary version of CIFAR-10: records of a label and 3×32×32 bytes, red,
// green, blue, each row by row; nothing before, between or after.
// Source: A. Krizhevsky, "The CIFAR-10 dataset", https://www.cs.toronto.edu/~kriz/cifar.html.

import (
	"io"
)

const (
	cifarClasses = 10
	cifarPixels  = 3 * 32 * 32
	cifarMax     = 1 << 22 // records of a file
)

// ReadCIFAR reads a file of records; a path may lack its ".gz".
// Errors: *FormatError, and those of the file system.
func ReadCIFAR(path string) (*Set, error) {
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.close()
	s := &Set{Name: path, Shape: []int{3, 32, 32}, Classes: cifarClasses}
	var record [1 + cifarPixels]byte
	for {
		switch n, err := io.ReadFull(f.r, record[:]); {
		case err == io.EOF && s.Len() > 0:
			return s, nil
		case err == io.EOF:
			return nil, f.errorf("is empty")
		case err == io.ErrUnexpectedEOF:
			return nil, f.errorf("record %d ends after %d of %d bytes", s.Len(), n, len(record))
		case err != nil:
			return nil, f.short("data", err)
		}
		if record[0] >= cifarClasses {
			return nil, f.errorf("record %d has label %d, want less than %d", s.Len(), record[0], cifarClasses)
		}
		if s.Len() == cifarMax {
			return nil, f.errorf("has more than %d records", cifarMax)
		}
		s.Labels = append(s.Labels, record[0])
		s.Pixels = append(s.Pixels, record[1:]...)
	}
}
