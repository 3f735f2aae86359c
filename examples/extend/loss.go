package main

// A loss of one's own: the hinge, which asks for a margin between the right output and
// the best of the others, and for no more than that.
//
// A train.Loss sees a step: the batch, and passes of the network at it or at other
// points, such as attacks. It adds to their gradients; the trainer does the rest.
// Losses are summed with weights by train.Sum.

import (
	"context"
	"fmt"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/train"
)

// hinge is max(0, margin − (y_label − max of the others)), the mean over the batch.
type hinge struct{ margin float32 }

var _ train.Loss = hinge{}

// Validate implements train.Loss.
func (h hinge) Validate(net nn.Network) error {
	if !(h.margin > 0) {
		return fmt.Errorf("hinge: margin %g is not positive", h.margin)
	}
	if nn.OutputShape(net).Size() < 2 {
		return fmt.Errorf("hinge: the network has one output")
	}
	return nil
}

// Add implements train.Loss.
func (h hinge) Add(_ context.Context, s *train.Step, weight float64) (float64, error) {
	pass := s.Clean()
	y, grad := pass.Output(), pass.GradOutput()
	k, sum := len(y)/s.Size, 0.0
	share := float32(weight / float64(s.Size))
	for i, label := range s.Labels {
		row := y[i*k : (i+1)*k]
		rival := -1
		for j, v := range row {
			if j != label && (rival < 0 || v > row[rival]) {
				rival = j
			}
		}
		if lack := h.margin - (row[label] - row[rival]); lack > 0 {
			sum += float64(lack)
			grad[i*k+label] -= share
			grad[i*k+rival] += share
		}
	}
	return sum / float64(s.Size), nil
}
