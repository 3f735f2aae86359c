package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/vouchnn/vouch/qnn"
)

const qnnRadiusHelp = `Find the greatest distance within which images keep their class.

A row is printed for each image: the class is kept within lower, and not beyond
upper. They are equal where the radius is known, and upper is inf where no change of
the input breaks the class; a misclassified image has -1 for both.

-search paper grows the radius by a constant step and bisects, as published;
improved, the default, also uses the distances of counterexamples.
-csv FILE keeps the rows; the same command goes on where it was stopped.`

var qnnRadiusHeader = []string{"network", "sample", "lower", "upper", "seconds"}

// qnnRadiusCommand is the flags of vouch qnn mrr.
type qnnRadiusCommand struct {
	*app
	input       qnnInput
	method      qnnMethod
	search      *choiceFlag
	start, step int
	timeout     timeoutFlag
	csv         string
	json        bool
}

func newQNNRadius(a *app) *cobra.Command {
	c := &qnnRadiusCommand{app: a, search: &choiceFlag{value: "improved", choices: []string{"improved", "paper"}}}
	cmd := &cobra.Command{
		Use: "mrr -net FILE [flags]", Args: noArguments,
		Short: "Find maximum robust radii of images", Long: qnnRadiusHelp,
		Example: "vouch qnn mrr -net mnist_1blk_64_in_8_qu_6.json.gz -data mnist -index 0-99 -timeout 60s",
		RunE:    a.action(c.run),
	}
	fs := cmd.Flags()
	c.input.register(fs)
	c.method.register(fs)
	fs.Var(c.search, "search", "which radii are asked for")
	fs.IntVar(&c.start, "start", 10, "with -search paper: first radius")
	fs.IntVar(&c.step, "step", 10, "with -search paper: by how much it grows")
	fs.Var(&c.timeout, "timeout", "time for each image: a duration, or seconds (default no limit)")
	fs.StringVar(&c.csv, "csv", "", "keep the rows in this `file`, and resume from it")
	fs.BoolVar(&c.json, "json", false, "print one JSON object instead of the table")
	demand(cmd, "net")
	return cmd
}

func (c *qnnRadiusCommand) run(ctx context.Context) (err error) {
	if c.start < 1 || c.step < 1 {
		return usagef("-start %d and -step %d: want numbers from 1", c.start, c.step)
	}
	net, set, indices, err := c.input.load()
	if err != nil {
		return err
	}
	tbl, err := openTable(c.csv, qnnRadiusHeader)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tbl.close()) }()
	done := map[string]bool{}
	for _, row := range tbl.rows {
		if row[0] == net.Name {
			done[row[1]] = true
		}
	}
	p := newProgress(c.stderr, len(indices), false)
	defer p.end()
	for _, i := range indices {
		if ctx.Err() != nil {
			break
		}
		if done[strconv.Itoa(i)] {
			continue
		}
		begin := time.Now()
		low, high, err := c.decide(ctx, net, net.QuantizePixels(set.Image(i)), int(set.Labels[i]))
		if err != nil {
			return fmt.Errorf("image %d: %w", i, err)
		}
		if ctx.Err() != nil {
			break
		}
		if err := tbl.add([]string{net.Name, strconv.Itoa(i), low, high, secondsOf(time.Since(begin))}); err != nil {
			return err
		}
		p.step(low == high || high == "inf")
	}
	count, err := c.print(tbl.rows, net.Name)
	if err == nil && ctx.Err() != nil {
		err = fmt.Errorf("interrupted after %d images", count)
	}
	return err
}

func (c *qnnRadiusCommand) decide(ctx context.Context, net *qnn.Network, x []int64, label int) (low, high string, err error) {
	if net.Classify(x) != label {
		return "-1", "-1", nil
	}
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.timeout))
		defer cancel()
	}
	search := qnn.MaxRadius
	if c.search.value == "paper" {
		search = qnn.PaperRadius
	}
	r, err := search(ctx, net, x, qnn.RadiusOptions{
		Norm: c.method.metric(), Start: c.start, Step: c.step, Decide: c.method.decider(),
	})
	if err != nil {
		return "", "", err
	}
	if r.Unbounded {
		return strconv.Itoa(r.Lower), "inf", nil
	}
	return strconv.Itoa(r.Lower), strconv.Itoa(r.Upper), nil
}

// qnnRadius is a row of the table. Upper is null if the class never changes.
type qnnRadius struct {
	Sample  int     `json:"sample"`
	Lower   int     `json:"lower"` // −1: misclassified
	Upper   *int    `json:"upper"`
	Seconds float64 `json:"seconds"`
}

func parseQNNRadius(row []string) (r qnnRadius, err error) {
	if row[3] != "inf" {
		r.Upper = new(int)
		if _, err = fmt.Sscan(row[3], r.Upper); err != nil {
			return r, err
		}
	}
	_, err = fmt.Sscan(row[1]+" "+row[2]+" "+row[4], &r.Sample, &r.Lower, &r.Seconds)
	return r, err
}

// print writes the rows of this network and their summary. It returns how many there are.
func (c *qnnRadiusCommand) print(rows [][]string, name string) (int, error) {
	list := []qnnRadius{}
	images, solved, exact, sum, total := 0, 0, 0, 0, 0.0
	for _, row := range rows {
		if row[0] != name {
			continue
		}
		r, err := parseQNNRadius(row)
		if err != nil {
			return 0, fmt.Errorf("%s: row %q: %w", c.csv, row, err)
		}
		list = append(list, r)
		if r.Lower < 0 {
			continue
		}
		images++
		total += r.Seconds
		switch {
		case r.Upper == nil:
			solved++
		case *r.Upper == r.Lower:
			solved, exact, sum = solved+1, exact+1, sum+r.Lower
		}
	}
	mean := float64(sum) / float64(max(exact, 1))
	if c.json {
		return len(list), c.writeJSON(struct {
			Network string      `json:"network"`
			Norm    string      `json:"norm"`
			Images  []qnnRadius `json:"images"`
			Correct int         `json:"classified_correctly"`
			Solved  int         `json:"solved"`
			Mean    float64     `json:"mean_of_solved"`
			Seconds float64     `json:"seconds"`
		}{name, c.method.norm.value, list, images, solved, mean, total})
	}
	t := newTable(c.stdout)
	t.AppendHeader(table.Row{"sample", "lower", "upper", "seconds"})
	for _, r := range list {
		upper := "inf"
		if r.Upper != nil {
			upper = strconv.Itoa(*r.Upper)
		}
		t.AppendRow(table.Row{r.Sample, r.Lower, upper, fmt.Sprintf("%.3f", r.Seconds)})
	}
	t.Render()
	_, err := fmt.Fprintf(c.stdout, "%s: %d of %d radii found, mean %.2f; %.3f s\n", name, solved, images, mean, total)
	return len(list), err
}
