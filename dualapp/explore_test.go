package dualapp_test

import (
	"context"
	"github.com/stretchr/testify/require"
	"github.com/vouchnn/vouch/bab"
	"os"
	"regexp"
	"testing"
	"time"
)

func TestExplore(t *testing.T) {
	re := regexp.MustCompile(os.Getenv("MATCH"))
	for _, q := range splitQuestions(t) {
		if !re.MatchString(q.name) {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		r, err := bab.Verify(ctx, q.net, q.prop, bab.Options{Split: bab.SplitNeuron, Refine: bab.RefineOff})
		cancel()
		require.NoError(t, err)
		t.Log(q.name, r.Verdict, r.Reason, r.Stats.Domains, r.Stats.Elapsed)
	}
}
