package onnx

// The order in which nodes are brought in.
//
// First the nodes that the outputs depend on are marked, going backwards; the
// others are never looked at again. Then Kahn's algorithm orders the marked
// ones, inputs first and otherwise as in the file. ONNX asks that files be
// sorted already, but not every tool obeys.

import (
	"container/heap"
	"fmt"

	"github.com/vouchnn/vouch/nn"
)

// order lists the nodes that the outputs depend on, inputs first, and counts
// the uses of every tensor among them.
// Errors: *nn.FormatError for names that are missing, doubled or in a cycle.
func (im *importer) order() ([]*node, error) {
	nodes := im.model.graph.nodes
	producer, err := im.producers()
	if err != nil {
		return nil, err
	}
	needed, err := im.needed(producer)
	if err != nil {
		return nil, err
	}
	waits := make([]int, len(nodes)) // inputs of a node not computed yet
	feeds := make([][]int, len(nodes))
	ready := &indexHeap{}
	total := 0
	for k, n := range nodes {
		if !needed[k] {
			continue
		}
		total++
		for _, name := range n.inputs {
			if p, ok := producer[name]; ok {
				waits[k]++
				feeds[p] = append(feeds[p], k)
			}
		}
		if waits[k] == 0 {
			*ready = append(*ready, k) // in order, so a heap
		}
	}
	var out []*node
	for ready.Len() > 0 {
		k := heap.Pop(ready).(int)
		out = append(out, nodes[k])
		for _, c := range feeds[k] {
			if waits[c]--; waits[c] == 0 {
				heap.Push(ready, c)
			}
		}
	}
	if len(out) < total {
		for k, n := range nodes {
			if needed[k] && waits[k] > 0 {
				return nil, &nn.FormatError{File: im.file, Offset: -1, Field: label(n), Detail: "node depends on itself"}
			}
		}
	}
	return out, nil
}

// producers maps every tensor that a node makes to the node's index.
func (im *importer) producers() (map[string]int, error) {
	producer := map[string]int{}
	for k, n := range im.model.graph.nodes {
		for _, name := range n.outputs {
			if name == "" {
				continue
			}
			if _, ok := producer[name]; ok || im.env[name].set {
				return nil, &nn.FormatError{File: im.file, Offset: -1, Field: label(n), Detail: fmt.Sprintf("tensor %q is defined twice", name)}
			}
			producer[name] = k
		}
	}
	return producer, nil
}

// needed marks the nodes that the outputs depend on.
func (im *importer) needed(producer map[string]int) ([]bool, error) {
	nodes := im.model.graph.nodes
	needed := make([]bool, len(nodes))
	var work []int
	use := func(name, by string) error {
		if name == "" {
			return nil
		}
		im.uses[name]++
		k, ok := producer[name]
		if !ok && !im.env[name].set {
			return &nn.FormatError{File: im.file, Offset: -1, Field: by, Detail: fmt.Sprintf("tensor %q is not defined", name)}
		}
		if ok && !needed[k] {
			needed[k] = true
			work = append(work, k)
		}
		return nil
	}
	outputs := im.model.graph.outputs
	if len(outputs) == 0 {
		return nil, &nn.FormatError{File: im.file, Offset: -1, Field: "GraphProto", Detail: "no output"}
	}
	for _, o := range outputs {
		if o.name == "" {
			return nil, &nn.FormatError{File: im.file, Offset: -1, Field: "GraphProto", Detail: "output without a name"}
		}
		if err := use(o.name, "output"); err != nil {
			return nil, err
		}
	}
	for len(work) > 0 {
		n := nodes[work[len(work)-1]]
		work = work[:len(work)-1]
		for _, name := range n.inputs {
			if err := use(name, label(n)); err != nil {
				return nil, err
			}
		}
	}
	return needed, nil
}

// indexHeap is a heap of node indices, smallest first.
type indexHeap []int

func (h indexHeap) Len() int           { return len(h) }
func (h indexHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h indexHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *indexHeap) Push(x any)        { *h = append(*h, x.(int)) }
func (h *indexHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
