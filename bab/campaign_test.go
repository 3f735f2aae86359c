package bab_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// campaignOf is a network and n instances: boxes that nest, balls of other
// norms inside them, and margins planted near the least value, so that all
// verdicts occur.
func campaignOf(tb testing.TB, n int) (nn.Network, []bab.Instance) {
	rng := rand.New(rand.NewPCG(7, 7))
	net := randomDense(tb, rng, 4, nn.ReLU{})
	var list []bab.Instance
	for i := range n {
		radius := []float64{0.8, 0.2, 0.5, 0.5}[i%4]
		box := cube(tb, 4, -radius, radius)
		var region spec.Region = box
		if i%6 == 5 {
			ball, err := spec.NewBall(spec.L2, make([]float64, 4), radius, nil)
			require.NoError(tb, err)
			region = ball
		}
		gap := []float64{-0.05, 1e-3, -1e-4}[i%3]
		list = append(list, bab.Instance{ID: fmt.Sprintf("i<%d>", n-i), Property: marginBelow(region, sampledLeast(rng, net, box)+gap)})
	}
	return net, list
}

func reproducible() bab.Options { return bab.Options{MaxDomains: 300, Seed: 3} }

func runCampaign(tb testing.TB, net nn.Network, list []bab.Instance, opts bab.CampaignOptions) *bab.CampaignReport {
	tb.Helper()
	report, err := bab.RunCampaign(context.Background(), net, list, opts)
	require.NoError(tb, err)
	require.Empty(tb, report.Unfinished)
	require.Len(tb, report.Results, len(list))
	for i, r := range report.Results {
		require.Equal(tb, list[i].ID, r.ID)
		requireConsistent(tb, net, list[i].Property, r.Result)
	}
	return report
}

func read(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	require.NoError(tb, err)
	return data
}

// Neither the number of workers nor the file shows in a result, and sharing
// bounds does not contradict Verify.
func TestCampaignIsVerify(t *testing.T) {
	net, list := campaignOf(t, 24)
	var first []byte
	for _, parallel := range []int{1, 2, 5, 0} {
		path := filepath.Join(t.TempDir(), "results")
		heard := 0
		report := runCampaign(t, net, list, bab.CampaignOptions{
			Options: reproducible(), Parallel: parallel, File: path,
			OnResult: func(r bab.InstanceResult) { heard++; require.False(t, r.Stored) },
		})
		require.Equal(t, len(list), heard)
		if first == nil {
			first = read(t, path)
		}
		require.Equal(t, string(first), string(read(t, path)))
		verdicts := map[spec.Verdict]int{}
		for i, r := range report.Results {
			verdicts[r.Result.Verdict]++
			alone := verify(t, net, list[i].Property, reproducible())
			if alone.Verdict != spec.Unknown && r.Result.Verdict != spec.Unknown {
				require.Equal(t, alone.Verdict, r.Result.Verdict)
			}
		}
		require.Greater(t, verdicts[spec.Verified], 3)
		require.Greater(t, verdicts[spec.Falsified], 3)
		left, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		require.Len(t, left, 1, "no lock and no temporary file is left over")
	}
	plain := runCampaign(t, net, list, bab.CampaignOptions{Options: reproducible(), NoSharing: true})
	for i, r := range plain.Results {
		alone := verify(t, net, list[i].Property, reproducible())
		alone.Stats.Elapsed, r.Result.Stats.Elapsed = 0, 0
		require.Equal(t, alone, r.Result)
	}
}

// A file that is complete is not touched, and its results are those that were
// reported when it was written.
func TestCampaignResumesACompleteFile(t *testing.T) {
	net, list := campaignOf(t, 12)
	path := filepath.Join(t.TempDir(), "results")
	opts := bab.CampaignOptions{Options: reproducible(), File: path}
	report := runCampaign(t, net, list, opts)
	before := read(t, path)
	var heard []string
	opts.OnStart = func(id string) { t.Errorf("%s is verified again", id) }
	opts.OnResult = func(r bab.InstanceResult) { heard = append(heard, r.ID) }
	again := runCampaign(t, net, list, opts)
	require.Equal(t, before, read(t, path))
	for i, r := range again.Results {
		require.True(t, r.Stored)
		require.Equal(t, list[i].ID, heard[i])
		report.Results[i].Result.Stats.Elapsed = 0
		require.Equal(t, report.Results[i].Result, r.Result)
	}
}

const childFile, childParallel, childLog = "VOUCH_CAMPAIGN_FILE", "VOUCH_CAMPAIGN_PARALLEL", "VOUCH_CAMPAIGN_LOG"

const killInstances = 90

// TestCampaignChild is the process that TestCampaignKilled kills.
func TestCampaignChild(t *testing.T) {
	path := os.Getenv(childFile)
	if path == "" {
		t.Skip("run by TestCampaignKilled")
	}
	log, err := os.OpenFile(os.Getenv(childLog), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
	require.NoError(t, err)
	parallel, err := strconv.Atoi(os.Getenv(childParallel))
	require.NoError(t, err)
	net, list := campaignOf(t, killInstances)
	runCampaign(t, net, list, bab.CampaignOptions{
		Options: reproducible(), Parallel: parallel, File: path,
		OnStart: func(id string) { fmt.Fprintln(log, "start", id) },
		OnResult: func(r bab.InstanceResult) {
			if !r.Stored {
				fmt.Fprintln(log, "done", r.ID)
			}
		},
	})
}

// Done criterion of the design: a campaign killed at random moments and resumed
// leaves the file of an undisturbed one, and verifies nothing again that was
// finished.
func TestCampaignKilled(t *testing.T) {
	if os.Getenv(childFile) != "" {
		t.Skip("this is the child")
	}
	net, list := campaignOf(t, killInstances)
	dir := t.TempDir()
	want := filepath.Join(dir, "undisturbed")
	runCampaign(t, net, list, bab.CampaignOptions{Options: reproducible(), File: want})

	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1)) // moments are random anyway
	kills := 0
	for round := 0; kills < 20; round++ {
		path := filepath.Join(dir, fmt.Sprint("killed", round))
		starts := 0
		for run := 0; ; run++ {
			finished := finishedIDs(t, path)
			log := filepath.Join(dir, fmt.Sprintf("log%d.%d", round, run))
			killed := runChild(t, rng, path, log)
			started, done := logged(t, log)
			starts += len(started)
			now := finishedIDs(t, path)
			for _, id := range started {
				require.NotContains(t, finished, id, "a finished instance was verified again")
			}
			for _, id := range slices.Concat(done, finished) {
				require.Contains(t, now, id, "a result was lost")
			}
			if !killed {
				break
			}
			kills++
		}
		require.Equal(t, string(read(t, want)), string(read(t, path)))
		t.Logf("%d kills so far; %d starts for %d instances", kills, starts, len(list))
	}
}

// runChild runs the campaign in a process and kills it at a random moment, if
// it lasts so long.
func runChild(t *testing.T, rng *rand.Rand, path, log string) (killed bool) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestCampaignChild$", "-test.count=1")
	cmd.Env = append(os.Environ(), childFile+"="+path, childLog+"="+log, childParallel+"="+strconv.Itoa(1+rng.IntN(3)))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	// Some time after the log has grown to a random length, or anywhen.
	lines, extra := rng.IntN(9)-1, time.Duration(rng.IntN(20_000))*time.Microsecond
	for {
		select {
		case err := <-ended:
			require.NoError(t, err, out.String())
			return false
		case <-time.After(time.Millisecond):
		}
		if data, _ := os.ReadFile(log); bytes.Count(data, []byte{'\n'}) >= lines {
			break
		}
	}
	select {
	case err := <-ended:
		require.NoError(t, err, out.String())
		return false
	case <-time.After(extra):
	}
	// It may have ended by itself in this very moment.
	if err := cmd.Process.Kill(); !errors.Is(err, os.ErrProcessDone) {
		require.NoError(t, err)
	}
	return <-ended != nil
}

func logged(t *testing.T, path string) (started, done []string) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		word, id, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if word == "start" {
			started = append(started, id)
		} else {
			done = append(done, id)
		}
	}
	return started, done
}

// finishedIDs is the whole records of a results file.
func finishedIDs(t *testing.T, path string) []string {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	var ids []string
	for line := range strings.Lines(string(data)) {
		var r struct{ ID string }
		if !strings.HasSuffix(line, "\n") {
			break
		}
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		if r.ID != "" {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// Cancelled at any moment, the campaign says what is unfinished, and goes on
// later.
func TestCampaignCancelled(t *testing.T) {
	net, list := campaignOf(t, 24)
	dir := t.TempDir()
	want := filepath.Join(dir, "undisturbed")
	runCampaign(t, net, list, bab.CampaignOptions{Options: reproducible(), File: want})
	path := filepath.Join(dir, "results")
	finished := 0
	for after := 0; finished < len(list); after++ {
		ctx, cancel := context.WithCancel(context.Background())
		fresh := 0
		opts := bab.CampaignOptions{Options: reproducible(), Parallel: 2, File: path}
		if after == 0 {
			cancel()
		}
		opts.OnResult = func(r bab.InstanceResult) {
			if !r.Stored {
				if fresh++; fresh == after {
					cancel()
				}
			}
		}
		report, err := bab.RunCampaign(ctx, net, list, opts)
		cancel()
		require.NoError(t, err)
		require.Equal(t, len(list), len(report.Results)+len(report.Unfinished))
		require.Len(t, report.Results, finished+fresh)
		require.Len(t, finishedIDs(t, path), len(report.Results))
		if finished = len(report.Results); finished < len(list) {
			require.Equal(t, spec.ReasonCancelled, report.Reason)
		} else {
			require.Equal(t, spec.ReasonNone, report.Reason)
		}
	}
	require.Equal(t, string(read(t, want)), string(read(t, path)))

	ctx, cancel := context.WithTimeout(context.Background(), 0)
	defer cancel()
	report, err := bab.RunCampaign(ctx, net, list, bab.CampaignOptions{})
	require.NoError(t, err)
	require.Equal(t, spec.ReasonTimeout, report.Reason)
	require.Len(t, report.Unfinished, len(list))
}

// An instance's own time limit is a result like others.
func TestCampaignTimeout(t *testing.T) {
	net, list := campaignOf(t, 6)
	opts := bab.CampaignOptions{Timeout: time.Nanosecond, File: filepath.Join(t.TempDir(), "results")}
	for range 2 {
		report := runCampaign(t, net, list, opts)
		for _, r := range report.Results {
			require.Equal(t, spec.ReasonTimeout, r.Result.Reason)
		}
	}
}

func TestCampaignLock(t *testing.T) {
	net, list := campaignOf(t, 4)
	path := filepath.Join(t.TempDir(), "results")
	require.NoError(t, os.WriteFile(path+".lock", nil, 0o666), "left over from a kill: no obstacle")
	opts := bab.CampaignOptions{Options: reproducible(), File: path, Parallel: 1}
	tried := false
	outer := opts
	outer.OnStart = func(string) {
		if tried {
			return
		}
		tried = true
		_, err := bab.RunCampaign(context.Background(), net, list, opts)
		require.ErrorIs(t, err, bab.ErrCampaignLocked)
		var bad *bab.CampaignFileError
		require.ErrorAs(t, err, &bad)
		require.Equal(t, path, bad.File)
	}
	runCampaign(t, net, list, outer)
	require.True(t, tried)
	runCampaign(t, net, list, opts)
	require.NoFileExists(t, path+".lock")
}

func TestCampaignRefuses(t *testing.T) {
	net, list := campaignOf(t, 3)
	with := func(i int, in bab.Instance) []bab.Instance {
		l := slices.Clone(list)
		l[i] = in
		return l
	}
	tests := []struct {
		name string
		list []bab.Instance
		opts bab.CampaignOptions
		want string
	}{
		{"a name twice", with(2, bab.Instance{ID: list[0].ID, Property: list[2].Property}), bab.CampaignOptions{}, `instance "i<3>": the ID is used twice, at indices 0 and 2`},
		{"no name", with(1, bab.Instance{Property: list[1].Property}), bab.CampaignOptions{}, "empty"},
		{"no UTF-8", with(1, bab.Instance{ID: "\xff", Property: list[1].Property}), bab.CampaignOptions{}, "not UTF-8"},
		{"no property", with(1, bab.Instance{ID: "x"}), bab.CampaignOptions{}, `instance "x": there is no property`},
		{"a malformed property", with(1, bab.Instance{ID: "x", Property: &spec.Property{Inputs: 4, Outputs: 3}}), bab.CampaignOptions{}, "has no cases"},
		{"a property of another network", with(1, bab.Instance{ID: "x", Property: marginBelow(cube(t, 5, 0, 1), 0)}), bab.CampaignOptions{}, "speaks of 5 inputs"},
		{"workers", list, bab.CampaignOptions{Parallel: -1}, "Parallel = -1 is not in [0, 4096]"},
		{"time", list, bab.CampaignOptions{Timeout: -1}, "Timeout = -1ns is negative"},
		{"options", list, bab.CampaignOptions{Options: bab.Options{Batch: -1}}, "Batch"},
		{"a folder that is not there", list, bab.CampaignOptions{File: filepath.Join(t.TempDir(), "no", "results")}, "no"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := bab.RunCampaign(context.Background(), net, tt.list, tt.opts)
			require.ErrorContains(t, err, tt.want)
		})
	}
	report, err := bab.RunCampaign(context.Background(), net, nil, bab.CampaignOptions{File: filepath.Join(t.TempDir(), "empty")})
	require.NoError(t, err)
	require.Empty(t, report.Results)
}

// A callback's panic arrives where RunCampaign was called, and frees the file.
func TestCampaignPanic(t *testing.T) {
	net, list := campaignOf(t, 6)
	opts := bab.CampaignOptions{Options: reproducible(), File: filepath.Join(t.TempDir(), "results")}
	opts.OnResult = func(bab.InstanceResult) { panic("caller's") }
	require.PanicsWithValue(t, "caller's", func() { bab.RunCampaign(context.Background(), net, list, opts) })
	opts.OnResult = nil
	runCampaign(t, net, list, opts)
}
