package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/train"
	"github.com/vouchnn/vouch/train/dataset"
)

const trainHelp = `Train a classifier so that properties of it are easy to prove.

-loss is a method, and terms added to it: ce (cross-entropy), madry, trades, rs
(ReLU-stable), ibp, nbc (neuron behaviour consistency), and for example trades+nbc,
madry+nbc or ce+jacobian. The radius rises from 0 to -eps over the first part of the
training (-ramp). -arch is a network of the NBC paper: M1 cnn_4_layer, M2
relu_stable, M3 conv_big on 28x28 pictures; C1 marabou_medium, C2 marabou_large, C3
conv_big on 32x32 ones in colour. -from goes on training a network instead.

With -resume DIR a checkpoint is kept in DIR, after each epoch and at Ctrl-C; the
same command goes on from it and ends with the same weights as if it had not been
stopped. The same seed gives the same network on any number of processors.

-integers Q rounds weights and values in training as QVIP's networks of Q bits do;
the network written then has rounded weights, but its values are not rounded, and
nor are they for the test accuracy that is printed.

-data is mnist, fashion-mnist, cifar-10, mednist or digits. -init is he, he-uniform,
glorot, glorot-normal, narrow-normal or torch.

A line per epoch goes to standard output. The network is written to -out at the end.`

// trainCommand is the flags of vouch train.
type trainCommand struct {
	*app
	from, dir, mirror, loss, out, resume   string
	arch, data, init, optimizer            choiceFlag
	epochs, batch, subset, valid, patience int
	integers                               int
	rate                                   float64
	seed                                   uint64
	augment, download, json                bool
	losses                                 train.LossOptions
	ranks                                  choiceFlag
	profiles                               profiles
}

func newTrain(a *app) *cobra.Command {
	c := &trainCommand{app: a}
	cmd := &cobra.Command{
		Use: "train -data NAME -loss LOSS -out FILE [flags]", Args: noArguments,
		Short: "Train a network that is easy to verify", Long: trainHelp,
		Example: "vouch train -arch M1 -data mnist -loss nbc -eps 0.3 -epochs 20 -resume run1 -out m1-nbc.onnx",
		RunE: a.action(func(ctx context.Context) error {
			return c.profiles.around(func() error { return c.run(ctx) })
		}),
	}
	c.data = dataFlag()
	c.arch = choiceFlag{value: "M1"}
	for _, a := range train.Architectures() {
		c.arch.choices = append(c.arch.choices, a.ID)
	}
	c.init = choiceFlag{value: "he"}
	for _, i := range train.Initializers() {
		c.init.choices = append(c.init.choices, i.Name)
	}
	c.optimizer = choiceFlag{value: "adam", choices: []string{"adam", "adamw", "sgd"}}
	c.ranks = choiceFlag{value: "dense", choices: []string{"dense", "ordinal"}}
	fs := cmd.Flags()
	fs.Var(&c.arch, "arch", "architecture by its `id`: "+strings.Join(c.arch.choices, ", "))
	fs.StringVar(&c.from, "from", "", "train this network `file` further instead of a new one")
	fs.Var(&c.data, "data", "data set, by `name`; digits are drawn, without files")
	fs.StringVar(&c.dir, "dir", "", "`folder` of the data sets (default datasets in VOUCH_DATA)")
	fs.BoolVar(&c.download, "download", false, "download the data set to -dir first if it is not there")
	fs.StringVar(&c.mirror, "mirror", "", "with -download: the `URL` of a folder with the same files, instead of their home")
	fs.StringVar(&c.loss, "loss", "ce", "loss: ce, madry, trades, rs, ibp, nbc, or a sum such as trades+nbc")
	fs.Float64Var(&c.losses.Epsilon, "eps", 0, "radius to train for, in units of the input (0 to 1)")
	fs.IntVar(&c.epochs, "epochs", 20, "passes over the data")
	fs.Uint64Var(&c.seed, "seed", 1, "seed of weights, order and attacks")
	fs.Float64Var(&c.losses.Beta, "beta", 1, "weight of NBC")
	fs.IntVar(&c.subset, "subset", 0, "train on the first so many images only (0: all)")
	fs.StringVar(&c.resume, "resume", "", "keep a checkpoint in this `folder`, and go on from it")
	fs.StringVar(&c.out, "out", "", "network `file` to write, .onnx")
	fs.IntVar(&c.batch, "batch", 128, "images of a step")
	fs.Var(&c.optimizer, "optimizer", "`name` of the rule for steps: adam, adamw or sgd (momentum 0.9); decay 1e-4")
	fs.Float64Var(&c.rate, "rate", 1e-3, "learning rate; it falls to a tenth along a cosine")
	fs.Var(&c.init, "init", "`distribution` of the first weights, such as he, glorot or torch")
	fs.Float64Var(&c.losses.Ramp, "ramp", 0.4, "share of the training in which the radius rises; negative: none")
	fs.IntVar(&c.losses.Steps, "steps", 10, "gradient steps of an attack")
	fs.Float64Var(&c.losses.StepSize, "step-size", 0, "length of such a step (0: 2.5·eps/steps)")
	fs.Float64Var(&c.losses.Trades, "trades-beta", 1, "weight of TRADES' divergence")
	fs.Float64Var(&c.losses.W1, "w1", 2e-5, "weight of ReLU-stable's L1")
	fs.Float64Var(&c.losses.W2, "w2", 1e-4, "weight of ReLU-stable's RS")
	fs.BoolVar(&c.losses.Full, "rs-full", false, "sum RS over positions, as the formula has it; default: mean, as the code")
	fs.BoolVar(&c.losses.Composed, "rs-composed", false, "RS from composed interval bounds, where layers are dense; slow")
	fs.Var(&c.ranks, "ranks", "`kind` of ranks in NBC: layers of equal size share one, or (ordinal) not")
	fs.BoolVar(&c.losses.Raw, "raw-steps", false, "NBC: steps along the gradient itself, with -step-size")
	fs.BoolVar(&c.losses.Shared, "shared-point", false, "NBC: take the point of the method that it is added to")
	fs.Float64Var(&c.losses.Penalty, "lambda", 0, "weight of l1, l2 or jacobian (0: 1e-4, 1e-4, 0.01)")
	fs.BoolVar(&c.augment, "augment", false, "shift images by up to 4 pixels, and mirror those in colour")
	fs.IntVar(&c.valid, "valid", 0, "hold out the last so many images, and keep the best epoch on them")
	fs.IntVar(&c.patience, "patience", 0, "stop after so many epochs that are not better, with -valid (0: never)")
	fs.IntVar(&c.integers, "integers", 0, "train for integers of so many bits, in QVIP's formats (0: not)")
	fs.BoolVar(&c.json, "json", false, "print one JSON object at the end instead of lines")
	c.profiles.register(fs)
	demand(cmd, "out")
	return cmd
}

// dataFlag takes the name of a data set.
func dataFlag() choiceFlag {
	return choiceFlag{value: "mnist", choices: append(dataset.Names(), "digits")}
}

// trained is the answer as JSON.
type trained struct {
	Net      string              `json:"net"`
	Data     string              `json:"data"`
	Loss     string              `json:"loss"`
	Settings string              `json:"settings"`
	Samples  int                 `json:"samples"`
	Accuracy number              `json:"test_accuracy"`
	Seconds  float64             `json:"seconds"`
	Best     int                 `json:"best_epoch,omitempty"`
	Epochs   []train.EpochRecord `json:"epochs"`
}

func (c *trainCommand) run(ctx context.Context) error {
	if extension(c.out) != ".onnx" || strings.HasSuffix(c.out, ".gz") {
		return usagef("-out %s: a network is written as .onnx", c.out)
	}
	opts, err := c.options()
	if err != nil {
		return err
	}
	// Better now than after hours.
	if info, err := os.Stat(filepath.Dir(c.out)); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("-out %s: %s is no folder", c.out, filepath.Dir(c.out))
	}
	net, err := c.network()
	if err != nil {
		return err
	}
	if c.integers != 0 {
		opts.Quantization = train.QVIP(c.integers, layersOf(net))
	}
	set, test, err := openSets(ctx, c.data.value, c.dir, c.fetching())
	if err != nil {
		return err
	}
	data, err := c.split(set, &opts)
	if err != nil {
		return err
	}
	if opts.Augment != nil {
		opts.Augment = dataset.CropFlip{Pad: 4, Flip: set.Shape[0] == 3}
	}
	show := newEpochs(c.app, c.json)
	opts.Progress = show.event
	history, err := contained(func() (*train.History, error) { return train.Engine{}.Fit(ctx, net, data, opts) })
	show.end()
	if err != nil {
		switch {
		case ctx.Err() != nil && c.resume != "":
			err = fmt.Errorf("interrupted; the same command goes on from %s", c.resume)
		case ctx.Err() != nil:
			err = fmt.Errorf("interrupted; %s was not written, and only -resume FOLDER keeps what was trained", c.out)
		}
		return err
	}
	if err := onnx.WriteFile(c.out, net, nil); err != nil {
		return err
	}
	accuracy, err := train.Accuracy(ctx, net, test)
	if err != nil {
		return err
	}
	if !c.json {
		return c.write(fmt.Appendf(nil, "test accuracy %.2f %%; wrote %s\n", 100*accuracy, c.out))
	}
	return c.writeJSON(trained{
		Net: c.out, Data: c.data.value, Loss: c.loss, Settings: c.losses.String(), Samples: data.Len(),
		Accuracy: number(accuracy), Seconds: time.Since(c.start).Seconds(), Best: history.Best, Epochs: history.Epochs,
	})
}

// options are the flags as train wants them. Values out of range are wrong usage.
func (c *trainCommand) options() (train.Options, error) {
	c.losses.Ordinal = c.ranks.value == "ordinal"
	if c.losses.Beta == 0 {
		c.losses.Beta = -1 // 0, not the default
	}
	loss, err := train.ParseLoss(c.loss, c.losses)
	if err != nil {
		return train.Options{}, usagef("%v", err)
	}
	if c.losses.Epsilon == 0 && needsRadius(c.loss) {
		return train.Options{}, usagef("-loss %s needs a radius, -eps", c.loss)
	}
	o := train.Options{
		Loss: loss, Epochs: c.epochs, Batch: c.batch, Rate: train.Cosine(c.rate, c.rate/10), Seed: c.seed,
		Patience: c.patience, Checkpoint: c.resume,
		Fingerprint: fmt.Sprintf("%s %s %s subset %d valid %d loss %s %v rate %g init %s augment %v", c.arch.value, c.from, c.data.value, c.subset, c.valid, c.loss, c.losses, c.rate, c.init.value, c.augment),
	}
	switch c.optimizer.value {
	case "adamw":
		o.Optimizer = train.Adam{Decay: 1e-4}
	case "sgd":
		o.Optimizer = train.SGD{Momentum: 0.9, Decay: 1e-4}
	}
	if c.augment {
		o.Augment = dataset.CropFlip{}
	}
	check := o
	if c.valid > 0 {
		check.Validation = &train.Samples{}
	}
	if err := check.Validate(); err != nil {
		return o, usagef("%v", err)
	}
	if c.integers < 0 || c.integers == 1 || c.integers > 24 {
		return o, usagef("-integers %d is not in [2, 24]", c.integers)
	}
	if c.mirror != "" && !c.download {
		return o, usagef("-mirror is for -download")
	}
	if c.subset < 0 || c.valid < 0 {
		return o, usagef("-subset %d and -valid %d must be at least 0", c.subset, c.valid)
	}
	return o, nil
}

// needsRadius tells losses that make no sense at radius 0.
func needsRadius(loss string) bool {
	return slices.ContainsFunc(strings.Split(loss, "+"), func(p string) bool {
		return p == "madry" || p == "trades" || p == "rs" || p == "ibp" || p == "nbc"
	})
}

// layersOf counts the layers that have formats of their own.
func layersOf(net nn.Network) int {
	n := 0
	for _, node := range net.Nodes() {
		switch node.Op.(type) {
		case *nn.Dense, *nn.Conv:
			n++
		}
	}
	return n
}

// network is the network to train.
func (c *trainCommand) network() (*nn.Graph, error) {
	if c.from != "" {
		n, err := loadNetwork(c.from, false)
		return n.graph, err
	}
	net, err := train.NewNetwork(c.arch.value)
	if err != nil {
		return nil, usagef("%v", err)
	}
	for _, i := range train.Initializers() {
		if i.Name == c.init.value {
			train.Initialize(net, i, c.seed)
		}
	}
	return net, nil
}

// split is the images to train on; those held out go to opts.
func (c *trainCommand) split(set *dataset.Set, opts *train.Options) (train.Data, error) {
	n := set.Len()
	if c.subset > 0 {
		n = min(n, c.subset)
	}
	if c.valid >= n {
		return nil, usagef("-valid %d of %d images leaves none to train on", c.valid, n)
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	if c.valid > 0 {
		opts.Validation, opts.KeepBest = train.Select(set, all[n-c.valid:]), true
	}
	return train.Select(set, all[:n-c.valid]), nil
}

// fetching is how to download, nil for not at all.
func (c *trainCommand) fetching() *dataset.FetchOptions {
	if !c.download {
		return nil
	}
	return &dataset.FetchOptions{URL: c.mirror, Progress: func(f string) { fmt.Fprintln(c.stderr, "vouch: downloading", f) }}
}

// openSets opens the parts of a data set.
func openSets(ctx context.Context, name, dir string, fetch *dataset.FetchOptions) (training, test *dataset.Set, err error) {
	if name == "digits" {
		return dataset.Digits(1, 10000, true), dataset.Digits(2, 2000, true), nil
	}
	training, err = dataset.Open(name, dataset.Train, dir)
	if missing := (*dataset.MissingError)(nil); fetch != nil && errors.As(err, &missing) {
		if dir == "" {
			return nil, nil, usagef("-download needs -dir")
		}
		if err := dataset.Fetch(ctx, name, dir, fetch); err != nil {
			return nil, nil, err
		}
		training, err = dataset.Open(name, dataset.Train, dir)
	}
	if err != nil {
		return nil, nil, err
	}
	test, err = dataset.Open(name, dataset.Test, dir)
	return training, test, err
}
