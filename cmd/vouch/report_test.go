package main

import (
	"encoding/base64"
	"encoding/json"
	"html/template"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// drawn is the content of a counterexample's file whose input is an image of
// 8×8, all 0.5, in which one pixel was changed.
func drawn(category, onnx, vnnlib string) string {
	list := func(v, first string) string { return "[" + first + strings.Repeat(","+v, 63) + "]" }
	return `{"category":"` + category + `","onnx":"` + onnx + `","vnnlib":"` + vnnlib + `","shape":[1,8,8],
		"lower":` + list("0.25", "0.25") + `,"upper":` + list("0.75", "0.75") + `,"input":` + list("0.5", "0.75") + `,"output":[1,2.5]}`
}

// TestReportOfBench makes results, then the page of them.
func TestReportOfBench(t *testing.T) {
	list := headed(t,
		"2022,tiny,zero.onnx,holds.vnnlib,20,unsat,0.1",
		"2022,tiny,zero.onnx,violated.vnnlib,20,sat,0.1")
	dir := t.TempDir()
	rows, cexs, out := filepath.Join(dir, "rows.csv"), filepath.Join(dir, "cex"), filepath.Join(dir, "page.html")
	code, _, stderr := vouch("bench", "-instances", list, "-csv", rows, "-counterexamples", cexs)
	require.Equal(t, exitOK, code, stderr)
	entries, err := os.ReadDir(cexs)
	require.NoError(t, err)
	require.Len(t, entries, 1, "one file for the one sat")
	assert.Regexp(t, `^zero\.onnx_violated\.vnnlib_[0-9a-f]{12}\.json$`, entries[0].Name())

	code, stdout, stderr := vouch("report", "-csv", rows, "-counterexamples", cexs, "-instances", list, "-o", out)
	assert.Equal(t, exitOK, code, stderr)
	assert.Empty(t, stdout)
	assert.Empty(t, stderr)
	page := read(t, out)
	for _, want := range []string{
		"<!DOCTYPE html>", "2 instances, 1 benchmark, 1 run.", "<svg", `data-words="2022/tiny zero.onnx holds.vnnlib unsat"`,
		`data-words="2022/tiny zero.onnx violated.vnnlib sat counterexample"`, "<td>X_0</td><td>-1</td>", "<td>Y_0</td>",
	} {
		assert.Contains(t, page, want)
	}
	code, stdout, _ = vouch("report", "-csv", rows, "-instances", list, "-o", filepath.Join(t.TempDir(), "x.html"), "-json")
	assert.Equal(t, exitOK, code)
	var answer reportAnswer
	require.NoError(t, json.Unmarshal([]byte(stdout), &answer))
	assert.Equal(t, 2, answer.Instances)
	require.Len(t, answer.Runs, 1)
	assert.Equal(t, []int{1, 1, 2}, []int{answer.Runs[0].Total.Sat, answer.Runs[0].Total.Unsat, answer.Runs[0].Benchmarks[0].Instances})
	code, _, stderr = vouch("report", "-csv", rows, "-o", "-", "-json")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "standard output")
	code, stdout, _ = vouch("report", "-csv", rows, "-counterexamples", cexs, "-instances", list, "-o", "-")
	assert.Equal(t, exitOK, code)
	assert.Equal(t, page, stdout, "the same results make the same page")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 3, "no temporary files")
}

func TestReportCompares(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a.csv", "b,n,p,0.1,sat,0.5\nb,n,q,0.1,unsat,0\nb,n,r,0.1,timeout,20\nb,n,r,0.1,unsat,2\n")
	put(t, dir, "b.csv", "b,n,p,0.1,unsat,0.5\nb,n,q,0.1,unsat,0.25\nb,n,r,0.1,unsat,20\n")
	put(t, dir, "c.csv", "b,n,q,0.1,unsat,0.25\nother,n,q,0.1,error,0\n")
	at := func(name string) string { return filepath.Join(dir, name) }
	out := at("page.html")

	code, _, stderr := vouch("report", "-csv", at("a.csv"), "-csv", "second <i>="+at("b.csv"), "-o", out)
	assert.Equal(t, exitError, code)
	assert.Contains(t, stderr, "1 instances on which runs contradict each other, 0 results")
	page := read(t, out)
	assert.Contains(t, page, "On 1 instances one run says sat and another unsat.")
	assert.Contains(t, page, `id="scatter"`)
	assert.Contains(t, page, ">second &lt;i&gt;, s</text>")
	assert.NotContains(t, page, "second <i>")
	assert.Contains(t, page, "<b>second &lt;i&gt;</b>")
	assert.Contains(t, page, `data-words="b n r unsat missing"`, "the second of two equal rows is an instance of its own")
	// instances, solved, only here, sat, unsat, timeout, unknown, error, wrong
	assert.Equal(t, []string{"4", "3", "0", "1", "2", "1", "0", "0", "0"}, cells(t, page, "a")[:9])
	assert.Equal(t, []string{"3", "3", "1", "0", "3", "0", "0", "0", "0"}, cells(t, page, "second &lt;i&gt;")[:9])

	code, _, stderr = vouch("report", "-csv", at("b.csv"), "-csv", at("c.csv"), "-csv", "x="+at("c.csv"), "-o", out)
	assert.Equal(t, exitOK, code, stderr)
	page = read(t, out)
	assert.NotContains(t, page, `id="scatter"`)
	assert.Contains(t, page, "2 benchmarks, 3 runs")
	assert.Equal(t, []string{"1", "1", "0"}, cells(t, page, "c")[:3])

	code, _, stderr = vouch("report", "-csv", at("b.csv"), "-csv", at("b.csv"), "-csv", at("b.csv"), "-o", out)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "given twice")

	put(t, dir, filepath.Base(dir)+".csv", "n,p,20\n")
	put(t, dir, "list.csv", "benchmark,onnx,vnnlib,verdict\nb,n,p,unsat\nb,n,q,unsat\n")
	code, _, stderr = vouch("report", "-csv", at("a.csv"), "-instances", at("list.csv"), "-o", out)
	assert.Equal(t, exitError, code)
	assert.Contains(t, stderr, "1 results that contradict the list")
	assert.Equal(t, []string{"4", "2", "2", "0", "2", "1", "0", "0", "1"}, cells(t, read(t, out), "a")[:9])
}

// cells is the table's first line of a run, from the number of instances on.
func cells(t *testing.T, page, run string) []string {
	t.Helper()
	line := regexp.MustCompile(`(?m)</span>` + run + `</td>(.*)</tr>$`).FindStringSubmatch(page)
	require.NotNil(t, line, "no line of %s", run)
	var out []string
	for _, cell := range regexp.MustCompile(`<td[^>]*>([^<]*)</td>`).FindAllStringSubmatch(line[1], -1) {
		out = append(out, cell[1])
	}
	return out
}

// TestReportEscapes: names are text, whatever they contain.
func TestReportEscapes(t *testing.T) {
	dir := t.TempDir()
	const nasty = `</td></script><script>alert(1)</script><img src=x onerror=alert(2)>'" onmouseover="alert(3)`
	quoted := `"` + strings.ReplaceAll(nasty, `"`, `""`) + `"`
	put(t, dir, "a.csv", quoted+","+quoted+","+quoted+",0,sat,1\n")
	out := filepath.Join(dir, "page.html")
	code, _, stderr := vouch("report", "-csv", strings.ReplaceAll(nasty, "=", "")+"="+filepath.Join(dir, "a.csv"), "-title", nasty, "-o", out)
	require.Equal(t, exitOK, code, stderr)
	page := read(t, out)
	assert.Equal(t, 1, strings.Count(page, "<script"))
	assert.NotContains(t, page, "<img")
	assert.NotContains(t, page, `onmouseover="`)
	assert.Contains(t, page, template.HTMLEscapeString(nasty))
}

func TestReportRefuses(t *testing.T) {
	const good = "b,n,p,0.1,sat,0.5\n"
	for name, test := range map[string]struct{ text, says string }{
		"empty":          {"", "no results"},
		"columns":        {good + "b,n,p,0.1,sat\n", "line 2: 5 columns, want 6"},
		"header":         {"category,onnx,vnnlib,prepare,result,runtime\n", `line 1: result: "result" is none of`},
		"result":         {good + good + "b,n,p,0.1,maybe,0.5\n", `line 3: result: "maybe"`},
		"prepare":        {"b,n,p,soon,sat,0.5\n", `line 1: prepare: "soon"`},
		"negative":       {"b,n,p,0,sat,-1\n", `line 1: runtime: "-1"`},
		"not a number":   {"b,n,p,0,sat,NaN\n", `line 1: runtime: "NaN"`},
		"infinite":       {"b,n,p,0,sat,+Inf\n", `line 1: runtime: "+Inf"`},
		"absurd":         {"b,n,p,0,sat,1e300\n", `line 1: runtime: "1e300"`},
		"no network":     {"b,,p,0,sat,1\n", "line 1: category, network or property is empty"},
		"quotation":      {good + "\"b,n,p,0,sat,1\n", "line 2: "},
		"bare quotation": {good + "b\"b,n,p,0,sat,1\n", "line 2: "},
		"cut off":        {good + "b,n,p,0.1,s", "line 2: 5 columns"},
		"control":        {good + "b,\"n\nn\",p,0,sat,1\n", "line 2: onnx: \"n\\nn\" is not plain text"},
		"binary":         {"b,n,\xff\xfe,0,sat,1\n", "line 1: vnnlib: "},
		"long":           {"b,n," + strings.Repeat("p", 5000) + ",0,sat,1\n", "line 1: vnnlib: 5000 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, "rows.csv", test.text)
			put(t, dir, "page.html", "as it was")
			file, out := filepath.Join(dir, "rows.csv"), filepath.Join(dir, "page.html")
			code, stdout, stderr := vouch("report", "-csv", file, "-o", out)
			assert.Equal(t, exitError, code)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, file+": "+test.says)
			assert.Equal(t, "as it was", read(t, out))
		})
	}
	code, _, stderr := vouch("report", "-csv", filepath.Join(t.TempDir(), "none.csv"), "-o", "-")
	assert.Equal(t, exitError, code)
	assert.Contains(t, stderr, "none.csv")
}

func TestReportRefusesCounterexamples(t *testing.T) {
	good := drawn("b", "n", "p")
	for name, test := range map[string]struct{ text, says string }{
		"no JSON":    {"\n\nhello", "line 3: invalid character"},
		"other JSON": {`{"name":"x"}`, `unknown field "name"`},
		"cut off":    {good[:len(good)/2], "unexpected EOF"},
		"nameless":   {strings.Replace(good, `"onnx":"n"`, `"onnx":""`, 1), "category, onnx or vnnlib is missing"},
		"lengths":    {strings.Replace(good, "[0.75,", "[", 1), "input has 64 values, lower 64 and upper 63"},
		"shape":      {strings.Replace(good, "[1,8,8]", "[1,8,9]", 1), "shape [1 8 9] does not hold the 64"},
		"overflow":   {strings.Replace(good, "[1,8,8]", "[4294967296,4294967296,64]", 1), "does not hold"},
		"null":       {strings.Replace(good, `"input":[0.75`, `"input":[null`, 1), "input 0 is not a number"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, "rows.csv", "b,n,p,0.1,sat,0.5\n")
			put(t, dir, "cex/one.json", test.text)
			code, _, stderr := vouch("report", "-csv", filepath.Join(dir, "rows.csv"), "-counterexamples", filepath.Join(dir, "cex"), "-o", "-")
			assert.Equal(t, exitError, code)
			assert.Contains(t, stderr, filepath.Join(dir, "cex", "one.json")+": ")
			assert.Contains(t, stderr, test.says)
		})
	}
}

func TestImageShape(t *testing.T) {
	for _, test := range []struct {
		shape           []int
		channels, h, w_ int
	}{
		{[]int{1, 28, 28}, 1, 28, 28},
		{[]int{1, 1, 28, 30}, 1, 28, 30},
		{[]int{784, 1}, 1, 28, 28},
		{[]int{3, 32, 24}, 3, 32, 24},
		{[]int{3072}, 3, 32, 32},
		{[]int{5}, 0, 0, 0},
		{[]int{1, 1, 1, 5}, 0, 0, 0},
		{[]int{49}, 0, 0, 0},
		{[]int{4, 16, 16}, 0, 0, 0},
		{[]int{2, 300}, 0, 0, 0},
		{[]int{1}, 0, 0, 0},
		{[]int{1024, 1024}, 0, 0, 0},
	} {
		c, h, w, ok := imageShape(test.shape)
		assert.Equal(t, test.channels > 0, ok, test.shape)
		if ok {
			assert.Equal(t, []int{test.channels, test.h, test.w_}, []int{c, h, w}, test.shape)
		}
	}
}

func TestPictures(t *testing.T) {
	c, err := parseCounterexample("x", []byte(drawn("b", "n", "p")))
	require.NoError(t, err)
	urls, ok := c.pictures()
	require.True(t, ok)
	// Grey levels of the first pixel, which was changed, and of the second.
	for i, want := range [][2]uint32{{128, 128}, {191, 128}, {255, 128}} {
		data, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(urls[i]), "data:image/png;base64,"))
		require.NoError(t, err)
		img, err := png.Decode(strings.NewReader(string(data)))
		require.NoError(t, err)
		for x, level := range want {
			r, g, b, a := img.At(x, 0).RGBA()
			assert.Equal(t, []uint32{level, level, level, 255}, []uint32{r >> 8, g >> 8, b >> 8, a >> 8})
		}
	}
	first, least := c.Input[0], c.Lower[0]
	c.Input[0], c.Lower[0] = 200, 0
	low, high := c.valueRange()
	assert.Equal(t, []float64{0, 255}, []float64{low, high})
	c.Lower[0] = -2
	low, high = c.valueRange()
	assert.Equal(t, []float64{-2, 200}, []float64{low, high})
	c.Input[0], c.Lower[0] = first, least
}

func FuzzResults(f *testing.F) {
	f.Add([]byte("b,n,p,0.1,sat,0.5\nb,n,q,0.1,timeout,20\n"))
	f.Add([]byte("b,\"n\n\",p,0.1,sat,0.5\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		outcomes, err := parseResults("f", strings.NewReader(string(data)))
		if err != nil {
			require.ErrorContains(t, err, "f: ")
			return
		}
		page, err := newPage("t", []resultsRun{{"l", "f", outcomes}, {"m", "f", outcomes[:1]}}, nil)
		require.NoError(t, err)
		require.NoError(t, page.write(&strings.Builder{}))
	})
}
