package vouch_test

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
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
