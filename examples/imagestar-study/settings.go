package main

// The sizes of the study, and its 45 networks.
//
// The paper cuts each data set into blocks of 2,500 training, 500 test and 500
// validation images, a block per class: MedNIST's files are sorted by class, MNIST's
// are not, so there the classes are not balanced. Our copy of MedNIST has 500 images of
// each class, cut in the same proportions. An epoch is then 17 steps, not 118, so there
// are 10 of them and not 5. As many steps as the paper's would be 35 epochs (-epochs 35).

import "fmt"

// settings is what results depend on. A folder of results is of one of them.
type settings struct {
	Data                     string
	Blocks                   int
	Train, Test, Valid       int  // images of a block, in this order
	Raw                      bool // pixels are 0 to 255, else divided by 255
	Epsilon                  int  // radius, of 255
	Epochs, Batch            int
	Rate, Momentum, L2       float64
	Dropout, JacobianPenalty float64
	Seeds, PerClass          int
	Chain, Logits            bool
}

// settingsOf is the study's settings on a data set.
func settingsOf(data string, quick bool) (settings, error) {
	s := settings{
		Data: data, Epsilon: 3, Epochs: 5, Batch: 128, Rate: 0.01, Momentum: 0.9, L2: 1e-4, Dropout: 0.5, JacobianPenalty: 0.01, Seeds: 5,
	}
	switch data {
	case "mnist":
		s.Blocks, s.Train, s.Test, s.Valid, s.PerClass = 10, 2500, 500, 500, 30
	case "mednist":
		s.Blocks, s.Train, s.Test, s.Valid, s.PerClass = 6, 357, 71, 72, 50
		s.Raw, s.Epochs = true, 10
	case "digits":
		s.Blocks, s.Train, s.Test, s.Valid, s.PerClass = 1, 4000, 500, 500, 10
	default:
		return s, fmt.Errorf("no data set %q; there are mnist, mednist and digits", data)
	}
	if quick {
		s.Seeds = 1
		switch data {
		case "mnist":
			s.Train, s.Valid, s.PerClass = 1250, 100, 10
		case "mednist":
			s.Epochs, s.PerClass = 5, 5
		case "digits":
			s.Train, s.Test, s.Valid, s.PerClass, s.Epochs = 1000, 200, 100, 2, 5
		}
	}
	return s, nil
}

// The factors, in the order of the paper's tables.
var (
	regularizers = []string{"dropout", "jacobian", "l2"}
	initializers = []string{"glorot", "he", "narrow-normal"}
)

// cell is one network of the study.
type cell struct {
	Regularizer, Initializer string
	Seed                     int
}

// String is the name of the network's files.
func (c cell) String() string { return fmt.Sprintf("%s-%s-%d", c.Regularizer, c.Initializer, c.Seed) }

// cells lists the networks in the order of the paper's tables.
func (s *settings) cells() []cell {
	var all []cell
	for _, r := range regularizers {
		for _, i := range initializers {
			for seed := range s.Seeds {
				all = append(all, cell{r, i, seed})
			}
		}
	}
	return all
}
