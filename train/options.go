package train

// What a trainer is asked for and what it tells.

import (
	"context"
	"io"
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/nn"
)

// Trainer fits a network's parameters to data. Engine is ours; package
// train/gorgonia has another to compare with.
type Trainer interface {
	// Fit changes the parameters of net. When it returns an error, the network
	// holds the parameters of the last step that was complete.
	Fit(ctx context.Context, net nn.Network, data Data, opts Options) (*History, error)
}

// Options of Fit. Loss and Epochs are needed.
type Options struct {
	Loss   Loss
	Epochs int
	// Batch is the number of samples of a step. Default 0: 128. The last
	// batch of an epoch has what is left.
	Batch int
	// Optimizer makes the steps. Default nil: Adam{}.
	Optimizer Optimizer
	// Rate is the optimiser's. Default nil: Constant(1e-3).
	Rate Schedule
	// Seed of the order of samples, of dropout, augmentation and attacks.
	Seed uint64
	// ClipNorm scales a gradient that is longer down to this. Default 0: no limit.
	ClipNorm float64
	// Dropout is rates by name of the node whose values are dropped.
	Dropout map[string]float64
	// FreezeStatistics normalises by the network's own statistics while
	// training, and leaves them as they are.
	FreezeStatistics bool
	// Quantization rounds numbers in training. Afterwards the network holds
	// the rounded parameters.
	Quantization *Quantization
	// Augment changes a sample in place before it is used. Default nil: none.
	Augment Augment

	// Validation is measured after each epoch. Default nil: nothing is.
	Validation Data
	// Measure is what is measured: greater is better. Default nil: accuracy.
	Measure func(ctx context.Context, net nn.Network, data Data) (float64, error)
	// Patience ends training after so many epochs without a better
	// measurement. Default 0: never.
	Patience int
	// KeepBest ends with the parameters of the epoch that measured best.
	KeepBest bool

	// Checkpoint is a directory to write to, and to resume from if there is a
	// checkpoint of this run. Default "": none.
	Checkpoint string
	// Every is the number of steps between checkpoints. Default 0: an epoch.
	Every int
	// Fingerprint tells what the options cannot: which loss, which data. A
	// checkpoint with another is refused.
	Fingerprint string

	// Progress is called after each step from Fit's goroutine. An error ends
	// training with it. Default nil: none.
	Progress func(Event) error

	create func(string) (io.WriteCloser, error) // for tests of full disks
}

// Augment changes a sample of the given shape in place.
type Augment interface {
	Apply(x []float32, shape []int, rng *rand.Rand)
}

// Event is a glance at a running training.
type Event struct {
	Epoch, Epochs int // from 1
	Step, Steps   int // of all epochs, from 1
	Loss          float64
	Terms         map[string]float64 // of this step, by Term.Name; valid during the call
	Rate          float64
	// EpochEnd says that the epoch is complete; Record is then its summary.
	EpochEnd bool
	Record   EpochRecord
}

// EpochRecord is the summary of an epoch.
type EpochRecord struct {
	Loss     float64            `json:"loss"` // mean over its steps
	Terms    map[string]float64 `json:"terms,omitempty"`
	Measured float64            `json:"measured"` // 0 without Validation
	Seconds  float64            `json:"seconds"`  // wall time, of this process's part
}

// History is what a run has done, earlier parts of it included.
type History struct {
	Epochs  []EpochRecord `json:"epochs"`
	Best    int           `json:"best"`    // epoch that measured best, from 1; 0 without Validation
	Stopped bool          `json:"stopped"` // by Patience
	Resumed int           `json:"-"`       // steps that an earlier process has done
}

// Validate names the first option that is out of range, without looking at the
// loss's network.
func (o *Options) Validate() error {
	switch {
	case o.Loss == nil:
		return valuef("Options.Loss", "is missing")
	case o.Epochs < 1 || o.Epochs > 1<<20:
		return valuef("Options.Epochs", "is %d, want 1 to 2^20", o.Epochs)
	case o.Batch < 0 || o.Batch > 1<<16:
		return valuef("Options.Batch", "is %d, want 0 to 65536", o.Batch)
	case !(o.ClipNorm >= 0):
		return valuef("Options.ClipNorm", "is %v, want at least 0", o.ClipNorm)
	case o.Patience < 0:
		return valuef("Options.Patience", "is %d, want at least 0", o.Patience)
	case o.Every < 0:
		return valuef("Options.Every", "is %d, want at least 0", o.Every)
	case (o.KeepBest || o.Patience > 0) && o.Validation == nil:
		return valuef("Options.Validation", "is missing, which KeepBest and Patience need")
	}
	if o.Optimizer != nil {
		if err := o.Optimizer.Validate(); err != nil {
			return err
		}
	}
	return o.Rate.within("Options.Rate", 0, math.MaxFloat32)
}
