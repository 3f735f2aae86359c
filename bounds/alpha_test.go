package bounds_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
)

// cpuTime is the processor time that the process has used.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestExplore(t *testing.T) {
	if os.Getenv("IT") == "" {
		t.Skip()
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	it, _ := strconv.Atoi(os.Getenv("IT"))
	im, _ := strconv.Atoi(os.Getenv("IM"))
	for k, c := range referenceCases(t) {
		if e := os.Getenv("CASE"); e != "" && e != fmt.Sprint(k) {
			continue
		}
		c.load(t)
		for name, b := range map[string]bounds.Bounder{"AB": bounds.AlphaBeta{Iterations: it}, "Alpha": bounds.Alpha{Iterations: it, Intermediate: im}} {
			start := cpuTime(t)
			q := c.query()
			const shift = 1000 // nothing is decided early
			q.Functions.Const = make([]float64, len(c.Others))
			for f := range q.Functions.Const {
				q.Functions.Const[f] = -shift
			}
			r, err := b.Bound(t.Context(), c.model, q)
			require.NoError(t, err)
			used := cpuTime(t) - start
			for f := range r[0].Lower {
				r[0].Lower[f] += shift
			}
			mean, least := 0.0, r[0].Lower[0]
			for _, v := range r[0].Lower {
				mean += v / float64(len(r[0].Lower))
				least = min(least, v)
			}
			uns := ""
			for _, i := range c.model.Preactivations() {
				n := 0
				w := 0.0
				for e, lo := range r[0].Nodes[i].Lower {
					if lo < 0 && r[0].Nodes[i].Upper[e] > 0 {
						n++
						w += r[0].Nodes[i].Upper[e] - lo
					}
				}
				uns += fmt.Sprintf(" %d(%.4g)", n, w/float64(max(n, 1)))
			}
			fmt.Printf("%-22s %-6s it %d im %d: mean %.4f min %.4f cpu %.3f unstable%s\n", filepath.Base(c.Net), name, it, im, mean, least, used.Seconds(), uns)
		}
	}
}
