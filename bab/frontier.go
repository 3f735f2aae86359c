package bab

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
)

// frontier is the open domains: a heap by bound, the most violated first.
type frontier struct {
	heap  domainHeap
	bytes int64
	count int // of all pushes, which breaks ties
}

type entry struct {
	d     *domain
	order int
}

type domainHeap []entry

func (h domainHeap) Len() int { return len(h) }
func (h domainHeap) Less(i, j int) bool {
	if h[i].d.bound != h[j].d.bound {
		return h[i].d.bound < h[j].d.bound
	}
	return h[i].order < h[j].order
}
func (h domainHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *domainHeap) Push(x any)   { *h = append(*h, x.(entry)) }
func (h *domainHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = entry{}
	*h = old[:len(old)-1]
	return e
}

func (f *frontier) len() int { return len(f.heap) }

func (f *frontier) push(d *domain) {
	f.count++
	f.bytes += d.bytes()
	heap.Push(&f.heap, entry{d, f.count})
}

// pop removes up to n domains: the most violated ones, or, to save memory,
// the deepest ones.
func (f *frontier) pop(n int, deepest bool) []*domain {
	n = min(n, len(f.heap))
	out := make([]*domain, 0, n)
	if deepest {
		slices.SortStableFunc(f.heap, func(a, b entry) int { return cmp.Or(b.d.depth-a.d.depth, a.order-b.order) })
		for _, e := range f.heap[:n] {
			out = append(out, e.d)
		}
		f.heap = slices.Delete(f.heap, 0, n)
		heap.Init(&f.heap)
	} else {
		for range n {
			out = append(out, heap.Pop(&f.heap).(entry).d)
		}
	}
	for _, d := range out {
		f.bytes -= d.bytes()
	}
	return out
}

// shed drops what domains can do without, to save memory: the variables that
// children would start from.
func (f *frontier) shed() {
	for i := range f.heap {
		d := f.heap[i].d
		f.bytes -= d.bytes()
		d.warm = nil
		f.bytes += d.bytes()
	}
}

// least is the lowest bound of an open domain; +Inf if there is none.
func (f *frontier) least() float64 {
	if len(f.heap) == 0 {
		return math.Inf(1)
	}
	return f.heap[0].d.bound
}
