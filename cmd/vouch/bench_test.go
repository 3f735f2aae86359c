package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// benchWith runs vouch bench with another verifier.
func benchWith(ctx context.Context, verify verifier, args ...string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	a := &app{start: time.Now(), stdin: strings.NewReader(""), stdout: &out, stderr: &errs}
	c := &benchCommand{app: a, verify: verify}
	cmd := c.command()
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	err = cmd.ExecuteContext(ctx)
	return out.String(), errs.String(), err
}

// headed is a list in the headed form of the files below dir/2022/tiny, which
// it makes.
func headed(t *testing.T, rows ...string) (list string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "2022"), 0o755))
	require.NoError(t, os.Rename(files(t), filepath.Join(dir, "2022", "tiny")))
	put(t, dir, "list.csv", "year,benchmark,onnx,vnnlib,timeout,verdict,fastest_seconds_vnncomp\n"+strings.Join(rows, "\n")+"\n")
	return filepath.Join(dir, "list.csv")
}

func rowsOf(t *testing.T, path string) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(read(t, path))).ReadAll()
	require.NoError(t, err)
	for _, r := range rows {
		require.Len(t, r, 6)
		for _, s := range []string{r[3], r[5]} {
			v, err := strconv.ParseFloat(s, 64)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, v, 0.0)
		}
	}
	return rows
}

// tableRow is the cells of the summary's line for a category.
func tableRow(t *testing.T, stdout, category string) []string {
	t.Helper()
	for line := range strings.Lines(stdout) {
		if cells := strings.Split(strings.Trim(line, "│\n"), "│"); strings.TrimSpace(cells[0]) == category {
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			return cells
		}
	}
	t.Fatalf("no line of %s in\n%s", category, stdout)
	return nil
}

func TestBenchCompetitionForm(t *testing.T) {
	dir := files(t)
	zip(t, dir, "zero.onnx")
	zip(t, dir, "holds.vnnlib")
	put(t, dir, "instances.csv", "./zero.onnx,holds.vnnlib,20\nzero.onnx,./violated.vnnlib,20.0\n")
	out := filepath.Join(dir, "rows.csv")
	code, stdout, stderr := vouch("bench", "-instances", filepath.Join(dir, "instances.csv"), "-csv", out)
	assert.Equal(t, exitOK, code, stderr)
	assert.Empty(t, stderr, "quiet where standard error is no terminal")
	rows := rowsOf(t, out)
	require.Len(t, rows, 2)
	name := filepath.Base(dir)
	assert.Equal(t, []string{name, "./zero.onnx", "holds.vnnlib"}, rows[0][:3])
	assert.Equal(t, "unsat", rows[0][4])
	assert.Equal(t, "sat", rows[1][4])
	// benchmark, instances, solved, sat, unsat, wrong, bad cex, timeout, unknown, error
	assert.Equal(t, []string{name, "2", "2", "1", "1", "0", "0", "0", "0", "0"}, tableRow(t, stdout, name)[:10])
	assert.Equal(t, []string{"total", "2", "2", "1", "1", "0", "0", "0", "0", "0"}, tableRow(t, stdout, "total")[:10])

	// The same list on standard input, with the root named.
	var again, errs bytes.Buffer
	code = run(context.Background(), []string{"bench", "-instances", "-", "-root", dir, "-v", "-jobs", "2"}, strings.NewReader(read(t, filepath.Join(dir, "instances.csv"))), &again, &errs)
	assert.Equal(t, exitOK, code, errs.String())
	assert.Equal(t, "2", tableRow(t, again.String(), name)[2])
	assert.Equal(t, 2, strings.Count(errs.String(), "\n"), "one line per instance: %s", errs.String())
}

func TestBenchHeadedForm(t *testing.T) {
	list := headed(t,
		"2022,tiny,zero.onnx,holds.vnnlib,20,unsat,0.1",
		"2022,tiny,zero.onnx,violated.vnnlib,20.5,sat,0.1",
		"2022,tiny,zero.onnx,holds.vnnlib,,unknown,",
		"2022,tiny,zero.onnx,holds.vnnlib,20,conflict,")
	code, stdout, stderr := vouch("bench", "-instances", list)
	assert.Equal(t, exitOK, code, stderr)
	row := tableRow(t, stdout, "2022/tiny")
	assert.Equal(t, []string{"2022/tiny", "4", "4", "1", "3", "0", "0", "0", "0", "0"}, row[:10])
	for _, s := range row[10:13] {
		assert.Regexp(t, `^\d+\.\d{3}$`, s)
	}
}

func TestBenchFindsFaults(t *testing.T) {
	list := headed(t,
		"2022,tiny,zero.onnx,holds.vnnlib,20,sat,0.1",      // wrong verdict
		"2022,tiny,zero.onnx,violated.vnnlib,20,unsat,0.1", // wrong verdict
		"2022,tiny,zero.onnx,holds.vnnlib,20,unsat,0.1",    // right
		"2022,tiny,bad.onnx,holds.vnnlib,20,unsat,0.1",     // malformed
		"2022,tiny,none.onnx,holds.vnnlib,20,unsat,0.1",    // missing
		"2022,tiny,zero.onnx,holds.vnnlib,1e-9,unsat,0.1")  // timeout
	out := filepath.Join(t.TempDir(), "rows.csv")
	code, stdout, stderr := vouch("bench", "-instances", list, "-csv", out)
	assert.Equal(t, exitError, code)
	assert.Equal(t, []string{"2022/tiny", "6", "1", "0", "1", "2", "0", "1", "0", "2"}, tableRow(t, stdout, "2022/tiny")[:10])
	assert.Contains(t, stderr, "WRONG: listed as sat")
	assert.Contains(t, stderr, "none.onnx")
	assert.Contains(t, stderr, "2 wrong, 0 counterexamples that do not replay, 2 errors")
	var results []string
	for _, r := range rowsOf(t, out) {
		results = append(results, r[4])
	}
	assert.Equal(t, []string{"unsat", "sat", "unsat", "error", "error", "timeout"}, results)

	// Each fault alone makes the run fail; what remains does not.
	for filter, want := range map[string]int{"none": exitError, "bad": exitError, "violated": exitError} {
		code, _, _ := vouch("bench", "-instances", list, "-filter", filter)
		assert.Equal(t, want, code, filter)
	}
}

func TestBenchFilterAndTimeout(t *testing.T) {
	list := headed(t,
		"2022,tiny,zero.onnx,holds.vnnlib,20,unsat,0.1",
		"2022,tiny,zero.onnx,violated.vnnlib,20,sat,0.1")
	code, stdout, stderr := vouch("bench", "-instances", list, "-filter", `^2022/tiny zero\.onnx hol`)
	assert.Equal(t, exitOK, code, stderr)
	assert.Equal(t, "1", tableRow(t, stdout, "2022/tiny")[1])

	code, stdout, stderr = vouch("bench", "-instances", list, "-timeout", "1ns")
	assert.Equal(t, exitOK, code, stderr)
	assert.Equal(t, "2", tableRow(t, stdout, "2022/tiny")[7], "timeouts")

	code, _, stderr = vouch("bench", "-instances", list, "-filter", "nothing like it")
	assert.Equal(t, exitError, code)
	assert.Contains(t, stderr, "none of 2 instances")

	c := &benchCommand{timeout: timeoutFlag(5 * time.Second)}
	assert.Equal(t, 5*time.Second, c.limit(instance{timeout: 20 * time.Second}))
	assert.Equal(t, 2*time.Second, c.limit(instance{timeout: 2 * time.Second}))
	assert.Equal(t, 5*time.Second, c.limit(instance{}))
	c.timeout = 0
	assert.Equal(t, 2*time.Second, c.limit(instance{timeout: 2 * time.Second}))
	assert.Zero(t, c.limit(instance{}))
}

func TestBenchJSON(t *testing.T) {
	list := headed(t,
		"2022,tiny,zero.onnx,holds.vnnlib,1e-9,unsat,0.1",
		"2022,tiny,none.onnx,violated.vnnlib,20,sat,0.1")
	code, stdout, _ := vouch("bench", "-instances", list, "-json")
	assert.Equal(t, exitError, code)
	var got struct {
		Instances []map[string]any
		Summary   []map[string]any
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	require.Len(t, got.Instances, 2)
	assert.Equal(t, "timeout", got.Instances[0]["result"])
	assert.Equal(t, "error", got.Instances[1]["result"])
	assert.Contains(t, got.Instances[1]["reason"], "none.onnx")
	require.Len(t, got.Summary, 2)
	assert.EqualValues(t, 1, got.Summary[1]["errors"])
	assert.Nil(t, got.Summary[1]["median_seconds"], "nothing was solved")
}

// TestBenchFlushesRows looks at the file while the second instance runs.
func TestBenchFlushesRows(t *testing.T) {
	list := headed(t,
		"2022,tiny,zero.onnx,holds.vnnlib,20,unsat,0.1",
		"2022,tiny,zero.onnx,violated.vnnlib,20,unsat,0.1")
	out := filepath.Join(t.TempDir(), "rows.csv")
	calls := 0
	_, _, err := benchWith(context.Background(), func(context.Context, nn.Network, *spec.Property, bab.Options) (*spec.Result, error) {
		calls++
		if calls == 2 {
			// The row is written while this goroutine goes on.
			assert.Eventually(t, func() bool { return strings.Count(read(t, out), "\n") == 1 }, 5*time.Second, time.Millisecond)
		}
		return &spec.Result{Verdict: spec.Verified}, nil
	}, "--instances", list, "--csv", out)
	require.NoError(t, err)
	assert.Equal(t, 2, calls)
	assert.Len(t, rowsOf(t, out), 2)
}

func TestBenchContainsPanics(t *testing.T) {
	list := headed(t,
		"2022,tiny,zero.onnx,holds.vnnlib,20,unsat,0.1",
		"2022,tiny,zero.onnx,violated.vnnlib,20,sat,0.1")
	calls := 0
	stdout, stderr, err := benchWith(context.Background(), func(context.Context, nn.Network, *spec.Property, bab.Options) (*spec.Result, error) {
		calls++
		if calls == 1 {
			panic("index out of range")
		}
		// A counterexample outside the region.
		return &spec.Result{Verdict: spec.Falsified, Counterexample: &spec.Counterexample{Input: []float64{3}}}, nil
	}, "--instances", list, "-v")
	require.ErrorContains(t, err, "1 counterexamples that do not replay, 1 errors")
	assert.Equal(t, []string{"2022/tiny", "2", "0", "0", "0", "0", "1", "0", "0", "1"}, tableRow(t, stdout, "2022/tiny")[:10])
	assert.Contains(t, stderr, "panic: index out of range")
	assert.Contains(t, stderr, "bench_test.go", "the stack")
	assert.Contains(t, stderr, "lies in no region")
}

func TestBenchInterrupted(t *testing.T) {
	list := headed(t,
		"2022,tiny,zero.onnx,holds.vnnlib,20,unsat,0.1",
		"2022,tiny,zero.onnx,holds.vnnlib,20,unsat,0.1",
		"2022,tiny,zero.onnx,holds.vnnlib,20,unsat,0.1")
	out := filepath.Join(t.TempDir(), "rows.csv")
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	stdout, _, err := benchWith(ctx, func(ctx context.Context, _ nn.Network, _ *spec.Property, _ bab.Options) (*spec.Result, error) {
		calls++
		if calls == 2 {
			cancel()
			<-ctx.Done()
			return &spec.Result{Verdict: spec.Unknown, Reason: spec.ReasonCancelled}, nil
		}
		return &spec.Result{Verdict: spec.Verified}, nil
	}, "--instances", list, "--csv", out)
	require.ErrorContains(t, err, "interrupted after 1 of 3")
	assert.Len(t, rowsOf(t, out), 1)
	assert.Equal(t, "1", tableRow(t, stdout, "total")[1])
}

// A run that was interrupted, and cut in the middle of a row, goes on: every instance has
// one row in the end, and the table is of all of them. A wrong verdict in a row that was
// there counts.
func TestBenchResumes(t *testing.T) {
	list := headed(t,
		"2022,tiny,zero.onnx,holds.vnnlib,20,unsat,0.1",
		"2022,tiny,zero.onnx,violated.vnnlib,20,sat,0.1",
		"2022,tiny,zero.onnx,holds.vnnlib,20,unsat,0.1")
	out := filepath.Join(t.TempDir(), "rows.csv")
	ran := 0
	verify := func(ctx context.Context, net nn.Network, p *spec.Property, o bab.Options) (*spec.Result, error) {
		ran++
		return bab.Verify(ctx, net, p, o)
	}
	run := func() (string, error) {
		stdout, _, err := benchWith(context.Background(), verify, "--instances", list, "--csv", out, "--resume")
		return stdout, err
	}
	_, err := run() // there is no file yet
	require.NoError(t, err)
	require.Equal(t, 3, ran)
	whole := read(t, out)
	lines := strings.SplitAfter(whole, "\n")
	for cut, again := range map[int]int{0: 3, 7: 3, len(lines[0]): 2, len(lines[0]) + 9: 2, len(whole) - 1: 1, len(whole): 0} {
		require.NoError(t, os.WriteFile(out, []byte(whole[:cut]), 0o644))
		ran = 0
		stdout, err := run()
		require.NoError(t, err, cut)
		require.Equal(t, again, ran, cut)
		rows := rowsOf(t, out)
		require.Len(t, rows, 3, cut)
		for i, r := range rowsOf(t, out) {
			require.Equal(t, []string{"unsat", "sat", "unsat"}[i], r[4])
		}
		require.Equal(t, "3", tableRow(t, stdout, "2022/tiny")[2], cut)
	}

	require.NoError(t, os.WriteFile(out, []byte(strings.Replace(whole, ",sat,", ",unsat,", 1)), 0o644))
	_, err = run()
	require.ErrorContains(t, err, "1 wrong")
	require.NoError(t, os.WriteFile(out, []byte("not,rows\n"), 0o644))
	_, err = run()
	require.ErrorContains(t, err, "line 1")
	require.Equal(t, "not,rows\n", read(t, out), "nobody's file is overwritten")
	code, _, stderr := vouch("bench", "-instances", list, "-resume")
	assert.Equal(t, exitUsage, code, stderr)
}

func TestReadInstances(t *testing.T) {
	for name, test := range map[string]struct{ text, says string }{
		"columns":   {"a.onnx,b.vnnlib\n", "line 1: 2 columns"},
		"timeout":   {"a.onnx,b.vnnlib,10\na.onnx,b.vnnlib,soon\n", "line 2: timeout"},
		"empty":     {"a.onnx,,10\n", "empty"},
		"headed":    {"onnx,vnnlib\na.onnx\n", "line 2: 1 columns, want 2"},
		"quotation": {"\"a.onnx,b\n", "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readInstances(strings.NewReader(test.text), ".")
			require.ErrorContains(t, err, test.says)
		})
	}
	got, err := readInstances(strings.NewReader("vnnlib,onnx\np.vnnlib, nets/n.onnx\n"), filepath.Join("some", "where"))
	require.NoError(t, err)
	assert.Equal(t, []instance{{
		category: "where", onnx: "nets/n.onnx", vnnlib: "p.vnnlib",
		net: filepath.Join("some", "where", "nets", "n.onnx"), property: filepath.Join("some", "where", "p.vnnlib"),
	}}, got)
}

func TestCache(t *testing.T) {
	c := newCache[int](2)
	loads := 0
	get := func(key string) int {
		v, err := c.get(key, func() (int, error) { loads++; return loads, nil })
		require.NoError(t, err)
		return v
	}
	assert.Equal(t, 1, get("a"))
	assert.Equal(t, 2, get("b"))
	assert.Equal(t, 1, get("a"))
	assert.Equal(t, 3, get("c")) // drops b, used longest ago
	assert.Equal(t, 1, get("a"))
	assert.Equal(t, 4, get("b"))
	_, err := c.get("d", func() (int, error) { panic("ouch") })
	require.ErrorContains(t, err, "ouch")
}

func TestMedian(t *testing.T) {
	assert.Equal(t, negInf, median(nil))
	assert.Equal(t, 3.0, median([]float64{3}))
	assert.Equal(t, 2.5, median([]float64{1, 2, 3, 9}))
	assert.Equal(t, 2.0, median([]float64{1, 2, 9}))
}
