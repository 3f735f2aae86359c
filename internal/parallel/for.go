package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A loop over [0, n) is cut into contiguous chunks of nearly equal length, one
// per processor at most. The caller's goroutine runs the first chunk and helpers run
// the others (helper.go). A chunk is run by whoever claims it first: when the caller
// is done with its own it takes those that no helper has begun, so that it never
// waits for one to wake up, and a body may call For again without a deadlock. The
// bookkeeping of a loop is kept in a pool, so that a loop allocates nothing once warm.
//
// A body that panics makes For panic with the same value, after all the other
// chunks have ended. When several chunks panic, the lowest one wins.

// Inner loops take the processors that outer ones have left: with one chunk on
// each processor already, more would only wait for each other.

// chunk is one part of a loop, with what its body panicked with.
type chunk struct {
	loop     *loop
	low      int
	high     int
	free     atomic.Bool // nobody has begun it
	panicked bool
	value    any
}

// loop is the state of one call of For.
type loop struct {
	body   func(lo, hi int)
	chunks []*chunk
	// state is how many chunks but the first have not ended, and whether the caller
	// sleeps until they have.
	state atomic.Int32
	wake  chan struct{}
}

// asleep is the bit of loop.state for a caller that sleeps.
const asleep = 1 << 30

// busy counts the chunks, but for the first of each loop, that have not ended.
var busy atomic.Int64

var loops = sync.Pool{New: func() any { return &loop{wake: make(chan struct{}, 1)} }}

// For calls fn on contiguous ranges that together cover [0, n) exactly once.
//
// There are at most GOMAXPROCS ranges, each of at least grain items (unless n
// itself is smaller); grain below 1 means 1. With a single range fn runs on the
// caller's goroutine. For returns when every call of fn has returned. Nested
// calls are allowed. Safe for concurrent use.
//
// The result does not depend on the number of processors if fn(lo, hi) equals
// fn(lo, mid) followed by fn(mid, hi), in either order.
func For(n, grain int, fn func(lo, hi int)) {
	if n <= 0 {
		return
	}
	parts := min(Free(), n/max(grain, 1))
	if parts <= 1 {
		fn(0, n)
		return
	}
	state := loops.Get().(*loop)
	state.start(n, parts, fn)
	state.chunks[0].execute()
	for _, c := range state.chunks[1:parts] {
		if c.claim() {
			c.finish()
		}
	}
	state.wait()
	value, panicked := state.reset(parts)
	loops.Put(state)
	if panicked {
		panic(value)
	}
}

// Free is how many chunks a loop that starts now would have at most: the
// processors that no other loop's chunk is running on, at least 1. A loop in
// the body of a loop that fills the machine runs on its goroutine alone.
func Free() int { return max(1, runtime.GOMAXPROCS(0)-int(busy.Load())) }

// start cuts [0, n) into parts chunks and gives all but the first to helpers.
func (l *loop) start(n, parts int, fn func(lo, hi int)) {
	for len(l.chunks) < parts {
		l.chunks = append(l.chunks, &chunk{loop: l})
	}
	l.body = fn
	l.state.Store(int32(parts - 1))
	busy.Add(int64(parts - 1))
	size, extra, low := n/parts, n%parts, 0
	for i, c := range l.chunks[:parts] {
		c.low, c.high = low, low+size
		if i < extra {
			c.high++
		}
		low = c.high
		if i > 0 {
			c.free.Store(true) // from here on it may run
			c.offer()
		}
	}
}

// claim makes the chunk the caller's to run, unless it is another's.
func (c *chunk) claim() bool { return c.free.Load() && c.free.CompareAndSwap(true, false) }

// execute runs the body on one chunk and keeps its panic for the loop's caller.
func (c *chunk) execute() {
	returned := false
	defer func() {
		if !returned {
			c.value = recover()
			c.panicked = c.value != nil
		}
	}()
	c.loop.body(c.low, c.high)
	returned = true
}

// finish executes a claimed chunk, not the first, and says so. It reports whether the
// caller of For was asleep, and wakes it.
func (c *chunk) finish() (woken bool) {
	defer func() { // also if the body ends the goroutine
		l := c.loop
		busy.Add(-1)
		if l.state.Add(-1) == asleep {
			woken = true
			l.wake <- struct{}{}
		}
	}()
	c.execute()
	return
}

// wait returns when all chunks have ended: soon after, if that is soon.
func (l *loop) wait() {
	if patiently(func() bool { return l.state.Load() == 0 }) {
		return
	}
	if l.state.Or(asleep) != 0 {
		<-l.wake
	}
	l.state.Store(0)
}

// reset forgets the loop's body and panics, and reports the first panic.
func (l *loop) reset(parts int) (value any, panicked bool) {
	for _, c := range l.chunks[:parts] {
		if c.panicked && !panicked {
			value, panicked = c.value, true
		}
		c.value, c.panicked = nil, false
	}
	l.body = nil
	return value, panicked
}
