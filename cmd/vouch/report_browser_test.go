package main

import (
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/internal/figure"
)

// The page is looked at in a real browser: its script ran in spite of the
// content security policy, the filter hides what it should, pictures and plots
// are on the screen. Debian's package chromium-headless-shell is enough.

// browser is a Chromium on the path; the test is skipped where there is none.
func browser(t *testing.T) string {
	t.Helper()
	names := []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome"}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skipf("no browser found: looked for %s", strings.Join(names, ", "))
	return ""
}

// look opens a file in the browser with more arguments.
func look(t *testing.T, path, fragment string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	args = append(args, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--virtual-time-budget=3000",
		"--user-data-dir="+t.TempDir(), "--window-size=1200,2400", "--hide-scrollbars", "file://"+path+"#"+fragment)
	cmd := exec.CommandContext(ctx, browser(t), args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	require.NotContains(t, stderr.String(), "Content Security Policy", "the page broke its own policy")
	require.NotContains(t, stderr.String(), "Uncaught")
	return string(out)
}

func TestReportInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser four times")
	}
	browser(t)
	dir := t.TempDir()
	put(t, dir, "a.csv", "digits,n,p,0.1,sat,0.5\ndigits,n,q,0.1,unsat,0.01\ncontrol,n,r,0.1,timeout,20\n")
	put(t, dir, "b.csv", "digits,n,p,0.1,sat,0.05\ndigits,n,q,0.1,unsat,2\ncontrol,n,r,0.1,unsat,10\n")
	put(t, dir, "cex/one.json", drawn("digits", "n", "p"))
	out := filepath.Join(dir, "page.html")
	code, _, stderr := vouch("report", "-csv", filepath.Join(dir, "a.csv"), "-csv", filepath.Join(dir, "b.csv"),
		"-counterexamples", filepath.Join(dir, "cex"), "-o", out)
	require.Equal(t, exitOK, code, stderr)

	dom := look(t, out, "", "--dump-dom", "--enable-logging=stderr")
	assert.Contains(t, dom, "3 of 3 shown")
	assert.NotContains(t, dom, `hidden=""`)

	dom = look(t, out, "digits%20counterexample", "--dump-dom", "--enable-logging=stderr")
	assert.Contains(t, dom, "1 of 3 shown")
	assert.Contains(t, dom, "1 of 2")
	assert.Equal(t, 3, strings.Count(dom, `hidden=""`), "two rows and a benchmark")
	assert.Contains(t, dom, `<details class="cex" open="">`)

	dom = look(t, out, "-unsat", "--dump-dom")
	assert.Contains(t, dom, "1 of 3 shown", "a word that must not occur")

	shot := filepath.Join(dir, "shot.png")
	look(t, out, "counterexample", "--screenshot="+shot)
	img := decode(t, shot)
	for i := range 2 {
		assert.Greater(t, count(img, figure.Color(i)), 200, "pixels in the colour of run %d: its curve", i)
	}
	grey := color.RGBA{128, 128, 128, 255}
	assert.Greater(t, count(img, grey), 2*140*140, "pixels of the pictures")
}

func decode(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	require.NoError(t, err)
	return img
}

// count is how many pixels have the colour.
func count(img image.Image, want color.RGBA) int {
	n, b := 0, img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if color.RGBAModel.Convert(img.At(x, y)) == want {
				n++
			}
		}
	}
	return n
}
