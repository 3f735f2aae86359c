package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestStatus(t *testing.T) {
	var out bytes.Buffer
	a := &app{stderr: &out, start: time.Now()}
	assert.Nil(t, a.newStatus(false), "no terminal, not asked: silent")
	(*status)(nil).end()

	s := a.newStatus(true)
	s.show("too early")
	assert.Empty(t, out.String())
	s.last = s.last.Add(-2 * time.Second)
	s.show("%d open", 3)
	s.show("too soon after")
	s.end()
	assert.Equal(t, "3 open\n", out.String())

	// On a terminal one line changes, and is gone at the end.
	out.Reset()
	s = &status{w: &out}
	s.show("%d open", 12)
	s.last = time.Time{}
	s.show("%d open", 3)
	s.end()
	s.last = time.Time{}
	s.show("late")
	assert.Equal(t, "\r12 open\r3 open \r       \r", out.String())
}
