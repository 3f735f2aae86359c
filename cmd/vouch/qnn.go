package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vouchnn/vouch/qnn"
	"github.com/vouchnn/vouch/qnn/keras"
	"github.com/vouchnn/vouch/qnn/qdq"
	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/train/dataset"
)

const qnnHelp = `Verify quantized neural networks under their exact integer semantics.

Networks are read from .json files of integers (plain or with .gz after the name),
from .onnx files in QDQ form, and from the .h5 files of Keras.
Data sets are found through VOUCH_DATA or -dir.`

// newQNN is the command that holds the qnn commands.
func newQNN(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "qnn", Short: "Verify quantized networks", Long: qnnHelp,
		Example: "vouch qnn verify -net mnist_1blk_64_in_8_qu_6.json.gz -data mnist -index 0-99 -radius 1",
		RunE: func(*cobra.Command, []string) error {
			return usagef("no command given; the commands are verify, mrr, info and export")
		},
	}
	cmd.AddCommand(newQNNVerify(a), newQNNRadius(a), newQNNInfo(a), newQNNExport(a))
	return cmd
}

// loadQuantized reads a quantized network by its file's extension; bits are Q of
// a Keras file.
func loadQuantized(path string, bits int) (n *qnn.Network, err error) {
	path = resolve(path)
	switch ext := extension(path); ext {
	case ".json":
		n, err = qnn.ReadFile(path)
	case ".onnx":
		n, _, err = qdq.ReadFile(path)
	case ".h5", ".hdf5":
		n, err = keras.ReadFile(path, &keras.Options{Bits: bits})
	default:
		err = fmt.Errorf("%s: a quantized network's name ends in .json, .onnx (in QDQ form) or .h5", path)
	}
	if err != nil {
		return nil, err
	}
	if n.Name == "" {
		base := filepath.Base(path)
		n.Name, _, _ = strings.Cut(base, ".")
	}
	return n, nil
}

// qnnInput is the flags that name a network and images.
type qnnInput struct {
	net, data, split, dir, index string
	bits                         int
}

func (f *qnnInput) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.net, "net", "", "quantized network `file`: .json, .onnx in QDQ form, or Keras .h5")
	fs.IntVar(&f.bits, "bits", 6, "of a .h5 file: bits of weights, biases and outputs")
	fs.StringVar(&f.data, "data", "", "data set: mnist, fashion-mnist, ... (default: the one named in the network's file)")
	fs.StringVar(&f.split, "split", "test", "part of the data set: train or test")
	fs.StringVar(&f.dir, "dir", "", "`folder` of the data sets (default: VOUCH_DATA)")
	fs.StringVar(&f.index, "index", "", "images, as 0-99,200 (default all)")
}

// load reads the network and the images.
func (f *qnnInput) load() (*qnn.Network, *dataset.Set, []int, error) {
	net, err := loadQuantized(f.net, f.bits)
	if err != nil {
		return nil, nil, nil, err
	}
	split, err := dataset.ParseSplit(f.split)
	if err != nil {
		return nil, nil, nil, usagef("%v", err)
	}
	name := f.data
	if name == "" {
		name = net.Dataset
	}
	if name == "" {
		return nil, nil, nil, usagef("%s does not name its data set: give -data", f.net)
	}
	set, err := dataset.Open(name, split, f.dir)
	if err != nil {
		return nil, nil, nil, err
	}
	if set.Size() != net.Inputs() {
		return nil, nil, nil, fmt.Errorf("%s: images of %d values for a network with %d inputs", name, set.Size(), net.Inputs())
	}
	indices, err := parseIndices(f.index, set.Len())
	return net, set, indices, err
}

// qnnMethod is the flags that say how a query is decided.
type qnnMethod struct {
	norm, method, encoding, solver *choiceFlag
	plain                          bool
}

func (f *qnnMethod) register(fs *pflag.FlagSet) {
	f.norm = &choiceFlag{value: "inf", choices: []string{"inf", "1", "2", "0"}}
	f.method = &choiceFlag{value: "auto", choices: []string{"auto", "ilp"}}
	f.encoding = &choiceFlag{value: "compact", choices: []string{"compact", "levels"}}
	f.solver = &choiceFlag{value: "simplex", choices: solverNames()}
	fs.Var(f.norm, "norm", "distance: inf, 1, 2, or 0, the number of changed inputs")
	fs.Var(f.method, "method", "auto: this library's verifier; ilp: an integer program for each class")
	fs.Var(f.encoding, "encoding", "with -method ilp: how neurons become linear constraints")
	fs.BoolVar(&f.plain, "no-intervals", false, "with -method ilp: keep every level of every neuron")
	fs.Var(f.solver, "solver", "with -method ilp: what solves the programs")
}

// solvers are the solvers that this program was built with; files with build
// tags add to them.
var solvers = map[string]func() solver.Solver{
	"simplex": func() solver.Solver { return simplex.Solver{} },
}

func solverNames() []string {
	names := []string{"simplex"}
	for _, name := range []string{"highs", "lpsolve"} {
		if _, ok := solvers[name]; ok {
			names = append(names, name)
		}
	}
	return names
}

// metric is the norm of -norm.
func (f *qnnMethod) metric() spec.Norm {
	return map[string]spec.Norm{"inf": spec.LInf, "1": spec.L1, "2": spec.L2, "0": spec.L0}[f.norm.value]
}

func (f *qnnMethod) encode() qnn.EncodeOptions {
	o := qnn.EncodeOptions{NoIntervals: f.plain}
	if f.encoding.value == "levels" {
		o.Encoding = qnn.Levels
	}
	return o
}

// decider is what answers the queries.
func (f *qnnMethod) decider() qnn.Decider {
	if f.method.value == "ilp" {
		o := qnn.ILPOptions{Solver: solvers[f.solver.value](), Encode: f.encode()}
		return func(ctx context.Context, net *qnn.Network, prop spec.Property) (*spec.Result, error) {
			return qnn.VerifyILP(ctx, net, prop, o)
		}
	}
	return func(ctx context.Context, net *qnn.Network, prop spec.Property) (*spec.Result, error) {
		return qnn.Verify(ctx, net, prop, qnn.Options{})
	}
}

// secondsOf writes a duration as the tables have it.
func secondsOf(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }
