package main

import (
	"encoding/json"
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMethodsTable recomputes the bounds that docs/methods.md shows.
func TestMethodsTable(t *testing.T) {
	folder := dataFolder(t, "vnncomp", "2022", "mnist_fc")
	methods := []string{"ibp", "crown-ibp", "crown", "alpha-crown"}
	rows := 0
	for line := range strings.Lines(read(t, filepath.Join("..", "..", "docs", "methods.md"))) {
		cells := strings.Split(strings.Trim(strings.NewReplacer("*", "", " ", "", "−", "-", "\n", "").Replace(line), "|"), "|")
		if !regexp.MustCompile(`^prop_[\d_.]+$`).MatchString(cells[0]) {
			continue
		}
		rows++
		for i, method := range methods {
			code, stdout, stderr := vouch("bounds", "-net", filepath.Join(folder, "onnx", "mnist-net_256x2.onnx"),
				"-spec", filepath.Join(folder, "vnnlib", cells[0]+".vnnlib"), "-method", method, "-json")
			require.Equal(t, exitOK, code, stderr)
			var answer struct{ Functions []struct{ Lower float64 } }
			require.NoError(t, json.Unmarshal([]byte(stdout), &answer))
			require.Len(t, answer.Functions, 9)
			least := math.Inf(1)
			for _, f := range answer.Functions {
				least = min(least, f.Lower)
			}
			shown, err := strconv.ParseFloat(cells[1+i], 64)
			require.NoError(t, err)
			// Kernels round differently, and an optimiser goes on from there.
			assert.InDelta(t, shown, least, 0.0015, "%s by %s", cells[0], method)
		}
	}
	require.Equal(t, 3, rows)
}
