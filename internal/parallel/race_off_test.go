//go:build !race

package parallel_test

// raceEnabled tells that the race detector makes pools forget at random.
const raceEnabled = false
