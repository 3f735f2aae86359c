package train

// Where samples come from.

// Data is labelled samples. dataset.Set is one. Implementations must be safe
// for concurrent use.
type Data interface {
	// Len is the number of samples.
	Len() int
	// Size is the number of inputs of a sample.
	Size() int
	// Read writes sample i to x, [Size], and returns its label.
	Read(i int, x []float32) int
}

// Samples is data in memory.
type Samples struct {
	X      []float32 // [len(Labels) × inputs]
	Labels []int
}

// Len implements Data.
func (s *Samples) Len() int { return len(s.Labels) }

// Size implements Data.
func (s *Samples) Size() int { return len(s.X) / max(len(s.Labels), 1) }

// Read implements Data.
func (s *Samples) Read(i int, x []float32) int {
	n := s.Size()
	copy(x, s.X[i*n:(i+1)*n])
	return s.Labels[i]
}

// Select is the listed samples of data, in that order.
func Select(data Data, indices []int) Data { return &selection{data, indices} }

type selection struct {
	Data
	indices []int
}

func (s *selection) Len() int { return len(s.indices) }

func (s *selection) Read(i int, x []float32) int { return s.Data.Read(s.indices[i], x) }

// checkData reports data that does not fit the network.
func (m *model) checkData(field string, data Data) error {
	switch {
	case data == nil || data.Len() == 0:
		return valuef(field, "has no samples")
	case data.Size() != m.inputs:
		return valuef(field, "has samples of %d numbers, the network takes %d", data.Size(), m.inputs)
	}
	return nil
}

// read writes sample i and checks its label.
func (m *model) read(data Data, i int, x []float32) (int, error) {
	label := data.Read(i, x)
	if label < 0 || label >= m.outputs {
		return 0, &LabelError{Index: i, Label: label, Classes: m.outputs}
	}
	return label, nil
}
