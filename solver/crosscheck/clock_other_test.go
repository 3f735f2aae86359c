//go:build !unix

package crosscheck

import "time"

var began = time.Now()

// processorTime is the clock's, for want of a better one.
func processorTime() time.Duration { return time.Since(began) }
