package reach_test

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/spec/vnnlib"
)

// instance is a published instance of VNN-COMP with its verdict.
type instance struct {
	name, verdict string
	net           *nn.Graph
	prop          *spec.Property
}

// instances are those of $VOUCH_DATA/vnncomp (default ../shared/data beside the
// module) whose network and property names hold the given words.
func instances(t *testing.T, benchmark string, words ...string) []instance {
	if testing.Short() {
		t.Skip("runs for seconds")
	}
	dir := os.Getenv("VOUCH_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	dir = filepath.Join(dir, "vnncomp")
	f, err := os.Open(filepath.Join(dir, "instances_dev.csv"))
	if err != nil {
		t.Skipf("no published instances: %v (set VOUCH_DATA)", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	var out []instance
	nets := map[string]*nn.Graph{}
	for _, r := range rows[1:] {
		id := r[2] + " " + r[3]
		if r[1] != benchmark || !containsAll(id, words) {
			continue
		}
		folder := filepath.Join(dir, r[0], r[1])
		net := nets[r[2]]
		if net == nil {
			net, _, err = onnx.ReadFile(existing(filepath.Join(folder, r[2])), nil)
			require.NoError(t, err)
			nets[r[2]] = net
		}
		prop, err := vnnlib.ReadFile(existing(filepath.Join(folder, r[3])), nil)
		require.NoError(t, err)
		out = append(out, instance{id, r[5], net, prop})
	}
	require.NotEmpty(t, out)
	return out
}

func containsAll(s string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(s, w) {
			return false
		}
	}
	return true
}

func existing(path string) string {
	if _, err := os.Stat(path); err != nil {
		return path + ".gz"
	}
	return path
}

// wordOf is a verdict in the competition's words.
func wordOf(v spec.Verdict) string {
	return map[spec.Verdict]string{spec.Verified: "unsat", spec.Falsified: "sat", spec.Unknown: "unknown"}[v]
}

// TestPublishedVerdicts: approx-star never contradicts, and decides most.
func TestPublishedVerdicts(t *testing.T) {
	for benchmark, least := range map[string]int{"rl_benchmarks": 190, "verivital": 34} {
		decided := 0
		all := instances(t, benchmark)
		for _, i := range all {
			ctx, cancel := context.WithTimeout(bg, 20*time.Second)
			r, err := reach.Verify(ctx, i.net, i.prop, reach.Options{})
			cancel()
			require.NoError(t, err)
			if r.Verdict != spec.Unknown {
				assert.Equal(t, i.verdict, wordOf(r.Verdict), i.name)
				decided++
			}
		}
		t.Logf("%s: %d of %d decided", benchmark, decided, len(all))
		assert.GreaterOrEqual(t, decided, least, benchmark)
	}
}

// TestExactOnAcasxu: exact-star answers properties 3 and 4 on networks 1_7, 1_8 and
// 1_9 as bab does, with and without pruning, and proves property 4 where it holds.
func TestExactOnAcasxu(t *testing.T) {
	for _, prop := range []string{"prop_3.", "prop_4."} {
		for _, net := range []string{"_1_7_", "_1_8_", "_1_9_", "_2_5_"} {
			if prop == "prop_3." && net == "_2_5_" {
				continue // holds too, but takes the plain method long
			}
			i := instances(t, "acasxu", net, prop)[0]
			want, err := bab.Verify(bg, i.net, i.prop, bab.Options{})
			require.NoError(t, err)
			require.Equal(t, i.verdict, wordOf(want.Verdict))
			for _, o := range []reach.Options{{Method: reach.ExactStar}, {Method: reach.ExactStar, NoPrefilter: true}} {
				r, err := reach.Verify(bg, i.net, i.prop, o)
				require.NoError(t, err)
				assert.Equal(t, want.Verdict, r.Verdict, i.name)
				t.Log(i.name, r.Verdict, r.Stats.Domains, r.Stats.Elapsed)
			}
		}
	}
}
