package main

import (
	"context"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/vouchnn/vouch/qnn"
)

const qnnInfoHelp = `Show a quantized network: sizes, configurations <sign,bits,fraction>, levels.

With -data, also its accuracy on the images of -index.`

// qnnInfoCommand is the flags of vouch qnn info.
type qnnInfoCommand struct {
	*app
	input qnnInput
	json  bool
}

func newQNNInfo(a *app) *cobra.Command {
	c := &qnnInfoCommand{app: a}
	cmd := &cobra.Command{
		Use: "info -net FILE [flags]", Args: noArguments,
		Short: "Show a quantized network, and its accuracy", Long: qnnInfoHelp,
		Example: "vouch qnn info -net mnist_1blk_64_in_8_qu_6.json.gz -data mnist",
		RunE:    a.action(c.run),
	}
	c.input.register(cmd.Flags())
	cmd.Flags().BoolVar(&c.json, "json", false, "print one JSON object instead of a table")
	demand(cmd, "net")
	return cmd
}

// qnnInfoAnswer is the answer as JSON.
type qnnInfoAnswer struct {
	Network string         `json:"network"`
	Input   string         `json:"input"`
	Inputs  int            `json:"inputs"`
	Layers  []qnnLayerInfo `json:"layers"`
	Images  int            `json:"images,omitempty"`
	Correct int            `json:"correct,omitempty"`
}

type qnnLayerInfo struct {
	Neurons int    `json:"neurons"`
	Weights string `json:"weights"`
	Bias    string `json:"bias"`
	Output  string `json:"output"`
	Min     int64  `json:"min"`
	Max     int64  `json:"max"`
}

func (c *qnnInfoCommand) run(ctx context.Context) error {
	if c.input.data == "" {
		net, err := loadQuantized(c.input.net, c.input.bits)
		if err != nil {
			return err
		}
		return c.print(describeQuantized(net))
	}
	net, set, indices, err := c.input.load()
	if err != nil {
		return err
	}
	answer := describeQuantized(net)
	for _, i := range indices {
		if ctx.Err() != nil {
			break
		}
		answer.Images++
		if net.Classify(net.QuantizePixels(set.Image(i))) == int(set.Labels[i]) {
			answer.Correct++
		}
	}
	return c.print(answer)
}

func describeQuantized(net *qnn.Network) qnnInfoAnswer {
	a := qnnInfoAnswer{Network: net.Name, Input: net.Input.String(), Inputs: net.Inputs()}
	for k := range net.Layers {
		l := &net.Layers[k]
		s := l.Stair(0)
		a.Layers = append(a.Layers, qnnLayerInfo{l.Out, l.Weight.String(), l.BiasConfig.String(), l.Output.String(), s.Min, s.Max})
	}
	return a
}

func (c *qnnInfoCommand) print(a qnnInfoAnswer) error {
	if c.json {
		return c.writeJSON(a)
	}
	fmt.Fprintf(c.stdout, "%s: %d inputs %s\n", a.Network, a.Inputs, a.Input)
	t := newTable(c.stdout)
	t.AppendHeader(table.Row{"layer", "neurons", "weights", "bias", "output", "levels"})
	for k, l := range a.Layers {
		t.AppendRow(table.Row{k + 1, l.Neurons, l.Weights, l.Bias, l.Output, fmt.Sprintf("%d..%d", l.Min, l.Max)})
	}
	t.Render()
	if a.Images > 0 {
		fmt.Fprintf(c.stdout, "%d of %d images correct, %.2f %%\n", a.Correct, a.Images, 100*float64(a.Correct)/float64(a.Images))
	}
	return nil
}
