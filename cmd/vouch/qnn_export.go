package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vouchnn/vouch/qnn"
	"github.com/vouchnn/vouch/solver"
)

const qnnExportHelp = `Write a network or a query to a file.

-format json writes the network in integers. lp and mps write the integer linear
program that asks for a counterexample to the robustness of one image: it is
infeasible exactly if the image is robust.`

// qnnExportCommand is the flags of vouch qnn export.
type qnnExportCommand struct {
	*app
	input  qnnInput
	method qnnMethod
	radius float64
	target int
	format *choiceFlag
	out    string
	json   bool
}

// exported is what -json prints.
type exported struct {
	Out         string `json:"out"`
	Format      string `json:"format"`
	Variables   int    `json:"variables,omitempty"`
	Integers    int    `json:"integers,omitempty"` // of the variables
	Constraints int    `json:"constraints,omitempty"`
}

func newQNNExport(a *app) *cobra.Command {
	c := &qnnExportCommand{app: a, format: &choiceFlag{value: "lp", choices: []string{"lp", "mps", "json"}}}
	cmd := &cobra.Command{
		Use: "export -net FILE -out FILE [flags]", Args: noArguments,
		Short: "Write a query as LP or MPS, or a network as JSON", Long: qnnExportHelp,
		Example: "vouch qnn export -net mnist_1blk_64_in_8_qu_6.json.gz -data mnist -index 7 -radius 2 -out query.lp",
		RunE:    a.action(c.run),
	}
	fs := cmd.Flags()
	c.input.register(fs)
	fs.Float64Var(&c.radius, "radius", 0, "distance, in units of the input's integers")
	c.method.register(fs)
	fs.IntVar(&c.target, "target", -1, "only this class may win; -1: any")
	fs.Var(c.format, "format", "what to write")
	fs.StringVar(&c.out, "out", "", "`file` to write, in one step")
	fs.BoolVar(&c.json, "json", false, "also print one JSON object: the program's size")
	demand(cmd, "net", "out")
	return cmd
}

func (c *qnnExportCommand) run(context.Context) error {
	var b bytes.Buffer
	if c.format.value == "json" {
		net, err := loadQuantized(c.input.net, c.input.bits)
		if err != nil {
			return err
		}
		if err := qnn.WriteJSON(&b, net); err != nil {
			return err
		}
		return c.finish(b.Bytes(), exported{})
	}
	e, err := c.query()
	if err != nil {
		return err
	}
	write := solver.WriteLP
	if c.format.value == "mps" {
		write = solver.WriteMPS
	}
	if err := write(&b, e.Problem); err != nil {
		return err
	}
	done := exported{Variables: len(e.Problem.Variables), Constraints: len(e.Problem.Rows)}
	for _, v := range e.Problem.Variables {
		if v.Integer {
			done.Integers++
		}
	}
	return c.finish(b.Bytes(), done)
}

// finish writes the file, and says so if that is asked for.
func (c *qnnExportCommand) finish(data []byte, done exported) error {
	if err := writeFile(c.out, data); err != nil || !c.json {
		return err
	}
	done.Out, done.Format = c.out, c.format.value
	return c.writeJSON(done)
}

// query is the integer linear program of the one image.
func (c *qnnExportCommand) query() (*qnn.Encoded, error) {
	net, set, indices, err := c.input.load()
	if err != nil {
		return nil, err
	}
	if len(indices) != 1 {
		return nil, usagef("-index names %d images, want one", len(indices))
	}
	x := net.QuantizePixels(set.Image(indices[0]))
	label := int(set.Labels[indices[0]])
	if got := net.Classify(x); got != label {
		return nil, fmt.Errorf("image %d is misclassified: %d instead of %d", indices[0], got, label)
	}
	ball, err := net.Ball(c.method.metric(), x, c.radius)
	if err != nil {
		return nil, err
	}
	prop := qnn.Robustness(ball, label, net.Outputs())
	if c.target >= 0 {
		if c.target >= net.Outputs() || c.target == label {
			return nil, usagef("-target %d: want one of %d outputs, not the image's class %d", c.target, net.Outputs(), label)
		}
		prop = qnn.Targeted(ball, label, c.target, net.Outputs())
	}
	return qnn.Encode(net, prop, 0, -1, c.method.encode())
}
