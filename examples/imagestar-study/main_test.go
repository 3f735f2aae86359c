package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// tiny is the study on drawn digits, far too short to learn them well.
func tiny() settings {
	s, _ := settingsOf("digits", true)
	s.Train, s.Test, s.Valid, s.PerClass, s.Epochs, s.Batch = 500, 100, 50, 1, 3, 32
	return s
}

// study0 runs a whole study in dir and returns what it prints.
func study0(ctx context.Context, s settings, dir string, jobs int, log io.Writer, format string) (string, error) {
	st, err := openStudy(s, dir, log)
	if err != nil {
		return "", err
	}
	if err := st.run(ctx, jobs); err != nil {
		return "", err
	}
	var out bytes.Buffer
	err = st.report(&out, format)
	return out.String(), err
}

// stopper cancels a run at its n-th line of progress that holds a word.
type stopper struct {
	n      int
	word   string
	cancel context.CancelFunc
}

func (s *stopper) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(s.word)) {
		if s.n--; s.n == 0 {
			s.cancel()
		}
	}
	return len(p), nil
}

// A study that is stopped several times, and has other numbers of jobs, ends with the
// files of one that is not, but for the times.
func TestResume(t *testing.T) {
	s := tiny()
	whole, parts := t.TempDir(), t.TempDir()
	text, err := study0(t.Context(), s, whole, 1, io.Discard, "svg")
	require.NoError(t, err)
	for _, n := range []int{2, 5, 4, 2} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := study0(ctx, s, parts, 2, &stopper{n, "", cancel}, "svg")
		require.ErrorIs(t, err, context.Canceled)
		cancel()
	}
	var log bytes.Buffer
	again, err := study0(t.Context(), s, parts, 3, &log, "svg")
	require.NoError(t, err)
	assert.Less(t, strings.Count(log.String(), "\n"), 18, "nothing was done before")
	assert.Equal(t, digitless(text), digitless(again))
	want, got := results(t, whole), results(t, parts)
	assert.Equal(t, want, got)
	require.Len(t, want, 9*3+2)
	for _, name := range []string{"initializer.svg", "regularizer.svg", "seed.svg", "combination.svg"} {
		info, err := os.Stat(filepath.Join(whole, name))
		require.NoError(t, err)
		assert.Greater(t, info.Size(), int64(2000))
		assert.Less(t, info.Size(), int64(60000))
	}
	for _, phrase := range []string{"9 networks, 10 images each", "narrow-normal against he", "combination", "| 9 |"} {
		assert.Contains(t, text, phrase)
	}
	// A folder is of one study, but for its size.
	s.Seeds++
	log.Reset()
	text, err = study0(t.Context(), s, whole, 2, &log, "svg")
	require.NoError(t, err)
	assert.Equal(t, 9, strings.Count(log.String(), ": trained"))
	assert.Contains(t, text, "18 networks")
	s.Rate *= 2
	_, err = openStudy(s, whole, io.Discard)
	require.ErrorContains(t, err, "study.json")
}

// A run that is stopped leaves the table of what it has done.
func TestInterrupted(t *testing.T) {
	s := tiny()
	s.Epochs = 1
	dir := t.TempDir()
	for _, test := range []struct {
		trained, verified int
		stop              stopper
	}{{2, 0, stopper{n: 2, word: ": trained"}}, {9, 2, stopper{n: 2, word: ": verified"}}} {
		ctx, cancel := context.WithCancel(t.Context())
		r := run{out: dir, jobs: 1, format: "svg", log: &test.stop}
		test.stop.cancel = cancel
		var out bytes.Buffer
		err := r.one(ctx, &out, s)
		cancel()
		require.ErrorIs(t, err, errInterrupted)
		assert.ErrorContains(t, err, fmt.Sprintf("%d of 9 networks are trained, %d verified", test.trained, test.verified))
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		require.Len(t, lines, 2+test.trained)
		rows, err := readCSV(filepath.Join(dir, "digits", "table.csv"), tableRows(nil)[0])
		require.NoError(t, err)
		require.Len(t, rows, test.trained)
		for i, row := range rows {
			assert.Equal(t, i < test.verified, row[4] != "", "row %q", row)
			assert.Equal(t, i >= test.verified, strings.HasSuffix(lines[2+i], "| | | | | | |"), lines[2+i])
		}
	}
	// Before the first network there is nothing to print.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := run{out: t.TempDir(), jobs: 1, log: io.Discard}
	var out bytes.Buffer
	require.ErrorContains(t, r.one(ctx, &out, s), "0 of 9")
	assert.Empty(t, out.String())
}

// What approx-star decides a complete method decides alike, on networks as the study
// trains them: all answers are made open ones and put to it.
func TestDecide(t *testing.T) {
	s := tiny()
	s.Epsilon = 8 // of the drawn digits: some are robust then, some are not
	dir := t.TempDir()
	st, err := openStudy(s, dir, io.Discard)
	require.NoError(t, err)
	require.NoError(t, st.run(t.Context(), 2))
	want := map[string]spec.Verdict{}
	for _, c := range s.cells() {
		answers, err := st.answers(c)
		require.NoError(t, err)
		rows := [][]string{answerHeader}
		for _, a := range answers {
			want[fmt.Sprint(c, a.image)] = a.verdict
			a.verdict = spec.Unknown
			rows = append(rows, a.row())
		}
		require.NoError(t, writeCSV(st.path(c, ".csv"), rows))
	}
	require.NoError(t, st.decide(t.Context(), 300*time.Millisecond))
	count := map[spec.Verdict]int{}
	for _, c := range s.cells() {
		known, rows, err := st.decided(c)
		require.NoError(t, err)
		require.Len(t, known, len(st.chosen))
		require.Len(t, rows, len(st.chosen))
		for image, v := range known {
			count[v]++
			if w := want[fmt.Sprint(c, image)]; v != spec.Unknown && w != spec.Unknown {
				assert.Equal(t, w, v, "%v, image %d", c, image)
			}
		}
	}
	t.Log(count)
	assert.Positive(t, count[spec.Verified])
	assert.Positive(t, count[spec.Falsified])
	ours, err := st.outcomes()
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, st.summariseDecided(&out, ours))
	assert.Contains(t, out.String(), fmt.Sprintf("Of 90 questions that are left open 90 were put to branch and bound: %d robust, %d not", count[spec.Verified], count[spec.Falsified]))
	// What is on file is not asked again, and nothing is asked after Ctrl-C.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, st.decide(ctx, time.Second))
	require.NoError(t, os.Remove(st.path(s.cells()[4], "-decided.csv")))
	require.ErrorIs(t, st.decide(ctx, time.Second), context.Canceled)
	require.NoError(t, os.WriteFile(st.path(s.cells()[4], "-decided.csv"), []byte("image,verdict,wall_seconds\n3,perhaps,1\n"), 0o600))
	require.ErrorContains(t, st.decide(t.Context(), time.Second), "perhaps")
}

// exact-star answers about networks as the study trains them, and as approx-star and
// branch and bound do; what is on file is not asked again.
func TestExact(t *testing.T) {
	s := tiny()
	s.Epochs = 1
	st, err := openStudy(s, t.TempDir(), io.Discard)
	require.NoError(t, err)
	require.NoError(t, st.run(t.Context(), 2))
	st.chosen = st.chosen[:3] // of three classes
	require.Equal(t, st.chosen, st.firstOfClass(1))
	require.NoError(t, st.exact(t.Context(), 1, 100*time.Millisecond))
	answered := 0
	for _, c := range s.cells() {
		found, err := st.exactAnswers(c)
		require.NoError(t, err)
		require.Len(t, found, 3)
		for _, a := range found {
			if a.exact != spec.Unknown {
				answered++
			}
		}
	}
	assert.Positive(t, answered)
	ours, err := st.outcomes()
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, st.summariseExact(&out, ours))
	assert.Contains(t, out.String(), fmt.Sprintf("Of 27 questions put to exact-star it answered %d, ", answered))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, st.exact(ctx, 1, time.Second))
	require.NoError(t, os.Remove(st.path(s.cells()[4], "-exact.csv")))
	require.ErrorIs(t, st.exact(ctx, 1, time.Second), context.Canceled)
	require.NoError(t, os.WriteFile(st.path(s.cells()[4], "-exact.csv"), []byte("image,exact_star,branch_and_bound,stars,wall_seconds\n3,perhaps,verified,1,1\n"), 0o600))
	require.ErrorContains(t, st.exact(t.Context(), 1, time.Second), "perhaps")
}

var times = regexp.MustCompile(`\d+\.\d+`)

// digitless is a summary without numbers that may be times.
func digitless(s string) string {
	s, _, _ = strings.Cut(s, "Of pairs")
	return times.ReplaceAllString(s, "")
}

// results is the files of a study without their times.
func results(t *testing.T, dir string) map[string]string {
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path)
		text := string(data)
		switch filepath.Ext(path) {
		case ".csv":
			for _, line := range strings.Split(text, "\n") {
				f := strings.Split(line, ",")
				if len(f) == len(answerHeader) {
					line = strings.Join(append(f[:3:3], f[5:]...), ",")
				} else if len(f) > 10 {
					line = strings.Join(append(f[:7:7], f[9:]...), ",")
				}
				found[rel] += line + "\n"
			}
			return err
		case ".json":
			text = regexp.MustCompile(`"Seconds":.*`).ReplaceAllString(text, "")
		case ".svg", ".md":
			return err
		}
		assert.False(t, strings.HasPrefix(d.Name(), "."), "left over: %s", rel)
		found[rel] = text
		return err
	}))
	return found
}

// With -chain each Jacobian network goes on from the one before, others do not.
func TestChain(t *testing.T) {
	s := tiny()
	s.Seeds, s.Chain, s.Epochs, s.Logits = 2, true, 1, true
	dir := t.TempDir()
	st, err := openStudy(s, dir, io.Discard)
	require.NoError(t, err)
	require.Len(t, st.groups(), 15)
	require.NoError(t, st.train(t.Context(), 2))
	first, err := os.ReadFile(st.path(cell{"jacobian", "he", 0}, ".onnx"))
	require.NoError(t, err)
	start, err := st.network(cell{"jacobian", "he", 1})
	require.NoError(t, err)
	read := misclassified(start, st.pool)
	var r trained
	ok, err := readJSON(st.path(cell{"jacobian", "he", 0}, ".json"), &r)
	require.True(t, ok && err == nil)
	assert.Equal(t, r.Wrong, read)
	second, err := os.ReadFile(st.path(cell{"jacobian", "he", 1}, ".onnx"))
	require.NoError(t, err)
	assert.NotEqual(t, first, second)
	require.NoError(t, os.WriteFile(st.path(cell{"l2", "he", 0}, ".json"), []byte("{"), 0o600))
	require.ErrorContains(t, st.train(t.Context(), 1), "l2-he-0.json")
}

func TestTell(t *testing.T) {
	r := run{data: []string{"digits"}, out: t.TempDir(), quick: true, epochs: 1, jobs: 2, format: "png", log: io.Discard}
	var out bytes.Buffer
	if !testing.Short() {
		require.NoError(t, r.tell(t.Context(), &out))
		assert.Contains(t, out.String(), "digits: 9 networks")
	}
	r.data = []string{"imagenet"}
	require.ErrorContains(t, r.tell(t.Context(), &out), "imagenet")
	assert.NotEmpty(t, available())
}

// root is the data sets' folder.
func root() string {
	if dir := os.Getenv("VOUCH_DATA"); dir != "" {
		return filepath.Join(dir, "datasets")
	}
	return filepath.Join("..", "..", "..", "shared", "data", "datasets")
}

// Undecided ReLUs against their definition, by sampling what a sum of intervals is.
func TestUndecided(t *testing.T) {
	s := tiny()
	st, err := openStudy(s, t.TempDir(), io.Discard)
	require.NoError(t, err)
	net, err := st.network(cell{"dropout", "glorot", 3})
	require.NoError(t, err)
	simple, err := nn.Simplify(net)
	require.NoError(t, err)
	m, err := bounds.Compile(simple)
	require.NoError(t, err)
	prop, err := st.property(0)
	require.NoError(t, err)
	box := prop.Cases[0].Region.Box()
	got, err := undecided(t.Context(), m, box)
	require.NoError(t, err)
	var kernel []float64
	for _, n := range net.Nodes() {
		if c, ok := n.Op.(*nn.Conv); ok {
			kernel = c.Weight().Values() // biases are 0, and the normalisation is still the identity
		}
	}
	mean := 0.0
	for _, v := range st.mean {
		mean += float64(v) / float64(len(st.mean))
	}
	want := 0
	for f := range 3 {
		for y := range 26 {
			for x := range 26 {
				low, up := 0.0, 0.0
				for k, w := range kernel[f*9 : f*9+9] {
					at := (y+k/3)*28 + x + k%3
					a, b := w*(box.Lower[at]-mean), w*(box.Upper[at]-mean)
					low, up = low+min(a, b), up+max(a, b)
				}
				if low < 0 && up > 0 {
					want++
				}
			}
		}
	}
	assert.Positive(t, want)
	assert.Equal(t, want, got)
}
