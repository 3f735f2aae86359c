package vnnlib

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

// synthetic writes boxes disjuncts of n inputs each, which all differ or which
// differ in one bound.
func synthetic(boxes, n int, share bool) []byte {
	r := rand.New(rand.NewPCG(5, 6))
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "(declare-const X_%d Real)\n", i)
	}
	b.WriteString("(declare-const Y_0 Real)\n(declare-const Y_1 Real)\n(assert (or\n")
	for k := range boxes {
		b.WriteString("(and")
		for i := range n {
			l, u := 0.25, 0.75
			if !share {
				l, u = r.Float64(), 1+r.Float64()
			} else if i == k%n {
				u += float64(k) * 0x1p-20
			}
			fmt.Fprintf(&b, " (>= X_%d %v) (<= X_%d %v)", i, l, i, u)
		}
		b.WriteString(" (<= Y_0 Y_1))\n")
	}
	b.WriteString("))\n")
	return b.Bytes()
}

// flat is the usual file: one box as top-level asserts.
func flat(n int) []byte {
	var b bytes.Buffer
	b.WriteString("(declare-const Y_0 Real)\n(declare-const Y_1 Real)\n")
	for i := range n {
		fmt.Fprintf(&b, "(declare-const X_%d Real)\n", i)
	}
	for i := range n {
		fmt.Fprintf(&b, "(assert (<= X_%d 0.%07d))\n(assert (>= X_%d -1.35308588))\n", i, i%10_000_000, i)
	}
	b.WriteString("(assert (or (and (<= Y_0 Y_1)) (and (<= Y_1 0.5))))")
	return b.Bytes()
}

func BenchmarkRead(b *testing.B) {
	for _, c := range []struct {
		name string
		text []byte
	}{
		{"boxes", synthetic(5000, 100, false)},
		{"boxes/shared", synthetic(10000, 100, true)},
		{"flat", flat(400_000)},
		{"linear", []byte(unit + "(assert (or" + strings.Repeat(" (<= (+ (* 0.125 Y_0) (* -0.3 Y_1)) 1.5)\n", 300_000) + "))")},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for b.Loop() {
				p, err := Read(bytes.NewReader(c.text), "", nil)
				if err != nil {
					b.Fatal(err)
				}
				runtime.KeepAlive(p)
			}
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(b.N)/float64(len(c.text)), "allocated/byte")
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	text := synthetic(1000, 100, false)
	p, err := Read(bytes.NewReader(text), "", nil)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if err := Write(io.Discard, p); err != nil {
			b.Fatal(err)
		}
	}
}
