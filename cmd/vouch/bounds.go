package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

const boundsHelp = `Bound the functions of a property from below, without branch and bound.

A property says what is unsafe, as cases (a region of inputs) of conjunctions of
inequalities "left side <= bound". Printed is a lower bound of each "left side -
bound" over its region. Where it is positive the inequality cannot hold, and a
conjunction with one such inequality is excluded; a property all of whose
conjunctions are excluded is proved.

Methods, from loose and fast to tight: ibp, crown-ibp, crown, alpha-crown.

-layers adds, for every layer of activations over the first case's region, how wide
the neurons' intervals are on average and what share of the ReLUs is stable: by the
chosen method and by looser ones. -plot draws that, in the format of the file's
name (.svg, .png, .pdf).`

// boundsCommand is the flags of vouch bounds.
type boundsCommand struct {
	*app
	net, spec string
	raw       bool
	method    *choiceFlag
	repeat    int
	json      bool
	byLayer   bool
	plot      string
}

func newBounds(a *app) *cobra.Command {
	c := &boundsCommand{app: a, method: methodFlag("crown", "ibp", "crown-ibp", "crown", "alpha-crown")}
	cmd := &cobra.Command{
		Use: "bounds -net FILE -spec FILE [flags]", Args: noArguments,
		Short: "Print lower bounds of a property's functions", Long: boundsHelp,
		Example: "vouch bounds -net mnist-net_256x4.onnx -spec prop_0_0.03.vnnlib -method crown -repeat 5",
		RunE:    a.action(c.run),
	}
	fs := cmd.Flags()
	fs.StringVar(&c.net, "net", "", "network `file`, .onnx or .nnet")
	fs.StringVar(&c.spec, "spec", "", "property `file`, .vnnlib")
	rawFlag(fs, &c.raw)
	fs.Var(c.method, "method", "how to bound")
	fs.IntVar(&c.repeat, "repeat", 1, "bound so many times and report the median time")
	fs.BoolVar(&c.byLayer, "layers", false, "also by layer: width of intervals, stable neurons")
	fs.StringVar(&c.plot, "plot", "", "draw widths and stable neurons by layer into this `file`")
	fs.BoolVar(&c.json, "json", false, "print one JSON object instead of a table")
	demand(cmd, "net", "spec")
	return cmd
}

// functionBound is one line of the answer.
type functionBound struct {
	Case        int    `json:"case"`
	Conjunction int    `json:"conjunction"`
	Inequality  int    `json:"inequality"`
	Function    string `json:"function"` // left side minus bound
	Lower       number `json:"lower"`    // null: unbounded, or the region is empty
}

// boundsAnswer is the answer as JSON.
type boundsAnswer struct {
	Net       string          `json:"net"`
	Spec      string          `json:"spec"`
	Method    string          `json:"method"`
	Seconds   float64         `json:"seconds"` // median over the repeats
	Repeats   int             `json:"repeats"`
	Proved    bool            `json:"proved"`
	Functions []functionBound `json:"functions"`
	Layers    []layerBounds   `json:"layers,omitempty"` // with -layers
}

func (c *boundsCommand) run(ctx context.Context) error {
	if c.repeat < 1 {
		return usagef("-repeat %d is not at least 1", c.repeat)
	}
	net, prop, err := loadProblem(c.net, c.spec, c.raw)
	if err != nil {
		return err
	}
	if err := prop.Validate(); err != nil {
		return err
	}
	simple, err := nn.Simplify(net.graph) // as bab.Verify does
	if err != nil {
		return err
	}
	m, err := bounds.Compile(simple)
	if err != nil {
		return err
	}
	var lower [][]float64
	times := make([]float64, c.repeat)
	for i := range times {
		begin := time.Now()
		again, err := boundCases(ctx, bounder(c.method.value), m, prop)
		if i > 0 && ctx.Err() != nil {
			times = times[:i] // Ctrl-C: the answer is known, and its time by so many repeats
			break
		}
		if err != nil {
			return err
		}
		lower, times[i] = again, time.Since(begin).Seconds()
	}
	slices.Sort(times)
	answer := boundsAnswer{Net: c.net, Spec: c.spec, Method: c.method.value, Seconds: median(times), Repeats: len(times)}
	answer.Functions, answer.Proved = labelled(prop, lower)
	if c.byLayer || c.plot != "" {
		layers, err := c.layers(ctx, m, prop, &prop.Cases[0])
		if err != nil {
			return err
		}
		if len(layers) == 0 {
			return fmt.Errorf("%s has no layer of activations", c.net)
		}
		if c.byLayer {
			answer.Layers = layers
		}
		if c.plot != "" {
			if err := c.drawLayers(layers); err != nil {
				return err
			}
		}
	}
	if c.json {
		return c.writeJSON(answer)
	}
	return c.print(answer)
}

// boundCases is, for each case, lower bounds of bounds.PropertyFunctions.
func boundCases(ctx context.Context, b bounds.Bounder, m *bounds.Model, prop *spec.Property) ([][]float64, error) {
	out := make([][]float64, len(prop.Cases))
	for i := range prop.Cases {
		k := &prop.Cases[i]
		res, err := b.Bound(ctx, m, &bounds.Query{
			Domains:   []bounds.Domain{{Region: k.Region}},
			Functions: bounds.PropertyFunctions(k, prop.Inputs, prop.Outputs),
		})
		if err != nil {
			return nil, err
		}
		out[i] = res[0].Lower
	}
	return out, nil
}

// labelled puts names to the bounds, and says whether they prove the property.
func labelled(prop *spec.Property, lower [][]float64) (out []functionBound, proved bool) {
	out, proved = []functionBound{}, true
	for i, k := range prop.Cases {
		at := 0
		for j, conj := range k.Unsafe {
			excluded := false
			for n, q := range conj {
				v := lower[i][at]
				at++
				excluded = excluded || v > 0
				out = append(out, functionBound{i, j, n, formula(q), number(v)})
			}
			proved = proved && excluded
		}
	}
	return out, proved
}

// shortFormula is how many characters of a function the table shows.
const shortFormula = 60

func (c *boundsCommand) print(answer boundsAnswer) error {
	var b strings.Builder
	t := newTable(&b)
	t.AppendHeader(table.Row{"case", "conjunction", "lower bound"})
	for _, f := range answer.Functions {
		name := f.Function
		if len(name) > shortFormula {
			name = name[:shortFormula] + "..."
		}
		t.AppendRow(table.Row{f.Case, f.Conjunction, fmt.Sprintf("%s >= %.6g", name, float64(f.Lower))})
	}
	alignRight(t, 1, 2)
	t.Render()
	verdict := "not proved"
	if answer.Proved {
		verdict = "proved"
	}
	fmt.Fprintf(&b, "%s by %s, %.6f s", verdict, answer.Method, answer.Seconds)
	if answer.Repeats > 1 {
		fmt.Fprintf(&b, " (median of %d)", answer.Repeats)
	}
	b.WriteString("\n")
	if len(answer.Layers) > 0 {
		layerTable(&b, answer.Layers)
	}
	return c.write([]byte(b.String()))
}

// formula is the left side of an inequality minus its bound, as one would write
// it: a term that is added comes first, ones and zeros are left out.
func formula(q spec.Inequality) string {
	var parts []string // each with its sign in front
	term := func(coef float64, name string) {
		sign := "+ "
		if coef < 0 {
			sign, coef = "- ", -coef
		}
		switch {
		case coef == 0:
		case name == "":
			parts = append(parts, sign+decimal(coef))
		case coef == 1:
			parts = append(parts, sign+name)
		default:
			parts = append(parts, sign+decimal(coef)+"*"+name)
		}
	}
	for _, t := range q.Output {
		term(t.Coef, fmt.Sprintf("Y_%d", t.Index))
	}
	for _, t := range q.Input {
		term(t.Coef, fmt.Sprintf("X_%d", t.Index))
	}
	if i := slices.IndexFunc(parts, func(s string) bool { return s[0] == '+' }); i > 0 {
		first := parts[i]
		parts = slices.Insert(slices.Delete(parts, i, i+1), 0, first)
	}
	term(-q.Bound, "")
	if len(parts) == 0 {
		return "0"
	}
	s := strings.Join(parts, " ")
	if s[0] == '+' {
		return s[2:]
	}
	return "-" + s[2:]
}
