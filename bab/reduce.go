package bab

// Going on with a smaller network.
//
// Every sub-problem lies in the root. A ReLU that the root's bounds show to be
// inactive is inactive in all of them, so once a single group is left the neurons
// that are inactive in all of its roots are taken out of the network (bounds.Reduce). Nodes keep their indices and the
// function is the same there. On the networks of mnist_fc sub-problems then
// cost about a fifth.

import (
	"slices"
	"strconv"
)

// reduce replaces the engine's model if the only thing left are these roots, and
// returns them in its terms.
func (e *engine) reduce(roots []root) []root {
	if len(e.roots) != 1 || len(roots) == 0 {
		return roots
	}
	hull := slices.Clone(roots[0].r.Nodes)
	for _, o := range roots[1:] {
		for i, n := range o.r.Nodes {
			upper := slices.Clone(n.Upper)
			for k, v := range hull[i].Upper {
				upper[k] = max(upper[k], v)
			}
			hull[i].Upper = upper
		}
	}
	less := e.model.Reduce(hull)
	e.model = less.Model
	if e.batchChosen {
		e.opts.Batch = automaticBatch(e.model)
		e.choose("batch", strconv.Itoa(e.opts.Batch))
	}
	out := make([]root, len(roots))
	for k, o := range roots {
		d, r := *o.d, less.Result(o.r)
		d.known, d.warm = less.Intervals(d.known), r.Warm
		out[k] = root{&d, &r}
	}
	return out
}
