package nnet

// Writing.

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/vouchnn/vouch/nn"
)

// Write writes net, which must be Dense layers with ReLU between them, as Read
// returns it with Options.Raw. info gives the normalisation, the limits of the
// inputs, and comments; its Sizes are ignored. With a nil info nothing is
// normalised and inputs are limited to [0, 1].
//
// Numbers are written with as many digits as bring back the same float64.
//
// Errors: *nn.UnsupportedError for another kind of network, *nn.ValueError for
// an info that does not fit it, and those of w.
func Write(w io.Writer, net nn.Network, info *Info) error {
	layers, err := denseLayers(net)
	if err != nil {
		return err
	}
	n := nn.InputShape(net).Size()
	if info == nil {
		info = unit(n)
	}
	if len(info.Min) != n || len(info.Max) != n || len(info.Mean) != n || len(info.Range) != n {
		return &nn.ValueError{Detail: fmt.Sprintf("info does not describe %d inputs", n)}
	}
	p := printer{w: bufio.NewWriter(w)}
	for _, c := range info.Comments {
		p.comment(c)
	}
	widest := n
	sizes := []float64{float64(n)}
	for _, d := range layers {
		out := d.Weight().Shape[0]
		sizes = append(sizes, float64(out))
		widest = max(widest, out)
	}
	p.list(float64(len(layers)), float64(n), sizes[len(layers)], float64(widest))
	p.list(sizes...)
	p.list(float64(info.Flag))
	p.list(info.Min...)
	p.list(info.Max...)
	p.list(append(info.Mean[:n:n], info.OutputMean)...)
	p.list(append(info.Range[:n:n], info.OutputRange)...)
	for _, d := range layers {
		p.layer(d)
	}
	return p.w.Flush()
}

// unit is normalisation that changes nothing.
func unit(n int) *Info {
	i := &Info{OutputRange: 1, Min: make([]float64, n), Mean: make([]float64, n)}
	for range n {
		i.Max, i.Range = append(i.Max, 1), append(i.Range, 1)
	}
	return i
}

// denseLayers is the layers of net if it is a chain of Dense and ReLU in turn.
func denseLayers(net nn.Network) ([]*nn.Dense, error) {
	nodes := net.Nodes()
	var layers []*nn.Dense
	fail := func(n nn.Node, detail string) error {
		op := ""
		if n.Op != nil {
			op = n.Op.Kind()
		}
		return &nn.UnsupportedError{Node: n.Name, Op: op, Detail: detail}
	}
	if len(nn.InputShape(net)) != 1 {
		return nil, fail(nodes[0], "input that is not a vector")
	}
	for k := 1; k < len(nodes); k++ {
		n := nodes[k]
		if len(n.Inputs) != 1 || n.Inputs[0] != k-1 {
			return nil, fail(n, "node in a network that is not a chain")
		}
		d, isDense := n.Op.(*nn.Dense)
		_, isReLU := n.Op.(nn.ReLU)
		if isDense != (k%2 == 1) || isReLU != (k%2 == 0) {
			return nil, fail(n, "node where Dense and ReLU must alternate")
		}
		if isDense {
			layers = append(layers, d)
		}
	}
	if len(layers) == 0 || len(nodes)%2 != 0 || net.Output() != len(nodes)-1 {
		return nil, fail(nodes[net.Output()], "network that does not end with Dense")
	}
	return layers, nil
}

// printer writes lines. Its writer keeps the first error.
type printer struct {
	w   *bufio.Writer
	buf []byte
}

func (p *printer) comment(s string) {
	for line := range strings.Lines(s) {
		_, _ = p.w.WriteString("// " + strings.TrimSpace(line) + "\n")
	}
}

func (p *printer) list(v ...float64) {
	for _, x := range v {
		p.buf = append(strconv.AppendFloat(p.buf[:0], x, 'g', -1, 64), ',')
		_, _ = p.w.Write(p.buf)
	}
	_ = p.w.WriteByte('\n')
}

func (p *printer) layer(d *nn.Dense) {
	out, in := d.Weight().Shape[0], d.Weight().Shape[1]
	w := d.Weight().Values()
	for o := range out {
		p.list(w[o*in : (o+1)*in]...)
	}
	for o := range out {
		if d.Bias() == nil {
			p.list(0)
			continue
		}
		p.list(d.Bias().Values()[o])
	}
}
