package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A loop over [0, n) is cut into contiguous chunks of nearly equal length, one
// per processor at most. The caller's goroutine runs the first chunk and new
// goroutines run the others. There is no fixed set of workers to wait for, so a
// body may call For again without a deadlock: an inner loop starts goroutines
// of its own. The bookkeeping of a loop is kept in a pool and its goroutines
// start from functions made once, so that a loop allocates nothing once warm.
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
	panicked bool
	value    any
	run      func() // bound to execute once, so that starting it does not allocate
}

// loop is the state of one call of For.
type loop struct {
	body   func(lo, hi int)
	wait   sync.WaitGroup
	chunks []*chunk
}

// busy counts the goroutines that loops have started and that still run.
var busy atomic.Int64

var loops = sync.Pool{New: func() any { return new(loop) }}

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
	state.wait.Wait()
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

// start cuts [0, n) into parts chunks and starts all but the first.
func (l *loop) start(n, parts int, fn func(lo, hi int)) {
	for len(l.chunks) < parts {
		c := &chunk{loop: l}
		c.run = c.executeApart
		l.chunks = append(l.chunks, c)
	}
	l.body = fn
	l.wait.Add(parts - 1)
	size, extra, low := n/parts, n%parts, 0
	for i := range parts {
		high := low + size
		if i < extra {
			high++
		}
		l.chunks[i].low, l.chunks[i].high = low, high
		low = high
	}
	busy.Add(int64(parts - 1))
	for _, c := range l.chunks[1:parts] {
		go c.run()
	}
}

// executeApart is execute on a goroutine of its own.
func (c *chunk) executeApart() {
	defer c.loop.wait.Done()
	defer busy.Add(-1)
	c.execute()
}

// execute runs the body on one chunk and keeps its panic for the caller.
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
