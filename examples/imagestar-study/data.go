package main

// The data of a study: blocks of training and validation images, and the pool that
// accuracy is measured on and images to verify are chosen from.
//
// MNIST's pool is its test set, as in the paper. MedNIST has none; the paper chooses
// from the whole collection, training images included. Ours is what was not trained on:
// the blocks' test images, on which accuracy is measured, then the validation images.

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"

	"github.com/vouchnn/vouch/train/dataset"
)

// study is a data set, its settings and its folder.
type study struct {
	settings
	dir                   string
	training, valid, pool *images
	tested                int       // accuracy is measured on so many of the pool, from the first
	mean                  []float32 // of the training images, per pixel
	log                   io.Writer
	mu                    sync.Mutex // of log
	chosen                []int      // images of the pool to verify
	classes               []string
	shape                 []int
}

// images is a train.Data in the study's unit.
type images struct {
	set *dataset.Set
	raw bool
}

// Len implements train.Data.
func (d *images) Len() int { return d.set.Len() }

// Size implements train.Data.
func (d *images) Size() int { return d.set.Size() }

// Read implements train.Data.
func (d *images) Read(i int, x []float32) int {
	for k, p := range d.set.Image(i) {
		x[k] = float32(p)
		if !d.raw {
			x[k] /= 255
		}
	}
	return int(d.set.Labels[i])
}

// openStudy reads the data and makes the folder, or finds one of the same settings.
func openStudy(s settings, dir string, log io.Writer) (*study, error) {
	st := &study{settings: s, dir: dir, log: log}
	all, pool, err := s.open()
	if err != nil {
		return nil, err
	}
	block := all.Len() / s.Blocks
	if need := s.Train + s.Test + s.Valid; need > block {
		return nil, fmt.Errorf("%d images in %d blocks, want blocks of %d", all.Len(), s.Blocks, need)
	}
	take := func(from, count int) []int {
		var indices []int
		for b := range s.Blocks {
			for i := range count {
				indices = append(indices, b*block+from+i)
			}
		}
		return indices
	}
	training, err := all.Subset(take(0, s.Train))
	if err != nil {
		return nil, err
	}
	valid, err := all.Subset(take(s.Train+s.Test, s.Valid))
	if err != nil {
		return nil, err
	}
	if pool == nil {
		if pool, err = all.Subset(append(take(s.Train, s.Test), take(s.Train+s.Test, s.Valid)...)); err != nil {
			return nil, err
		}
		st.tested = s.Blocks * s.Test
	} else {
		st.tested = pool.Len()
	}
	st.training, st.valid, st.pool = &images{training, s.Raw}, &images{valid, s.Raw}, &images{pool, s.Raw}
	st.shape, st.classes = all.Shape, classNames(s.Data, all.Classes)
	st.mean = st.training.mean()
	return st, st.claim(filepath.Join(dir, "study.json"))
}

// open is the images to be cut into blocks, and the pool if it is not among them.
func (s *settings) open() (all, pool *dataset.Set, err error) {
	if s.Data == "digits" {
		return dataset.Digits(1, s.Blocks*(s.Train+s.Test+s.Valid), true), nil, nil
	}
	if all, err = dataset.Open(s.Data, dataset.Train, ""); err != nil {
		return nil, nil, err
	}
	if pool, err = dataset.Open(s.Data, dataset.Test, ""); err != nil || s.Data == "mnist" {
		return all, pool, err
	}
	all.Pixels, all.Labels = append(all.Pixels, pool.Pixels...), append(all.Labels, pool.Labels...)
	order := make([]int, all.Len())
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(all.Labels[a]) - int(all.Labels[b]) })
	all, err = all.Subset(order)
	return all, nil, err
}

// mean is the mean image.
func (d *images) mean() []float32 {
	sum, x := make([]float64, d.Size()), make([]float32, d.Size())
	for i := range d.Len() {
		d.Read(i, x)
		for k, v := range x {
			sum[k] += float64(v)
		}
	}
	for k, v := range sum {
		x[k] = float32(v / float64(d.Len()))
	}
	return x
}

func classNames(data string, n int) []string {
	if data == "mednist" {
		return []string{"AbdomenCT", "BreastMRI", "CXR", "ChestCT", "Hand", "HeadCT"}
	}
	var names []string
	for i := range n {
		names = append(names, fmt.Sprint(i))
	}
	return names
}
