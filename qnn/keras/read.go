package keras

import (
	"fmt"
	"math"
	"path"
	"strings"

	"github.com/scigolib/hdf5"

	"github.com/vouchnn/vouch/qnn"
)

// Options are the configurations of the network. The zero value is that of the
// QVIP benchmark with 6 bits.
type Options struct {
	// Bits is Q of weights, biases and outputs. Default 0: 6.
	Bits int
	// Input is the inputs' configuration. Default zero: <+,8,8>.
	Input qnn.Config
	// Tie is the rule for halves. Default: half up.
	Tie qnn.Tie
}

// FileError reports a file that holds no such network.
type FileError struct {
	Path   string
	Object string // group or dataset, empty for the file
	Detail string
	Err    error // cause, or nil
}

// Error names the file, the object and what is wrong.
func (e *FileError) Error() string {
	s := "keras: " + e.Path
	if e.Object != "" {
		s += ": " + e.Object
	}
	s += ": " + e.Detail
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap is the cause.
func (e *FileError) Unwrap() error { return e.Err }

// ReadFile reads the dense layers of a .h5 file of Keras weights, and rounds them
// to weights <+-,Q,Q-1>, biases <+-,Q,Q-2> and outputs <+,Q,Q-2>, signed in the last
// layer (Henzinger et al. 2021; Zhang et al. 2022, section 5). Options may be nil.
//
// Errors: *FileError, also for a file that is cut short or claims more than it holds;
// *fs.PathError; those of qnn.NewFixedPoint.
func ReadFile(file string, options *Options) (*qnn.Network, error) {
	var opts Options
	if options != nil {
		opts = *options
	}
	if opts.Bits == 0 {
		opts.Bits = 6
	}
	if opts.Bits < 3 || opts.Bits > qnn.MaxBits {
		return nil, &FileError{Path: file, Detail: fmt.Sprintf("%d bits, want 3 to %d", opts.Bits, qnn.MaxBits)}
	}
	if opts.Input == (qnn.Config{}) {
		opts.Input = qnn.Config{Bits: 8, Fraction: 8}
	}
	dense, err := readDense(file)
	if err != nil {
		return nil, err
	}
	in := 0
	layers := make([]qnn.FixedPoint, len(dense))
	for k, d := range dense {
		inputs := len(d.kernel) / len(d.bias)
		if k == 0 {
			in = inputs
		} else if inputs != len(dense[k-1].bias) {
			return nil, &FileError{Path: file, Object: d.name, Detail: fmt.Sprintf("%d inputs after a layer of %d neurons", inputs, len(dense[k-1].bias))}
		}
		layers[k] = d.round(opts, k == len(dense)-1)
	}
	return qnn.NewFixedPoint(opts.Input, in, layers, opts.Tie)
}

// denseLayer is a layer's latent weights, the kernel inputs×neurons.
type denseLayer struct {
	name         string
	kernel, bias []float64
}

// readDense reads the layers in the file's own order.
func readDense(file string) (layers []denseLayer, err error) {
	g, err := newGuard(file)
	if err != nil {
		return nil, err
	}
	if err := g.structure(); err != nil {
		return nil, err
	}
	defer func() { // what the guard lets through may still be malformed
		if r := recover(); r != nil {
			layers, err = nil, &FileError{Path: file, Detail: fmt.Sprintf("malformed HDF5: %v", r)}
		}
	}()
	f, err := hdf5.Open(file)
	if err != nil {
		return nil, &FileError{Path: file, Detail: "not an HDF5 file, or cut short", Err: err}
	}
	defer func() { _ = f.Close() }() // only read
	names, err := g.strings("", f.Root(), "layer_names", "no list of layers; a file that is cut short looks like this too")
	if err != nil {
		return nil, err
	}
	datasets := map[string]*hdf5.Dataset{}
	groups := map[string]*hdf5.Group{}
	f.Walk(func(p string, o hdf5.Object) {
		switch o := o.(type) {
		case *hdf5.Dataset:
			datasets[strings.Trim(p, "/")] = o
		case *hdf5.Group:
			groups[strings.Trim(p, "/")] = o
		}
	})
	for _, name := range names {
		group := groups[name]
		if group == nil {
			return nil, &FileError{Path: file, Object: name, Detail: "the layer is listed twice, or not there"}
		}
		delete(groups, name)
		weights, err := g.strings(name, group, "weight_names", "no list of weights")
		if err != nil {
			return nil, err
		}
		if len(weights) == 0 {
			continue
		}
		d, err := g.readLayer(name, weights, datasets)
		if err != nil {
			return nil, err
		}
		layers = append(layers, d)
	}
	if len(layers) == 0 {
		return nil, &FileError{Path: file, Detail: "no layer has weights"}
	}
	return layers, nil
}

// strings reads an attribute that is a list of strings; an empty list may be
// stored as numbers. The detail says what is missing without it.
func (g *guard) strings(object string, group *hdf5.Group, name, detail string) ([]string, error) {
	missing := func(err error) error {
		return &FileError{Path: g.path, Object: object, Detail: detail, Err: err}
	}
	attributes, err := group.Attributes()
	if err != nil {
		return nil, missing(err)
	}
	for _, a := range attributes {
		if a.Name != name {
			continue
		}
		err := g.value(object, name, a.Dataspace.Dimensions, uint8(a.Datatype.Class), a.Datatype.Size, a.Data)
		if err != nil {
			return nil, err
		}
		v, err := a.ReadValue()
		if err != nil {
			return nil, missing(err)
		}
		switch v := v.(type) {
		case []string:
			return v, nil
		case string:
			return []string{v}, nil
		case []float64:
			if len(v) == 0 {
				return nil, nil
			}
		}
		if fmt.Sprint(v) == "[]" {
			return nil, nil
		}
		return nil, missing(fmt.Errorf("attribute %s is a %T", name, v))
	}
	return nil, missing(fmt.Errorf("no attribute %s", name))
}

func (g *guard) readLayer(name string, weights []string, datasets map[string]*hdf5.Dataset) (denseLayer, error) {
	d, file := denseLayer{name: name}, g.path
	for _, w := range weights {
		at := path.Join(name, w)
		set := datasets[at]
		if set == nil {
			return d, &FileError{Path: file, Object: name + "/" + w, Detail: "the weights are listed twice, or not there"}
		}
		delete(datasets, at)
		if err := g.dataset(name+"/"+w, set.Address()); err != nil {
			return d, err
		}
		values, err := set.Read()
		if err != nil {
			return d, &FileError{Path: file, Object: name + "/" + w, Detail: "unreadable", Err: err}
		}
		for i, v := range values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return d, &FileError{Path: file, Object: name + "/" + w, Detail: fmt.Sprintf("value %d is %v", i, v)}
			}
		}
		switch base := path.Base(w); {
		case strings.HasPrefix(base, "kernel"):
			d.kernel = values
		case strings.HasPrefix(base, "bias"):
			d.bias = values
		default:
			return d, &FileError{Path: file, Object: name + "/" + w, Detail: "neither kernel nor bias: only dense layers are read"}
		}
	}
	if len(d.bias) == 0 || len(d.kernel) == 0 || len(d.kernel)%len(d.bias) != 0 {
		return d, &FileError{Path: file, Object: name, Detail: fmt.Sprintf("a kernel of %d numbers and a bias of %d", len(d.kernel), len(d.bias))}
	}
	return d, nil
}

// round is the layer in integers, its kernel transposed.
func (d *denseLayer) round(o Options, last bool) qnn.FixedPoint {
	q := o.Bits
	f := qnn.FixedPoint{
		Weight:     qnn.Config{Signed: true, Bits: q, Fraction: q - 1},
		BiasConfig: qnn.Config{Signed: true, Bits: q, Fraction: q - 2},
		Output:     qnn.Config{Signed: last, Bits: q, Fraction: q - 2},
	}
	out := len(d.bias)
	in := len(d.kernel) / out
	f.Weights = make([]int32, in*out)
	for i := range in {
		for j := range out {
			f.Weights[j*in+i] = int32(f.Weight.Quantize(d.kernel[i*out+j], o.Tie))
		}
	}
	for _, b := range d.bias {
		f.Bias = append(f.Bias, int32(f.BiasConfig.Quantize(b, o.Tie)))
	}
	return f
}
