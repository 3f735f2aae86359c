package hidden

// Thing is hidden.
type Thing struct{}
