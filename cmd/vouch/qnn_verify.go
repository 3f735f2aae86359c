package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/vouchnn/vouch/qnn"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/train/dataset"
)

const qnnVerifyHelp = `Decide whether images keep their class within a distance.

A row is printed for each image: robust, nonrobust, unknown (undecided within
-timeout) or misclassified. Ties go to the class with the smaller index.
Counterexamples are replayed in integers before they count.

-csv FILE keeps the rows, flushed one by one; the same command goes on where it
was stopped. -counterexamples FILE keeps the inputs found, one JSON object a line.`

var qnnVerifyHeader = []string{"network", "sample", "radius", "norm", "verdict", "seconds"}

// qnnVerifyCommand is the flags of vouch qnn verify.
type qnnVerifyCommand struct {
	*app
	input   qnnInput
	method  qnnMethod
	radius  float64
	timeout timeoutFlag
	csv     string
	cex     string
	json    bool
}

func newQNNVerify(a *app) *cobra.Command {
	c := &qnnVerifyCommand{app: a}
	cmd := &cobra.Command{
		Use: "verify -net FILE -radius R [flags]", Args: noArguments,
		Short: "Decide robustness of images", Long: qnnVerifyHelp,
		Example: "vouch qnn verify -net mnist_1blk_64_in_8_qu_6.json.gz -data mnist -index 100-199 -radius 2 -csv out.csv",
		RunE:    a.action(c.run),
	}
	fs := cmd.Flags()
	c.input.register(fs)
	fs.Float64Var(&c.radius, "radius", 0, "distance, in units of the input's integers")
	c.method.register(fs)
	fs.Var(&c.timeout, "timeout", "time for each image: a duration, or seconds (default no limit)")
	fs.StringVar(&c.csv, "csv", "", "keep the rows in this `file`, and resume from it")
	fs.StringVar(&c.cex, "counterexamples", "", "append counterexamples to this `file`, JSON lines")
	fs.BoolVar(&c.json, "json", false, "print one JSON object instead of the table")
	demand(cmd, "net", "radius")
	return cmd
}

func (c *qnnVerifyCommand) run(ctx context.Context) (err error) {
	net, set, indices, err := c.input.load()
	if err != nil {
		return err
	}
	tbl, err := openTable(c.csv, qnnVerifyHeader)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tbl.close()) }()
	done := map[string]bool{}
	radius := strconv.FormatFloat(c.radius, 'g', -1, 64)
	for _, row := range tbl.rows {
		if row[0] == net.Name && row[2] == radius && row[3] == c.method.norm.value {
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
		verdict, err := c.decide(ctx, net, set, i)
		if err != nil {
			return fmt.Errorf("image %d: %w", i, err)
		}
		if ctx.Err() != nil {
			break // interrupted: this image was not decided by its own limit
		}
		row := []string{net.Name, strconv.Itoa(i), radius, c.method.norm.value, verdict, secondsOf(time.Since(begin))}
		if err := tbl.add(row); err != nil {
			return err
		}
		p.step(verdict != "unknown")
	}
	count, err := c.print(tbl.rows, net.Name, radius)
	if err == nil && ctx.Err() != nil {
		err = fmt.Errorf("interrupted after %d images", count)
	}
	return err
}

// decide is the verdict on one image.
func (c *qnnVerifyCommand) decide(ctx context.Context, net *qnn.Network, set *dataset.Set, i int) (string, error) {
	x := net.QuantizePixels(set.Image(i))
	label := int(set.Labels[i])
	if net.Classify(x) != label {
		return "misclassified", nil
	}
	ball, err := net.Ball(c.method.metric(), x, c.radius)
	if err != nil {
		return "", err
	}
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.timeout))
		defer cancel()
	}
	res, err := c.method.decider()(ctx, net, qnn.Robustness(ball, label, net.Outputs()))
	if err != nil {
		return "", err
	}
	switch res.Verdict {
	case spec.Verified:
		return "robust", nil
	case spec.Falsified:
		return "nonrobust", c.keep(net, i, res.Counterexample)
	default:
		return "unknown", nil
	}
}

// keep appends a counterexample to its file.
func (c *qnnVerifyCommand) keep(net *qnn.Network, i int, cex *spec.Counterexample) error {
	if c.cex == "" {
		return nil
	}
	f, err := os.OpenFile(filepath.Clean(c.cex), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	line := struct {
		Network string    `json:"network"`
		Sample  int       `json:"sample"`
		Radius  float64   `json:"radius"`
		Norm    string    `json:"norm"`
		Input   []float64 `json:"input"`
		Output  []float64 `json:"output"`
	}{net.Name, i, c.radius, c.method.norm.value, cex.Input, cex.Output}
	err = json.NewEncoder(f).Encode(line)
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// qnnVerdict is a row of the table.
type qnnVerdict struct {
	Sample  int     `json:"sample"`
	Verdict string  `json:"verdict"`
	Seconds float64 `json:"seconds"`
}

// print writes the rows of this network, radius and norm, and their summary. It returns
// how many there are.
func (c *qnnVerifyCommand) print(rows [][]string, name, radius string) (int, error) {
	list, count := []qnnVerdict{}, map[string]int{}
	total := 0.0
	for _, row := range rows {
		if row[0] != name || row[2] != radius || row[3] != c.method.norm.value {
			continue
		}
		r := qnnVerdict{Verdict: row[4]}
		if _, err := fmt.Sscan(row[1]+" "+row[5], &r.Sample, &r.Seconds); err != nil {
			return 0, fmt.Errorf("%s: row %q: %w", c.csv, row, err)
		}
		list = append(list, r)
		count[r.Verdict]++
		total += r.Seconds
	}
	if c.json {
		return len(list), c.writeJSON(struct {
			Network string         `json:"network"`
			Radius  float64        `json:"radius"`
			Norm    string         `json:"norm"`
			Images  []qnnVerdict   `json:"images"`
			Count   map[string]int `json:"count"`
			Seconds float64        `json:"seconds"`
		}{name, c.radius, c.method.norm.value, list, count, total})
	}
	t := newTable(c.stdout)
	t.AppendHeader(table.Row{"sample", "verdict", "seconds"})
	for _, r := range list {
		t.AppendRow(table.Row{r.Sample, r.Verdict, fmt.Sprintf("%.3f", r.Seconds)})
	}
	t.Render()
	_, err := fmt.Fprintf(c.stdout, "%s, radius %s, norm %s: %d robust, %d nonrobust, %d unknown, %d misclassified; %.3f s\n",
		name, radius, c.method.norm.value, count["robust"], count["nonrobust"], count["unknown"], count["misclassified"], total)
	return len(list), err
}
