package train

// Speed on M1 with batches of 128: what a step and an attack's step cost.

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
)

// median reports the median of b.N calls of f in milliseconds, beside the best.
func median(b *testing.B, f func()) {
	f()
	var times []time.Duration
	for b.Loop() {
		start := time.Now()
		f()
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1e3, "median-ms")
	b.ReportMetric(float64(times[0].Microseconds())/1e3, "best-ms")
}

// BenchmarkM1 is forward + backward + Adam, and forward + gradient to the input.
func BenchmarkM1(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	net, err := NewNetwork("M1")
	if err != nil {
		b.Fatal(err)
	}
	Initialize(net, He, 1)
	data := randomBatch(net, 1, 128)
	for procs := 1; procs <= min(2, runtime.NumCPU()); procs++ {
		runtime.GOMAXPROCS(procs)
		r, err := newRun(net, &Samples{data.X, data.Labels}, Options{Loss: CrossEntropy{}, Epochs: 1 << 20})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("step/procs=%d", procs), func(b *testing.B) {
			median(b, func() {
				if _, _, err := r.one(context.Background()); err != nil {
					b.Fatal(err)
				}
			})
		})
		p := newPass(r.m)
		b.Run(fmt.Sprintf("input-gradient/procs=%d", procs), func(b *testing.B) {
			median(b, func() {
				p.run(data.X, 128, false, nil)
				copy(p.GradOutput(), p.Output())
				p.back(nil, true)
			})
		})
		s := newStep(r.m)
		b.Run(fmt.Sprintf("nbc-7/procs=%d", procs), func(b *testing.B) {
			loss := NewNBC(Constant(1), Attack{Epsilon: Constant(0.3), Steps: 7})
			median(b, func() {
				s.begin(data, 0.5, rand.New(rand.NewPCG(1, 2)))
				if _, err := s.gradient(context.Background(), loss); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}
