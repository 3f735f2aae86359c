package parallel

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Helpers run the chunks of loops that their callers do not. Waking a sleeping
// processor takes 100 to 200 µs on a virtual machine, as long as a small layer, and
// Go's scheduler lets another processor have a goroutine only some 50 µs after it was
// started. So a helper that is done stays for a moment, on its processor, and looks
// for the next chunk; programs of many short loops, a step of training or a batch of
// sub-problems, then find it awake. There are never more of them than processors
// beside the caller's, and a helper that finds nothing ends.

// patience is how long helpers look for a chunk, and callers for the end of the
// others' chunks, before they sleep: about as long as waking up takes.
const patience = 100 * time.Microsecond

// seat is where a helper finds its chunk: nil without a helper, vacant with one that
// looks, and then the chunk that it is given. A helper that is started has a chunk in
// its seat until it gets there.
type seat struct {
	chunk atomic.Pointer[chunk]
	help  func() // bound, so that starting a helper does not allocate
}

var (
	seats  [64]seat
	vacant chunk
)

func init() {
	for k := range seats {
		seats[k].help = seats[k].begin
	}
}

// offer gives the chunk to a helper: to one that is on its way to it or to a chunk
// that is no longer free, to one that looks, or to a new one. Only where all of them
// have chunks already is this one left to the loop's caller.
func (c *chunk) offer() {
	all := seats[:min(len(seats), runtime.GOMAXPROCS(0)-1)]
	for k := range all {
		if all[k].chunk.Load() == c {
			return
		}
	}
	for again := true; again; {
		again = false
		idle := (*seat)(nil)
		for k := range all {
			s := &all[k]
			old := s.chunk.Load()
			switch {
			case old == nil:
				idle = s
			case old == &vacant || !old.free.Load():
				if s.pass(old, c) {
					return
				}
				again = true // it has just gone
			}
		}
		if idle != nil {
			if idle.pass(nil, c) {
				go idle.help()
				return
			}
			again = true
		}
	}
}

// pass puts to in the seat if from is there.
func (s *seat) pass(from, to *chunk) bool {
	return s.chunk.Load() == from && s.chunk.CompareAndSwap(from, to)
}

// begin is what a helper does: its chunk, and those that it is given while it looks.
// Others may have run a chunk by the time that it gets there.
func (s *seat) begin() {
	for c := s.chunk.Swap(nil); c != nil; c = look() {
		if c.claim() && c.finish() {
			return // the caller of For waits for this very processor
		}
	}
}

// look waits for a chunk; nil if none comes or enough others are looking.
func look() *chunk {
	for k := range min(len(seats), runtime.GOMAXPROCS(0)-1) {
		s := &seats[k]
		if !s.pass(nil, &vacant) {
			continue
		}
		if !patiently(func() bool { return s.chunk.Load() != &vacant }) && s.pass(&vacant, nil) {
			return nil
		}
		return s.chunk.Swap(nil)
	}
	return nil
}

// patiently reports whether the condition comes true soon. It does not sleep.
func patiently(condition func() bool) bool {
	for start := time.Now(); !condition(); {
		if time.Since(start) > patience {
			return false
		}
	}
	return true
}
