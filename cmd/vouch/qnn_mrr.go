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
}

func newQNNRadius(a *app) *cobra.Command {
	c := &qnnRadiusCommand{app: a, search: &choiceFlag{value: "improved", choices: []string{"improved", "paper"}}}
	cmd := &cobra.Command{
		Use: "mrr -net FILE [flags]", Args: cobra.NoArgs,
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
	return c.print(tbl.rows, net.Name)
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

func (c *qnnRadiusCommand) print(rows [][]string, name string) error {
	t := newTable(c.stdout)
	t.AppendHeader(table.Row{"sample", "lower", "upper", "seconds"})
	images, solved, sum, total := 0, 0, 0, 0.0
	for _, row := range rows {
		if row[0] != name {
			continue
		}
		t.AppendRow(table.Row{row[1], row[2], row[3], row[4]})
		if row[2] == "-1" {
			continue
		}
		images++
		if row[2] == row[3] {
			r, _ := strconv.Atoi(row[2])
			solved++
			sum += r
		} else if row[3] == "inf" {
			solved++
		}
		s, _ := strconv.ParseFloat(row[4], 64)
		total += s
	}
	t.Render()
	_, err := fmt.Fprintf(c.stdout, "%s: %d of %d radii found, mean %.2f; %.3f s\n", name, solved, images, float64(sum)/float64(max(solved, 1)), total)
	return err
}
