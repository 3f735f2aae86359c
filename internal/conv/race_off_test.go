//go:build !race

package conv_test

// raceEnabled tells that the race detector makes pools forget at random.
const raceEnabled = false
