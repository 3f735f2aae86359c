package parallel_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/internal/parallel"
)

// withProcessors runs f with the given GOMAXPROCS.
func withProcessors(p int, f func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(p))
	f()
}

func TestForCoversEveryIndexOnce(t *testing.T) {
	for _, processors := range []int{1, 2, 3, 8} {
		withProcessors(processors, func() {
			for n := range 50 {
				for _, grain := range []int{-1, 0, 1, 3, 7, 100} {
					hits := make([]int32, n)
					var calls atomic.Int32
					parallel.For(n, grain, func(lo, hi int) {
						calls.Add(1)
						assert.Less(t, lo, hi)
						if n >= grain {
							assert.GreaterOrEqual(t, hi-lo, grain)
						}
						for i := lo; i < hi; i++ {
							atomic.AddInt32(&hits[i], 1)
						}
					})
					for i := range hits {
						require.Equal(t, int32(1), hits[i], "n=%d grain=%d", n, grain)
					}
					assert.LessOrEqual(t, int(calls.Load()), processors)
				}
			}
		})
	}
}

func TestForNests(t *testing.T) {
	withProcessors(4, func() {
		var total atomic.Int64
		parallel.For(20, 1, func(lo, hi int) {
			for range hi - lo {
				parallel.For(20, 1, func(lo, hi int) {
					parallel.For(hi-lo, 1, func(lo, hi int) { total.Add(int64(hi - lo)) })
				})
			}
		})
		assert.Equal(t, int64(400), total.Load())
	})
}

// A loop in the bodies of one that fills the machine has a single chunk.
func TestForLeavesBusyProcessorsAlone(t *testing.T) {
	withProcessors(3, func() {
		var begun, ended sync.WaitGroup
		begun.Add(3)
		ended.Add(3)
		var inner atomic.Int32
		assert.Equal(t, 3, parallel.Free())
		parallel.For(3, 1, func(int, int) {
			begun.Done()
			begun.Wait()
			assert.Equal(t, 1, parallel.Free())
			parallel.For(100, 1, func(int, int) { inner.Add(1) })
			ended.Done()
			ended.Wait()
		})
		assert.Equal(t, int32(3), inner.Load())
		assert.Equal(t, 3, parallel.Free())
	})
}

func TestForPropagatesThePanicOfTheLowestChunk(t *testing.T) {
	for _, processors := range []int{1, 4} {
		withProcessors(processors, func() {
			for range 20 {
				assert.PanicsWithValue(t, "index 0", func() {
					parallel.For(100, 1, func(lo, hi int) { panic(fmt.Sprintf("index %d", lo)) })
				})
			}
			done := atomic.Int32{}
			parallel.For(100, 1, func(lo, hi int) { done.Add(int32(hi - lo)) })
			assert.Equal(t, int32(100), done.Load(), "a loop after a panic is whole")
		})
	}
}

// Many goroutines run loops of all lengths at once, some of them nested, while the number
// of processors changes: each index is visited once.
func TestForFromManyGoroutines(t *testing.T) {
	withProcessors(4, func() {
		var callers sync.WaitGroup
		for g := range 8 {
			callers.Go(func() {
				hits := make([]int32, 200)
				for k := range 2000 {
					clear(hits)
					n := 1 + (k*37+g)%len(hits)
					parallel.For(n, 1, func(lo, hi int) {
						if k%3 == 0 {
							parallel.For(hi-lo, 1, func(from, to int) {
								for i := from; i < to; i++ {
									hits[lo+i]++
								}
							})
							return
						}
						for i := lo; i < hi; i++ {
							hits[i]++
						}
					})
					for i := range n {
						if hits[i] != 1 {
							t.Errorf("loop %d over %d: index %d is visited %d times", k, n, i, hits[i])
							return
						}
					}
					if k%500 == 0 {
						runtime.GOMAXPROCS(2 + (k/500+g)%5)
					}
				}
			})
		}
		callers.Wait()
		assert.Equal(t, runtime.GOMAXPROCS(0), parallel.Free(), "nothing is busy")
	})
}

// A caller that is faster than goroutines start does not start more and more of them.
func TestForHelpersDoNotPileUp(t *testing.T) {
	withProcessors(4, func() {
		before, most := runtime.NumGoroutine(), 0
		for range 20000 {
			parallel.For(4, 1, func(int, int) {})
			most = max(most, runtime.NumGoroutine()-before)
		}
		assert.Less(t, most, 100, "few, where the runtime counts some twice while it moves them")
	})
}

func TestForDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties pools")
	}
	out := make([]int, 64)
	body := func(lo, hi int) {
		for i := lo; i < hi; i++ {
			out[i] = i
		}
	}
	withProcessors(4, func() {
		for range 100 {
			parallel.For(len(out), 1, body)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 1000 {
			parallel.For(len(out), 1, body)
		}
		runtime.ReadMemStats(&after)
		assert.Less(t, after.Mallocs-before.Mallocs, uint64(200), "1000 loops")
	})
}

func ExampleFor() {
	squares := make([]int, 5)
	parallel.For(len(squares), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			squares[i] = i * i
		}
	})
	fmt.Println(squares)
	// Output: [0 1 4 9 16]
}
