package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Split is a part of a data set.
type Split uint8

// The parts.
const (
	Train Split = iota
	Test
)

// String is "train" or "test".
func (s Split) String() string {
	if s == Test {
		return "test"
	}
	return "train"
}

// ParseSplit reads what String writes.
func ParseSplit(s string) (Split, error) {
	switch s {
	case "train":
		return Train, nil
	case "test":
		return Test, nil
	}
	return 0, fmt.Errorf("dataset: no split %q, want train or test", s)
}

// Names are the data sets that Open knows.
func Names() []string { return []string{"mnist", "fashion-mnist", "cifar-10", "mednist"} }

// UnknownError is a name that Open does not know.
type UnknownError struct{ Name string }

// Error implements error.
func (e *UnknownError) Error() string {
	return fmt.Sprintf("dataset: no data set %q, want one of %s", e.Name, strings.Join(Names(), ", "))
}

// MissingError is a data set whose files were not found.
type MissingError struct {
	Name   string
	Looked []string // directories
}

// Error implements error.
func (e *MissingError) Error() string {
	return fmt.Sprintf("dataset: no files of %s in %s; set VOUCH_DATA or give a directory", e.Name, strings.Join(e.Looked, ", "))
}

// Unwrap makes errors.Is(err, fs.ErrNotExist) true.
func (e *MissingError) Unwrap() error { return fs.ErrNotExist }

// Open reads a data set by its name, see Names, from the files as they are
// published, with or without ".gz":
//
//	mnist, fashion-mnist  {train,t10k}-{images-idx3,labels-idx1}-ubyte
//	cifar-10              data_batch_1.bin to data_batch_5.bin, test_batch.bin, or
//	                      as far as there are none train_first5000.bin, test_first2000.bin
//	mednist               mednist-first500perclass-{images-idx3,labels-idx1}-ubyte: one
//	                      list; of each class the last fifth is Test, the rest Train
//
// They are looked for in dir itself and in its folders named after the set; if
// dir is empty, in datasets of the directory that VOUCH_DATA names, by default
// ../shared/data.
// Errors: *UnknownError, *MissingError, *FormatError, and those of the file system.
func Open(name string, split Split, dir string) (*Set, error) {
	if !slices.Contains(Names(), name) {
		return nil, &UnknownError{name}
	}
	dirs := candidates(name, dir)
	for _, d := range dirs {
		s, err := openIn(name, split, d)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		s.Name = name
		return s, nil
	}
	return nil, &MissingError{Name: name, Looked: dirs}
}

// candidates are the directories in which the files of a set may be.
func candidates(name, dir string) []string {
	if dir == "" {
		root := os.Getenv("VOUCH_DATA")
		if root == "" {
			root = filepath.Join("..", "shared", "data")
		}
		dir = filepath.Join(root, "datasets")
	}
	dirs := []string{filepath.Join(dir, name)}
	if name == "cifar-10" {
		dirs = append(dirs, filepath.Join(dir, "cifar-10-batches-bin"), filepath.Join(dir, "cifar-10-subset"))
	}
	return append(dirs, dir)
}

func openIn(name string, split Split, dir string) (*Set, error) {
	switch name {
	case "cifar-10":
		return openCIFAR(split, dir)
	case "mednist":
		return openMedNIST(split, dir)
	}
	prefix := "train"
	if split == Test {
		prefix = "t10k"
	}
	images := filepath.Join(dir, prefix+"-images-idx3-ubyte")
	labels := filepath.Join(dir, prefix+"-labels-idx1-ubyte")
	s, err := ReadIDX(images, labels)
	if err != nil {
		return nil, err
	}
	return s, s.classes(10, labels)
}

func openCIFAR(split Split, dir string) (*Set, error) {
	files, subset := []string{"test_batch.bin"}, "test_first2000.bin"
	if split == Train {
		files, subset = nil, "train_first5000.bin"
		for i := range 5 {
			files = append(files, fmt.Sprintf("data_batch_%d.bin", i+1))
		}
	}
	all, err := ReadCIFAR(filepath.Join(dir, files[0]))
	if errors.Is(err, fs.ErrNotExist) {
		return ReadCIFAR(filepath.Join(dir, subset))
	}
	if err != nil {
		return nil, err
	}
	for _, f := range files[1:] {
		s, err := ReadCIFAR(filepath.Join(dir, f))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &FormatError{File: filepath.Join(dir, f), Detail: "is missing, though other batches are there"}
		}
		if err != nil {
			return nil, err
		}
		all.Labels = append(all.Labels, s.Labels...)
		all.Pixels = append(all.Pixels, s.Pixels...)
	}
	return all, nil
}

func openMedNIST(split Split, dir string) (*Set, error) {
	const stem = "mednist-first500perclass-"
	labels := filepath.Join(dir, stem+"labels-idx1-ubyte")
	s, err := ReadIDX(filepath.Join(dir, stem+"images-idx3-ubyte"), labels)
	if err != nil {
		return nil, err
	}
	if err := s.classes(6, labels); err != nil {
		return nil, err
	}
	count := make([]int, s.Classes)
	for _, l := range s.Labels {
		count[l]++
	}
	var indices []int
	seen := make([]int, s.Classes)
	for i, l := range s.Labels {
		test := seen[l] >= count[l]-count[l]/5
		seen[l]++
		if test == (split == Test) {
			indices = append(indices, i)
		}
	}
	return s.Subset(indices)
}

// classes sets the number of classes and checks the labels.
func (s *Set) classes(n int, file string) error {
	for i, l := range s.Labels {
		if int(l) >= n {
			return &FormatError{File: file, Detail: fmt.Sprintf("label %d is %d, want less than %d", i, l, n)}
		}
	}
	s.Classes = n
	return nil
}
