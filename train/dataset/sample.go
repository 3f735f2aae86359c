package dataset

// Read writes image i, divided by 255, to x, [Size], and returns its label. It
// makes a Set what package train trains on.
// It panics if there is no image i, or x is shorter.
func (s *Set) Read(i int, x []float32) int {
	img := s.Image(i)
	x = x[:len(img)]
	for k, p := range img {
		x[k] = float32(p) / 255
	}
	return int(s.Labels[i])
}
