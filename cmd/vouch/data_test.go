package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
)

// dataFolder is a folder of the test data; the test is skipped where there is none.
func dataFolder(t *testing.T, below ...string) string {
	t.Helper()
	dir := os.Getenv("VOUCH_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	folder := filepath.Join(append([]string{dir}, below...)...)
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("no test data in %s: set VOUCH_DATA", folder)
	}
	return folder
}

// TestBenchOnVNNCOMP runs small instances of the competition, all of which take
// well under a second: verdicts agree with the published consensus and
// counterexamples replay.
func TestBenchOnVNNCOMP(t *testing.T) {
	if testing.Short() {
		t.Skip("runs for seconds")
	}
	list := filepath.Join(dataFolder(t, "vnncomp"), "instances_dev.csv")
	code, stdout, stderr := vouch("bench", "-instances", list, "-filter", "rl_benchmarks|2024/cora", "-timeout", "60s")
	assert.Equal(t, exitOK, code, stderr)
	for category, count := range map[string]string{"2022/rl_benchmarks": "200", "2024/cora": "20"} {
		assert.Equal(t, []string{category, count, count}, tableRow(t, stdout, category)[:3])
	}
}
