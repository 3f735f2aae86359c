package train

// Losses add up: TRADES+NBC is a value, not a class.

import (
	"context"

	"github.com/vouchnn/vouch/nn"
)

// Term is a loss with its weight.
type Term struct {
	Loss   Loss
	Weight Schedule // default 1
	Name   string   // under which the term's value is reported; default none
}

// Sum is the weighted sum of its terms. A term whose weight is 0 is not
// evaluated.
type Sum []Term

// Validate implements Loss.
func (l Sum) Validate(net nn.Network) error {
	if len(l) == 0 {
		return valuef("Sum", "has no terms")
	}
	for _, t := range l {
		if t.Loss == nil {
			return valuef("Sum", "has a term without a loss")
		}
		if err := t.Loss.Validate(net); err != nil {
			return err
		}
	}
	return nil
}

// Add implements Loss.
func (l Sum) Add(ctx context.Context, s *Step, weight float64) (float64, error) {
	total := 0.0
	for _, t := range l {
		w := t.Weight.at(s.Progress, 1)
		if w == 0 {
			continue
		}
		v, err := t.Loss.Add(ctx, s, weight*w)
		if err != nil {
			return 0, err
		}
		if t.Name != "" {
			s.Report(t.Name, v)
		}
		total += w * v
	}
	return total, nil
}
