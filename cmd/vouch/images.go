package main

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/train/dataset"
)

// Images for vouch radius, and the classes that they are proved against.

// imageFlags say where images come from.
type imageFlags struct {
	data, images, labels string
	index                string
	set                  *dataset.Set
	chosen               []int // places in set; nil: those of the targets' file
}

func (f *imageFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.data, "data", "", "test images of mnist, fashion-mnist or cifar-10 (found through VOUCH_DATA)")
	fs.StringVar(&f.images, "images", "", "IDX `file` of images, in place of -data")
	fs.StringVar(&f.labels, "labels", "", "IDX `file` of their labels")
	fs.StringVar(&f.index, "index", "", "which images, as in 0-99,200 (default 0-99, or the samples of -targets)")
}

// load reads the images. byTargets says that a file of targets may choose them.
func (f *imageFlags) load(byTargets bool) (err error) {
	switch {
	case f.data != "" && (f.images != "" || f.labels != ""):
		return usagef("-data and -images exclude each other")
	case f.data != "":
		f.set, err = dataset.Open(f.data, dataset.Test, "")
	case f.images != "" && f.labels != "":
		f.set, err = dataset.ReadIDX(f.images, f.labels)
	default:
		return usagef("which images? -data, or -images and -labels")
	}
	if err != nil {
		return err
	}
	f.set = f.set.ChannelsFirst()
	if f.index == "" && byTargets {
		return nil
	}
	index := f.index
	if index == "" {
		index = fmt.Sprintf("0-%d", min(99, f.set.Len()-1))
	}
	f.chosen, err = parseIndices(index, f.set.Len())
	return err
}

// openTargets reads the file of targets, if there is one.
func (c *radiusCommand) openTargets() error {
	if c.targets == "" {
		return nil
	}
	f, err := os.Open(c.targets)
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", c.targets, err)
	}
	if len(rows) == 0 || len(rows[0]) != 2 || rows[0][0] != "sample" || rows[0][1] != "target" {
		return fmt.Errorf("%s: the columns are not sample,target", c.targets)
	}
	c.fixed = map[int]int{}
	var order []int
	for i, r := range rows[1:] {
		sample, err := strconv.Atoi(r[0])
		target, err2 := strconv.Atoi(r[1])
		if err != nil || err2 != nil || sample < 0 || sample >= c.images.set.Len() || target < 0 {
			return fmt.Errorf("%s: line %d: %q is not a sample below %d and a class", c.targets, i+2, r, c.images.set.Len())
		}
		if _, ok := c.fixed[sample]; ok {
			return fmt.Errorf("%s: line %d: sample %d is there twice", c.targets, i+2, sample)
		}
		c.fixed[sample] = target
		order = append(order, sample)
	}
	if c.images.chosen == nil {
		c.images.chosen = order
	}
	return nil
}

// tasks is what is to be proved of a network: a task for each chosen image that it
// classifies correctly, and the images' places.
func (c *radiusCommand) tasks(m *bounds.Model) (samples []int, tasks []dualapp.Task, err error) {
	set := c.images.set
	in, out := nn.InputShape(m.Network()).Size(), nn.OutputShape(m.Network()).Size()
	if set.Size() != in {
		return nil, nil, fmt.Errorf("takes %d numbers, the images have %d", in, set.Size())
	}
	for _, i := range c.images.chosen {
		c.total++
		x, label := set.Float64(i), int(set.Labels[i])
		if label >= out {
			return nil, nil, fmt.Errorf("has %d outputs, image %d is of class %d", out, i, label)
		}
		y, err := nn.Evaluate(m.Network(), x)
		if err != nil {
			return nil, nil, err
		}
		if nn.ArgMax(y) != label {
			c.misclassified++
			continue
		}
		t := dualapp.Task{Center: x, Label: label}
		target, err := c.targetOf(i, label, y)
		switch {
		case err != nil:
			return nil, nil, err
		case target == label: // nothing to prove
			c.ownTarget++
			continue
		case target >= 0:
			t.Targets = []int{target}
		}
		samples, tasks = append(samples, i), append(tasks, t)
	}
	return samples, tasks, nil
}

// targetOf is the target of a sample with outputs y, −1 for all.
func (c *radiusCommand) targetOf(sample, label int, y []float64) (int, error) {
	target := -1
	switch {
	case c.fixed != nil:
		t, ok := c.fixed[sample]
		if !ok {
			return 0, fmt.Errorf("%s has no target for sample %d", c.targets, sample)
		}
		target = t
	case c.target == "random":
		return randomTarget(rand.New(rand.NewPCG(c.options.Seed, uint64(sample))), label, y), nil
	case c.target != "all":
		target, _ = strconv.Atoi(c.target) // checked
	}
	if target >= len(y) {
		return 0, fmt.Errorf("has %d outputs, sample %d has the target %d", len(y), sample, target)
	}
	return target, nil
}

// randomTarget draws a class other than the label, the best other one and the
// worst, as far as there are enough.
func randomTarget(rng *rand.Rand, label int, y []float64) int {
	second, last := -1, -1
	for k, v := range y {
		if k == label {
			continue
		}
		if second < 0 || v > y[second] {
			second = k
		}
		if last < 0 || v <= y[last] {
			last = k
		}
	}
	var classes []int
	for k := range y {
		if k != label && (len(y) <= 3 || (k != second && k != last)) {
			classes = append(classes, k)
		}
	}
	if len(classes) == 0 {
		return label
	}
	return classes[rng.IntN(len(classes))]
}
