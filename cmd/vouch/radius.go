package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

const radiusHelp = `Prove how far inputs may be changed without changing their class.

For every image that the network classifies correctly, and every method, the
largest radius is searched at which the method proves that no input within it, each
pixel changed by at most the radius, is put into the target class. It is a lower
bound of the distance to the nearest adversarial example.

Pixels are 0 to 1. Classes are compared by separate intervals of the two outputs,
as the literature's tables of these methods do, or with -margin by one bound of
their difference, which proves more. Without -clip changed pixels may leave [0, 1].

Methods differ in the lines by which they enclose sigmoid, tanh and arctan:
  dualapp-mc, dualapp-grad   guided by values that occur, sampled or by gradients
  newise, deepcert, verinet, robustverifier, deeppoly, crown
                             by the interval alone
  newise-network             optimised where there is one hidden layer
  alpha                      optimised for every output, from dualapp-mc's lines
  aimed                      touching where dualapp-mc's worst input is
  best                       dualapp-mc, verinet and newise combined
Several, separated by commas, are compared on the same targets.

Targets: all other classes at once, one drawn at random for each image (never the
second most likely or the least likely class, as in DualApp's tables), one class
for all, or those of a file with the columns sample,target.

-csv FILE receives a row per image and method, with a header:
  network,method,sample,target,radius,seconds
A run that is started again with the same file goes on where it ended. -margin and
-clip are part of the method's name there, as in "dualapp-mc+margin".`

// radiusCommand is the flags of vouch radius.
type radiusCommand struct {
	*app
	nets                 []string
	raw                  bool
	images               imageFlags
	methods              string
	target, targets      string
	margin, clip         bool
	search               choiceFlag
	tolerance, start     float64
	steps                int
	options              dualapp.MethodOptions
	csv                  string
	json                 bool
	profiles             profiles
	table                *rowFile
	proved               map[string]radiusRow // by key
	fixed                map[int]int          // target by sample; nil: none
	rows                 []radiusRow          // of this run's question
	total, misclassified int                  // images
	ownTarget            int                  // of them that are of the class to be excluded
}

func newRadius(a *app) *cobra.Command {
	c := &radiusCommand{app: a, search: choiceFlag{value: "fast", choices: []string{"fast", "paper"}}}
	cmd := &cobra.Command{
		Use: "radius -net FILE (-data SET | -images FILE -labels FILE) [flags]", Args: noArguments,
		Short: "Prove robust radii, method against method", Long: radiusHelp,
		Example: "vouch radius -net mnist_ffnn_3x50.onnx -data mnist -index 0-99 -method dualapp-mc,newise -target random -csv radii.csv",
		RunE: a.action(func(ctx context.Context) error {
			return c.profiles.around(func() error { return c.run(ctx) })
		}),
	}
	fs := cmd.Flags()
	fs.StringArrayVar(&c.nets, "net", nil, "network `file`, .onnx or .nnet; may be given several times")
	rawFlag(fs, &c.raw)
	c.images.register(fs)
	fs.StringVar(&c.methods, "method", "dualapp-mc", "the `names` of one or several methods, see above")
	fs.StringVar(&c.target, "target", "all", "all, random, or a class")
	fs.StringVar(&c.targets, "targets", "", "CSV `file` of targets, columns sample,target")
	fs.BoolVar(&c.margin, "margin", false, "bound differences of outputs, not two outputs apart")
	fs.BoolVar(&c.clip, "clip", false, "pixels stay within 0 and 1")
	fs.Var(&c.search, "search", "by interpolated margins, or in the paper's 15 steps from 0.05")
	fs.Float64Var(&c.tolerance, "tolerance", 0.001, "of the fast search, relative")
	fs.Float64Var(&c.start, "start", 0, "first radius tried (0: chosen by the search)")
	fs.IntVar(&c.steps, "steps", 0, "proofs tried at most for an image (0: 15)")
	fs.IntVar(&c.options.Samples, "samples", 0, "samples of Monte Carlo (0: 1000)")
	fs.Float64Var(&c.options.Step, "step", 0, "step of dualapp-grad as a fraction of the radius (0: 0.45)")
	fs.IntVar(&c.options.Iterations, "iterations", 0, "of alpha, newise-network and aimed (0: 20, 100, none)")
	fs.IntVar(&c.options.Intermediate, "intermediate", 0, "iterations of alpha for each inner neuron (0: none)")
	fs.Uint64Var(&c.options.Seed, "seed", 1, "seed of samples and random targets")
	fs.StringVar(&c.csv, "csv", "", "append a row per image and method to this `file`, or go on with it")
	fs.BoolVar(&c.json, "json", false, "print one JSON object instead of the table")
	c.profiles.register(fs)
	demand(cmd, "net")
	return cmd
}

func (c *radiusCommand) run(ctx context.Context) (err error) {
	methods, err := c.checkFlags()
	if err != nil {
		return err
	}
	if err := c.images.load(c.targets != ""); err != nil {
		return err
	}
	if err := c.openTargets(); err != nil {
		return err
	}
	if c.table, err = openTable(c.csv, radiusHeader()); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.table.close()) }()
	c.proved = map[string]radiusRow{}
	for i, f := range c.table.rows {
		r, err := parseRadiusRow(f)
		if err != nil {
			return fmt.Errorf("%s: row %d: %w", c.csv, i+1, err)
		}
		c.proved[r.key()] = r
	}
	for _, net := range c.nets {
		if err = c.network(ctx, net, methods); err != nil {
			break
		}
	}
	if len(c.rows) > 0 || err == nil {
		if err := c.report(); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted after %d radii", len(c.rows))
	}
	return err
}

// checkFlags is the methods, in order.
func (c *radiusCommand) checkFlags() ([]string, error) {
	methods := strings.Split(c.methods, ",")
	for i, m := range methods {
		methods[i] = strings.TrimSpace(m)
		if _, err := dualapp.Method(methods[i], c.options); err != nil {
			return nil, usagef("%v", err)
		}
	}
	s := c.searchOptions()
	if err := s.Validate(); err != nil {
		return nil, usagef("%v", err)
	}
	if c.target != "all" && c.target != "random" {
		if n, err := strconv.Atoi(c.target); err != nil || n < 0 {
			return nil, usagef("-target %q: want all, random or a class", c.target)
		}
	}
	if c.targets != "" && c.target != "all" {
		return nil, usagef("-target and -targets exclude each other")
	}
	return methods, nil
}

func (c *radiusCommand) searchOptions() dualapp.Search {
	s := dualapp.Search{Start: c.start, Steps: c.steps}
	if c.search.value == "fast" {
		s.Tolerance = c.tolerance
	}
	return s
}

// suffix is what the flags add to a method's name.
func (c *radiusCommand) suffix() string {
	s := ""
	if c.margin {
		s += "+margin"
	}
	if c.clip {
		s += "+clip"
	}
	return s
}

// network answers for one network.
func (c *radiusCommand) network(ctx context.Context, path string, methods []string) error {
	loaded, err := loadNetwork(path, c.raw)
	if err != nil {
		return err
	}
	simple, err := nn.Simplify(loaded.graph)
	if err != nil {
		return err
	}
	m, err := bounds.Compile(simple)
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(filepath.Base(path), ".gz")
	name = strings.TrimSuffix(name, filepath.Ext(name))
	samples, tasks, err := c.tasks(m)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	bar := newBar(c.stderr, len(tasks)*len(methods), name)
	defer bar.end()
	// A method starts where the one before it has ended.
	for _, method := range methods {
		if err := c.method(ctx, m, name, method, samples, tasks, bar); err != nil {
			return err
		}
	}
	return nil
}

// method answers for one network and method, but for what the table has.
func (c *radiusCommand) method(ctx context.Context, m *bounds.Model, name, method string, samples []int, tasks []dualapp.Task, bar *bar) error {
	v, err := dualapp.Method(method, c.options)
	if err != nil {
		return err
	}
	v.Margin = c.margin
	if c.clip {
		n := nn.InputShape(m.Network()).Size()
		v.Clip = &spec.Box{Lower: make([]float64, n), Upper: slices.Repeat([]float64{1}, n)}
	}
	var open []dualapp.Task
	var rows []radiusRow
	var places []int
	for i, t := range tasks {
		r := radiusRow{Network: name, Method: method + c.suffix(), Sample: samples[i], Target: targetName(t)}
		if old, ok := c.proved[r.key()]; ok {
			c.rows = append(c.rows, old)
			tasks[i].Guess = old.Radius
			bar.add(1)
			continue
		}
		open, rows, places = append(open, t), append(rows, r), append(places, i)
	}
	written := 0
	search := c.searchOptions()
	search.Progress = func(done []dualapp.Radius) error {
		for ; written < len(done); written++ {
			r := rows[written]
			r.Radius, r.Seconds = done[written].Proved, done[written].Elapsed.Seconds()
			tasks[places[written]].Guess = r.Radius
			bar.add(1)
			if err := c.table.add(r.fields()); err != nil {
				return err
			}
			c.rows = append(c.rows, r)
		}
		return nil
	}
	_, err = v.Radii(ctx, m, open, search)
	return err
}

func targetName(t dualapp.Task) string {
	if t.Targets == nil {
		return "all"
	}
	return strconv.Itoa(t.Targets[0])
}
