package bab

// Going on with a smaller network.
//
// Every sub-problem lies in the root. A ReLU that the root's bounds show to be
// inactive is inactive in all of them, so once a single root is left its neuron
// is taken out of the network (bounds.Reduce). Nodes keep their indices and the
// function is the same there. On the networks of mnist_fc sub-problems then
// cost about a fifth.

// reduce replaces the engine's model if the only thing left is one root, and
// returns the root in its terms.
func (e *engine) reduce(roots []root) []root {
	if len(e.roots) != 1 || len(roots) != 1 {
		return roots
	}
	smaller := e.model.Reduce(roots[0].r.Nodes)
	d, r := *roots[0].d, smaller.Result(roots[0].r)
	d.known, d.warm = smaller.Intervals(d.known), r.Warm
	e.model = smaller.Model
	return []root{{&d, &r}}
}
