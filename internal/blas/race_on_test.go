//go:build race

package blas

// raceEnabled tells that the race detector makes pools forget at random.
const raceEnabled = true
