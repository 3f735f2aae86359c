package vouch_test

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	markdownLink = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	codeBlock    = regexp.MustCompile("(?ms)^(```|~~~).*?^(```|~~~)$")
	drawnPackage = regexp.MustCompile(`data-package="([^"]+)"`)
)

// Links between the pages of the repository lead somewhere.
func TestLinks(t *testing.T) {
	links := 0
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if filepath.Ext(name) != ".md" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range markdownLink.FindAllStringSubmatch(codeBlock.ReplaceAllString(string(text), ""), -1) {
			to, err := url.Parse(m[1])
			if !assert.NoError(t, err, name) || to.Scheme != "" || to.Path == "" {
				continue
			}
			links++
			_, err = os.Stat(filepath.Join(filepath.Dir(name), filepath.FromSlash(to.Path)))
			assert.NoError(t, err, "%s links to %s", name, m[1])
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, links, 20)
}

// What the README shows of the quickstart is in the quickstart's own transcript, times
// aside; CI holds that one to what the program prints.
func TestReadmeTranscript(t *testing.T) {
	number := regexp.MustCompile(`\d+(\.\d+)?`)
	lines := func(text string) []string {
		var out []string
		for line := range strings.Lines(text) {
			out = append(out, number.ReplaceAllString(strings.Join(strings.Fields(line), " "), "N"))
		}
		return out
	}
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	whole, err := os.ReadFile(filepath.Join("examples", "quickstart", "README.md"))
	require.NoError(t, err)
	_, after, found := strings.Cut(string(readme), "```\n3. Verify.")
	require.True(t, found)
	shown, _, found := strings.Cut("3. Verify."+after, "```")
	require.True(t, found)
	there := lines(string(whole))
	for _, line := range lines(shown) {
		if line != "..." {
			assert.Contains(t, there, line)
		}
	}
}

// The figures of others in the README are those of the pages that say where they come from.
func TestReadmeFiguresOfOthers(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var sources string
	for _, name := range []string{"benchmarks.md", "solvers.md"} {
		text, err := os.ReadFile(filepath.Join("docs", name))
		require.NoError(t, err)
		sources += string(text)
	}
	_, after, found := strings.Cut(string(readme), "| | vouch | others | command |\n|---|---|---|---|\n")
	require.True(t, found)
	figures := 0
	for line := range strings.Lines(after) {
		cells := strings.Split(line, " | ")
		if len(cells) < 4 {
			break
		}
		for _, figure := range regexp.MustCompile(`\b\d+(\.\d+)?\b`).FindAllString(cells[2], -1) {
			figures++
			assert.Regexp(t, `\b`+regexp.QuoteMeta(figure)+`\b`, sources, line)
		}
	}
	require.Greater(t, figures, 8)
}

// The ImageStar study's figures are drawn from files; those are the tables that the page shows.
func TestStudyTables(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("docs", "imagestar-study.md"))
	require.NoError(t, err)
	_, mnist, found := strings.Cut(string(page), "\n## MNIST\n")
	require.True(t, found)
	mnist, mednist, found := strings.Cut(mnist, "\n## MedNIST\n")
	require.True(t, found)
	network := regexp.MustCompile(`(?m)^\| (?:dropout|jacobian|l2) \| (?:glorot|he|narrow-normal) \| \d \|.*$`)
	for name, text := range map[string]string{"mnist.csv": mnist, "mednist.csv": mednist} {
		file, err := os.ReadFile(filepath.Join("docs", "imagestar-study", name))
		require.NoError(t, err)
		rows := strings.Split(strings.TrimSpace(string(file)), "\n")[1:]
		shown := network.FindAllString(text, -1)
		require.Len(t, rows, 45)
		require.Len(t, shown, 45)
		for i, row := range rows {
			c := strings.Split(row, ",")
			for _, k := range []int{7, 8} { // in ms on the page
				seconds, err := strconv.ParseFloat(c[k], 64)
				require.NoError(t, err)
				c[k] = strconv.FormatFloat(1000*seconds, 'f', 1, 64)
			}
			assert.Equal(t, "| "+strings.Join(c, " | ")+" |", shown[i])
		}
	}
}

// Every package in the picture exists.
func TestPictureOfPackages(t *testing.T) {
	picture, err := os.ReadFile(filepath.Join("docs", "architecture.svg"))
	require.NoError(t, err)
	drawn := drawnPackage.FindAllStringSubmatch(string(picture), -1)
	require.NotEmpty(t, drawn)
	for _, m := range drawn {
		assert.DirExists(t, filepath.FromSlash(m[1]))
	}
}

// The files that a package's doc.go names, in its table of papers and elsewhere, exist:
// beside it, or by their path in the repository or in the folder above.
func TestFilesInPackageDocs(t *testing.T) {
	name := regexp.MustCompile(`[\w./*-]*\w_?\*?\.go\b`)
	named := 0
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "doc.go" {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, n := range name.FindAllString(string(text), -1) {
			named++
			found := false
			for _, folder := range []string{filepath.Dir(file), ".", filepath.Dir(filepath.Dir(file))} {
				matches, err := filepath.Glob(filepath.Join(folder, filepath.FromSlash(n)))
				require.NoError(t, err)
				found = found || len(matches) > 0
			}
			assert.True(t, found, "%s names %s", file, n)
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, named, 200)
}
