package main

import (
	"container/list"
	"sync"
)

// cache keeps the values that were asked for last. Safe for concurrent use;
// callers that ask for the same key at a time share one load.
type cache[T any] struct {
	limit int

	mu     sync.Mutex
	byKey  map[string]*list.Element
	recent *list.List // of *cached[T], the last used in front
}

type cached[T any] struct {
	key  string
	load func() (T, error)
}

func newCache[T any](limit int) *cache[T] {
	return &cache[T]{limit: limit, byKey: map[string]*list.Element{}, recent: list.New()}
}

// get is the value of load, called if the key's value is not kept.
func (c *cache[T]) get(key string, load func() (T, error)) (T, error) {
	c.mu.Lock()
	e, ok := c.byKey[key]
	if ok {
		c.recent.MoveToFront(e)
	} else {
		once := sync.OnceValues(func() (T, error) { return contained(load) })
		e = c.recent.PushFront(&cached[T]{key: key, load: once})
		c.byKey[key] = e
		if c.recent.Len() > c.limit {
			old := c.recent.Remove(c.recent.Back()).(*cached[T])
			delete(c.byKey, old.key)
		}
	}
	c.mu.Unlock()
	return e.Value.(*cached[T]).load()
}
