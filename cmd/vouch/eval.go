package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/train"
	"github.com/vouchnn/vouch/train/dataset"
	"github.com/vouchnn/vouch/train/eval"
)

const evalHelp = `Measure how accurate, robust and easy to verify networks are.

For each network, radius and chosen test image it is decided whether the label has
the greatest output over the whole ball of that radius, clipped to [0, 1]:

  UNSAT%    share of images for which that is proved
  Stable%   mean share of hidden neurons whose CROWN bounds do not have 0 inside
  Time      mean seconds to decide; a timeout counts with its time
  Time U+T  the same of those that were proved or undecided
  PGD-100%  share that still is classified right after 100 steps of an attack

Misclassified images stay in and count as violated. The table has a column per
network (-net may be repeated), with the best of each line marked by *; the test
accuracy is that of the whole test set. -gains trades+nbc=trades adds a table of how
much the first of two networks differs from the second; -summary FILE writes the
first table as CSV.

-csv FILE keeps a row per property. The same command goes on where it was stopped:
rows that are there, for the same file of a network and the same timeout, are not
measured again.`

// evalCommand is the flags of vouch eval.
type evalCommand struct {
	*app
	nets, names []string
	data        choiceFlag
	dir         string
	eps, index  string
	perClass    int
	timeout     timeoutFlag
	attackSteps int
	csv         string
	summary     string
	gains       []string
	json        bool
	markdown    bool
	solver      solverFlags
	profiles    profiles
}

func newEval(a *app) *cobra.Command {
	c := &evalCommand{app: a, data: dataFlag()}
	cmd := &cobra.Command{
		Use: "eval -net FILE -data NAME -eps LIST [flags]", Args: noArguments,
		Short: "Measure accuracy, robustness and verifiability", Long: evalHelp,
		Example: "vouch eval -net m1-ce.onnx -net m1-nbc.onnx -data mnist -eps 0.1,0.2 -per-class 10 -timeout 30s -csv m1.csv",
		RunE: a.action(func(ctx context.Context) error {
			return c.profiles.around(func() error { return c.run(ctx) })
		}),
	}
	fs := cmd.Flags()
	fs.StringArrayVar(&c.nets, "net", nil, "network `file`, .onnx or .nnet; may be repeated")
	fs.StringSliceVar(&c.names, "names", nil, "names of the networks in the table (default their files')")
	fs.Var(&c.data, "data", "data set, by `name`; digits are drawn, without files")
	fs.StringVar(&c.dir, "dir", "", "`folder` of the data sets (default datasets in VOUCH_DATA)")
	fs.StringVar(&c.eps, "eps", "", "radii, such as 0.1,0.2; fractions such as 2/255 are numbers too")
	fs.StringVar(&c.index, "index", "", "test images by number, such as 0-99,200")
	fs.IntVar(&c.perClass, "per-class", 0, "the first so many test images of each class")
	fs.Var(&c.timeout, "timeout", "time for each property: a duration, or seconds (default no limit)")
	fs.IntVar(&c.attackSteps, "pgd-steps", 100, "gradient steps of the attack that is reported")
	fs.StringVar(&c.csv, "csv", "", "keep a row per property in this `file`, and resume from it")
	fs.StringVar(&c.summary, "summary", "", "write the table to this `file` as CSV")
	fs.StringSliceVar(&c.gains, "gains", nil, "pairs `A=B` of names: also how A differs from B, as in the paper's Table 2")
	fs.BoolVar(&c.json, "json", false, "print one JSON object instead of the table")
	fs.BoolVar(&c.markdown, "markdown", false, "print the table as Markdown, with the scores of the paper's Figure 2")
	c.solver.register(fs)
	c.profiles.register(fs)
	demand(cmd, "net", "eps")
	return cmd
}

// evalHeader is the columns of the CSV file. A network is known by its content.
var evalHeader = []string{"data", "net", "sha256", "timeout", "epsilon", "index", "label", "result", "reason", "seconds", "stable", "correct", "pgd", "bounds_seconds"}

// evaluated is what is measured of one network.
type evaluated struct {
	name, path, sum string
	graph           *nn.Graph
	rows            []eval.Row
	accuracy        float64
}

func (c *evalCommand) run(ctx context.Context) error {
	opts, radii, err := c.settings()
	if err != nil {
		return err
	}
	_, test, err := openSets(ctx, c.data.value, c.dir, nil)
	if err != nil {
		return err
	}
	images, err := c.images(test)
	if err != nil {
		return err
	}
	nets, err := c.load()
	if err != nil {
		return err
	}
	rows, err := openTable(c.csv, evalHeader)
	if err != nil {
		return err
	}
	show := newBar(c.stderr, len(nets)*len(radii)*len(images), "")
	for i := range nets {
		if err = c.measure(ctx, &nets[i], test, images, radii, opts, rows, show); err != nil {
			break
		}
	}
	show.end()
	err = errors.Join(err, rows.close())
	// Ctrl-C leaves the results so far.
	if shown := c.show(nets); shown != nil {
		return shown
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("interrupted; the table is of what was measured")
	}
	return err
}

// settings are the flags that steer the measurement.
func (c *evalCommand) settings() (eval.Options, []float64, error) {
	o := eval.Options{Timeout: time.Duration(c.timeout), Seed: c.solver.seed}
	var err error
	if o.Verify, err = c.solver.options(); err != nil {
		return o, nil, err
	}
	if c.attackSteps < 1 {
		return o, nil, usagef("-pgd-steps %d is not at least 1", c.attackSteps)
	}
	o.Attack.Steps = c.attackSteps
	if err := o.Validate(); err != nil {
		return o, nil, usagef("%v", err)
	}
	if (c.index == "") == (c.perClass == 0) || c.perClass < 0 {
		return o, nil, usagef("choose test images by either -index or -per-class")
	}
	if len(c.names) > 0 && len(c.names) != len(c.nets) {
		return o, nil, usagef("-names has %d names for %d networks", len(c.names), len(c.nets))
	}
	for _, pair := range c.gains {
		a, b, found := strings.Cut(pair, "=")
		if known := c.columnNames(); !found || !slices.Contains(known, a) || !slices.Contains(known, b) {
			return o, nil, usagef("-gains %s is not a pair A=B of the networks %s", pair, strings.Join(known, ", "))
		}
	}
	radii, err := parseRadii(c.eps)
	return o, radii, err
}

// parseRadii reads numbers and fractions in [0, 1], separated by commas.
func parseRadii(text string) ([]float64, error) {
	var out []float64
	for part := range strings.SplitSeq(text, ",") {
		above, below, fraction := strings.Cut(strings.TrimSpace(part), "/")
		v, err := strconv.ParseFloat(above, 64)
		if fraction && err == nil {
			var d float64
			d, err = strconv.ParseFloat(below, 64)
			v /= d
		}
		if err != nil || !(v >= 0 && v <= 1) {
			return nil, usagef("-eps %s: %q is not a radius in [0, 1]", text, part)
		}
		out = append(out, v)
	}
	return out, nil
}

// images are the numbers of the test images to measure.
func (c *evalCommand) images(test *dataset.Set) ([]int, error) {
	if c.perClass > 0 {
		return test.PerClass(c.perClass), nil
	}
	return parseIndices(c.index, test.Len())
}

func (c *evalCommand) load() ([]evaluated, error) {
	nets, names := make([]evaluated, len(c.nets)), c.columnNames()
	for i, path := range c.nets {
		n, err := loadNetwork(path, false)
		if err != nil {
			return nil, err
		}
		data, err := os.ReadFile(resolve(path))
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(data)
		nets[i] = evaluated{name: names[i], path: path, sum: hex.EncodeToString(sum[:8]), graph: n.graph}
	}
	return nets, nil
}

// columnNames are the names of the networks in the table.
func (c *evalCommand) columnNames() []string {
	if len(c.names) > 0 {
		return c.names
	}
	names := make([]string, len(c.nets))
	for i, path := range c.nets {
		names[i] = strings.TrimSuffix(filepath.Base(path), ".onnx")
	}
	return names
}

// measure fills in what is measured of one network.
func (c *evalCommand) measure(ctx context.Context, n *evaluated, test *dataset.Set, images []int, radii []float64, opts eval.Options, rows *rowFile, show *bar) error {
	var err error
	if n.accuracy, err = train.Accuracy(ctx, n.graph, test); err != nil {
		return fmt.Errorf("%s: %w", n.path, err)
	}
	known := map[[5]string]eval.Row{}
	for _, r := range rows.rows {
		row, err := parseEvalRow(r)
		if err != nil {
			return fmt.Errorf("%s: %w", c.csv, err)
		}
		known[[5]string{r[0], r[2], r[3], r[4], r[5]}] = row
	}
	m, err := eval.NewMeasurer(n.graph, opts)
	if err != nil {
		return fmt.Errorf("%s: %w", n.path, err)
	}
	for _, epsilon := range radii {
		for _, i := range images {
			key := [5]string{c.data.value, n.sum, c.limit(), decimal(epsilon), strconv.Itoa(i)}
			row, done := known[key]
			if !done {
				row, err = contained(func() (eval.Row, error) {
					return m.Measure(ctx, i, test.Float32(i), int(test.Labels[i]), epsilon)
				})
				if err != nil {
					return fmt.Errorf("%s, image %d: %w", n.path, i, err)
				}
				if err := rows.add(c.record(n, row)); err != nil {
					return err
				}
			}
			n.rows = append(n.rows, row)
			show.describe(fmt.Sprintf("%s, radius %g", n.name, epsilon))
			show.add(1)
		}
	}
	return nil
}

// limit is the timeout as rows have it.
func (c *evalCommand) limit() string { return decimal(time.Duration(c.timeout).Seconds()) }

// record is a row of the CSV file.
func (c *evalCommand) record(n *evaluated, r eval.Row) []string {
	res := &spec.Result{Verdict: r.Verdict, Reason: r.Reason}
	return []string{
		c.data.value, n.path, n.sum, c.limit(), decimal(r.Epsilon), strconv.Itoa(r.Index), strconv.Itoa(r.Label), word(res), r.Reason.String(),
		fmt.Sprintf("%.4f", r.Seconds), fmt.Sprintf("%.6f", r.Stable), strconv.FormatBool(r.Correct), strconv.FormatBool(r.Resists),
		fmt.Sprintf("%.4f", r.Interval),
	}
}

// parseEvalRow reads what record writes.
func parseEvalRow(r []string) (row eval.Row, err error) {
	number := func(s string) float64 {
		v, e := strconv.ParseFloat(s, 64)
		if e != nil && err == nil {
			err = fmt.Errorf("%q is not a number", s)
		}
		return v
	}
	row = eval.Row{
		Epsilon: number(r[4]), Index: int(number(r[5])), Label: int(number(r[6])), Seconds: number(r[9]),
		Stable: number(r[10]), Correct: r[11] == "true", Resists: r[12] == "true", Interval: number(r[13]),
	}
	switch r[7] {
	case wordUnsat:
		row.Verdict = spec.Verified
	case wordSat:
		row.Verdict = spec.Falsified
	case wordTimeout:
		row.Reason = spec.ReasonTimeout
	case wordUnknown:
		row.Reason = spec.ReasonIncomplete
	default:
		err = fmt.Errorf("%q is no result", r[7])
	}
	return row, err
}
