package bab_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
)

// Whatever prefix of the file a kill leaves, with records in any order, the
// resumed campaign completes it to the same bytes.
func TestCampaignTornFile(t *testing.T) {
	net, list := campaignOf(t, 8)
	path := filepath.Join(t.TempDir(), "results")
	opts := bab.CampaignOptions{Options: reproducible(), File: path}
	runCampaign(t, net, list, opts)
	want := read(t, path)
	lines := bytes.SplitAfter(want, []byte{'\n'})
	lines = lines[:len(lines)-1]
	rng := rand.New(rand.NewPCG(1, 2))
	for cut := range 60 {
		records := slices.Clone(lines[1:])
		rng.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		data := slices.Concat(lines[0], slices.Concat(records...))
		switch cut % 3 {
		case 0:
			data = data[:rng.IntN(len(lines[0])+1)]
		case 1:
			data = data[:rng.IntN(len(data)+1)]
		}
		require.NoError(t, os.WriteFile(path, data, 0o666))
		whole := max(0, bytes.Count(data, []byte{'\n'})-1)
		started := 0
		opts.OnStart = func(string) { started++ }
		runCampaign(t, net, list, opts)
		require.Equal(t, len(list)-whole, started)
		require.Equal(t, string(want), string(read(t, path)))
	}
}

// What no kill can have done is an error with the line's number, and the file
// stays as it is.
func TestCampaignCorruptFile(t *testing.T) {
	net, list := campaignOf(t, 6)
	path := filepath.Join(t.TempDir(), "results")
	opts := bab.CampaignOptions{Options: reproducible(), File: path}
	runCampaign(t, net, list, opts)
	lines := strings.SplitAfter(string(read(t, path)), "\n")
	tests := []struct {
		name string
		line int
		data string
	}{
		{"no campaign at all", 1, "x"},
		{"another file without a newline", 1, `{"network":"onnx"}`},
		{"another file", 1, "id,verdict\n"},
		{"an empty line", 3, lines[0] + lines[1] + "\n" + lines[2]},
		{"a changed verdict", 2, lines[0] + strings.Replace(lines[1], "verified", "Verified", 1) + strings.Replace(lines[1], "falsified", "verified", 1)},
		{"a changed number", 3, lines[0] + lines[1] + strings.Replace(lines[2], `"domains":`, `"domains":1`, 1)},
		{"a torn line in the middle", 3, lines[0] + lines[1] + lines[2][:20] + "\n" + lines[3]},
		{"two lines in one", 3, lines[0] + lines[1] + lines[2][:20] + lines[3]},
		{"the same record twice", 4, lines[0] + lines[1] + lines[2] + lines[1]},
		{"the header twice", 2, lines[0] + lines[0]},
		{"a header of the wrong checksum", 1, strings.Replace(lines[0], `"crc":"`, `"crc":"0`, 1) + lines[1]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(path, []byte(tt.data), 0o666))
			_, err := bab.RunCampaign(context.Background(), net, list, opts)
			var bad *bab.CampaignFileError
			require.ErrorAs(t, err, &bad)
			require.ErrorIs(t, err, bab.ErrCampaignCorrupt)
			require.Equal(t, path, bad.File)
			require.Equal(t, tt.line, bad.Line)
			require.Contains(t, err.Error(), fmt.Sprintf("%s:%d: ", path, tt.line))
			require.Equal(t, tt.data, string(read(t, path)))
		})
	}
}

// A file is resumed only by the campaign that it belongs to.
func TestCampaignMismatch(t *testing.T) {
	net, list := campaignOf(t, 6)
	other := randomDense(t, rand.New(rand.NewPCG(8, 8)), 4, nn.ReLU{})
	path := filepath.Join(t.TempDir(), "results")
	opts := bab.CampaignOptions{Options: reproducible(), File: path}
	runCampaign(t, net, list, opts)
	changed := func(f func(o *bab.CampaignOptions)) bab.CampaignOptions {
		o := opts
		f(&o)
		return o
	}
	renamed := slices.Clone(list)
	renamed[2].ID = "another"
	shifted := slices.Clone(list)
	shifted[2].Property = marginBelow(cube(t, 4, -0.25, 0.5), 0)
	tests := []struct {
		name string
		net  nn.Network
		list []bab.Instance
		opts bab.CampaignOptions
		want string
	}{
		{"network", other, list, opts, "network"},
		{"activation", randomDense(t, rand.New(rand.NewPCG(7, 7)), 4, nn.Sigmoid{}), list, opts, "network"},
		{"seed", net, list, changed(func(o *bab.CampaignOptions) { o.Options.Seed++ }), "options"},
		{"timeout", net, list, changed(func(o *bab.CampaignOptions) { o.Timeout = time.Hour }), "options"},
		{"sharing", net, list, changed(func(o *bab.CampaignOptions) { o.NoSharing = true }), "options"},
		{"fewer", net, list[:5], opts, "properties"},
		{"other order", net, slices.Concat(list[1:], list[:1]), opts, "properties"},
		{"other name", net, renamed, opts, "properties"},
		{"other property", net, shifted, opts, "properties"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := read(t, path)
			_, err := bab.RunCampaign(context.Background(), tt.net, tt.list, tt.opts)
			require.ErrorIs(t, err, bab.ErrCampaignMismatch)
			require.ErrorContains(t, err, "the "+tt.want+" differ")
			require.Equal(t, before, read(t, path))
		})
	}
	runCampaign(t, net, list, changed(func(o *bab.CampaignOptions) { o.Parallel = 3 }))
}
