//go:build !race

package nn

// raceEnabled tells that the race detector makes pools forget at random.
const raceEnabled = false
