package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/vouchnn/vouch/nn"
)

const infoHelp = `Show what a network file holds: its inputs and outputs, and a line per layer with
its operator, output shape, number of parameters and the layers that it reads.
What the reader folded into constants or found to do nothing does not appear.`

// infoCommand is the flags of vouch info.
type infoCommand struct {
	*app
	net  string
	raw  bool
	json bool
}

func newInfo(a *app) *cobra.Command {
	c := &infoCommand{app: a}
	cmd := &cobra.Command{
		Use: "info -net FILE [flags]", Args: noArguments,
		Short: "Show what a network file holds", Long: infoHelp,
		Example: "vouch info -net ACASXU_1_1.onnx",
		RunE:    a.action(c.run),
	}
	cmd.Flags().StringVar(&c.net, "net", "", "network `file`, .onnx or .nnet")
	rawFlag(cmd.Flags(), &c.raw)
	cmd.Flags().BoolVar(&c.json, "json", false, "print one JSON object instead of a table")
	demand(cmd, "net")
	return cmd
}

// port is a named input or output.
type port struct {
	Name  string   `json:"name"`
	Shape nn.Shape `json:"shape"`
}

// layer is one node of a network.
type layer struct {
	Index    int      `json:"index"`
	Name     string   `json:"name"`
	Operator string   `json:"operator"`
	Shape    nn.Shape `json:"shape"`
	Params   int      `json:"params"`
	Inputs   []int    `json:"inputs"`
}

// infoAnswer is the answer as JSON.
type infoAnswer struct {
	Net      string   `json:"net"`
	Producer string   `json:"producer,omitempty"`
	Opset    int64    `json:"opset,omitempty"`
	Inputs   []port   `json:"inputs"`
	Outputs  []port   `json:"outputs"`
	Layers   []layer  `json:"layers"`
	Params   int      `json:"params"`
	Neurons  int      `json:"neurons"` // elements of nonlinear layers
	Rounded  []string `json:"rounded,omitempty"`
}

func (c *infoCommand) run(context.Context) error {
	net, err := loadNetwork(c.net, c.raw)
	if err != nil {
		return err
	}
	answer := describe(c.net, net)
	if c.json {
		return c.writeJSON(answer)
	}
	return c.print(answer)
}

func describe(path string, net network) infoAnswer {
	out := infoAnswer{Net: path, Params: nn.NumParams(net.graph)}
	nodes := net.graph.Nodes()
	for i, n := range nodes {
		l := layer{Index: i, Name: n.Name, Operator: "Input", Shape: n.Shape, Inputs: append([]int{}, n.Inputs...)}
		if n.Op != nil {
			l.Operator = n.Op.Kind()
			for _, p := range n.Op.Params() {
				if p != nil {
					l.Params += len(p.Values())
				}
			}
			if _, affine := n.Op.(nn.Affine); !affine {
				out.Neurons += n.Shape.Size()
			}
		}
		out.Layers = append(out.Layers, l)
	}
	if net.info == nil {
		out.Inputs = []port{{nodes[0].Name, nodes[0].Shape}}
		last := nodes[net.graph.Output()]
		out.Outputs = []port{{last.Name, last.Shape}}
		return out
	}
	out.Producer, out.Opset, out.Rounded = net.info.Producer, net.info.Opset, net.info.Rounded
	for _, p := range net.info.Inputs {
		out.Inputs = append(out.Inputs, port{p.Name, p.Shape})
	}
	for _, p := range net.info.Outputs {
		out.Outputs = append(out.Outputs, port{p.Name, p.Shape})
	}
	return out
}

func (c *infoCommand) print(answer infoAnswer) error {
	var b strings.Builder
	fmt.Fprintln(&b, answer.Net)
	if answer.Opset != 0 {
		fmt.Fprintf(&b, "opset %d %s\n", answer.Opset, answer.Producer)
	}
	for _, p := range answer.Inputs {
		fmt.Fprintf(&b, "input  %s %v\n", p.Name, p.Shape)
	}
	for _, p := range answer.Outputs {
		fmt.Fprintf(&b, "output %s %v\n", p.Name, p.Shape)
	}
	t := newTable(&b)
	t.AppendHeader(table.Row{"layer", "name", "operator", "shape", "parameters", "inputs"})
	for _, l := range answer.Layers {
		inputs := make([]string, len(l.Inputs))
		for i, j := range l.Inputs {
			inputs[i] = strconv.Itoa(j)
		}
		t.AppendRow(table.Row{l.Index, l.Name, l.Operator, l.Shape.String(), l.Params, strings.Join(inputs, " ")})
	}
	alignRight(t, 1, 1)
	t.Render()
	fmt.Fprintf(&b, "%d layers, %d parameters, %d neurons in nonlinear layers\n", len(answer.Layers)-1, answer.Params, answer.Neurons)
	if len(answer.Rounded) > 0 {
		fmt.Fprintf(&b, "folded into constants with rounding: %s\n", strings.Join(answer.Rounded, ", "))
	}
	return c.write([]byte(b.String()))
}
