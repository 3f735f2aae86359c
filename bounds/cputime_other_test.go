//go:build !unix

package bounds_test

import (
	"testing"
	"time"
)

var started = time.Now()

// cpuTime is the time that has passed, for want of the processor time.
func cpuTime(testing.TB) time.Duration { return time.Since(started) }
