package train

import "fmt"

// ValueError reports a setting or a number of the data out of its range.
type ValueError struct {
	Field  string // the option, loss or data element, as in Go: "NBC.Beta"
	Detail string // value and range
}

// Error names the field, the value and the range.
func (e *ValueError) Error() string { return "train: " + e.Field + " " + e.Detail }

func valuef(field, format string, args ...any) error {
	return &ValueError{Field: field, Detail: fmt.Sprintf(format, args...)}
}

// LabelError reports a label that has no output of the network.
type LabelError struct {
	Index   int // sample
	Label   int
	Classes int // outputs of the network
}

// Error names the sample and its label.
func (e *LabelError) Error() string {
	return fmt.Sprintf("train: sample %d has the label %d, the network has outputs 0 to %d", e.Index, e.Label, e.Classes-1)
}

// DivergedError reports that training met a NaN or an infinity. The network
// holds the weights from before the step, and checkpoints are untouched.
type DivergedError struct {
	Epoch, Step int    // from 1 and, over all epochs, from 1
	What        string // "loss", or "gradient"
	Value       float64
}

// Error names the step and the value.
func (e *DivergedError) Error() string {
	return fmt.Sprintf("train: epoch %d, step %d: the %s is %v; a smaller rate, or a slower ramp of ε, may help", e.Epoch, e.Step, e.What, e.Value)
}
