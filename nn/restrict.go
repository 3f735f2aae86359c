package nn

// Restrict is the layer with only some of its outputs and inputs, which are
// listed by index along the last axis; nil keeps all. It computes what d
// computes wherever the left-out inputs are zero.
// Precondition: the indices are in range and the lists not empty.
func (d *Dense) Restrict(outputs, inputs []int) *Dense {
	out, in := d.dims()
	if outputs == nil && inputs == nil {
		return d
	}
	outputs, inputs = listed(outputs, out), listed(inputs, in)
	w := make([]float64, 0, len(outputs)*len(inputs))
	for _, o := range outputs {
		row := d.weight.Values()[o*in : (o+1)*in]
		for _, i := range inputs {
			w = append(w, row[i])
		}
	}
	r := &Dense{weight: NewParam(d.weight.Name, Shape{len(outputs), len(inputs)}, w), folded: d.folded}
	if d.bias != nil {
		r.bias = NewParam(d.bias.Name, Shape{len(outputs)}, picked(d.bias.Values(), outputs))
		if d.bias.magnitude != nil {
			r.bias.magnitude = picked(d.bias.magnitude, outputs)
		}
	}
	return r
}

func listed(list []int, n int) []int {
	if list != nil {
		return list
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func picked(x []float64, list []int) []float64 {
	out := make([]float64, len(list))
	for k, i := range list {
		out[k] = x[i]
	}
	return out
}
