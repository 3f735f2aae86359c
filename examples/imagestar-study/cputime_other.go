//go:build !unix

package main

import "time"

var started = time.Now()

// cpuTime is the time that has passed, for want of the processor time.
func cpuTime() time.Duration { return time.Since(started) }
