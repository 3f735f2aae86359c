package nn

// NumParams is how many numbers the parameters of net hold.
func NumParams(net Network) int {
	n := 0
	for _, node := range net.Nodes() {
		if node.Op == nil {
			continue
		}
		for _, p := range node.Op.Params() {
			if p != nil {
				n += len(p.Values())
			}
		}
	}
	return n
}
