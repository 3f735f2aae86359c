package licences

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite LICENSES-THIRD-PARTY.md")

func TestLicences(t *testing.T) {
	root := filepath.Join("..", "..")
	file := filepath.Join(root, "LICENSES-THIRD-PARTY.md")
	want, err := page(root)
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	same := string(got) == want // not Equal, which would print both
	require.True(t, same, "LICENSES-THIRD-PARTY.md is not what go.mod says: go test ./internal/licences -update")
	for _, part := range []string{"| github.com/spf13/cobra | v1.10.2 | Apache-2.0 | in the command |", "| github.com/stretchr/testify |"} {
		assert.Contains(t, want, part)
	}
}

func TestRecognise(t *testing.T) {
	root, err := os.ReadFile(filepath.Join("..", "..", "LICENSE"))
	require.NoError(t, err)
	for content, want := range map[string]string{
		string(root): "BSD-3-Clause",
		"Permission is hereby granted,\n   free of charge, ... copies of the Software": "MIT",
		"All rights reserved. You may look at this.":                                   "",
		"GNU General Public License ... TERMS AND CONDITIONS":                          "GPL",
	} {
		assert.Equal(t, want, recognise(content))
	}
}

// TestJudge: a licence that nobody decided on is refused.
func TestJudge(t *testing.T) {
	for _, test := range []struct {
		module
		says string
	}{
		{module{Path: "a", licences: []string{"MIT"}}, ""},
		{module{Path: "a"}, "no licence found"},
		{module{Path: "a", licences: []string{"MIT", "GPL"}}, `"GPL" needs a decision`},
		{module{Path: "a", licences: []string{""}}, `"" needs a decision`},
		{module{Path: "github.com/golang/freetype", licences: []string{"FTL"}}, ""},
	} {
		if err := test.judge(); test.says == "" {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, test.says)
		}
	}
	m := module{Path: "b", Dir: t.TempDir()}
	require.NoError(t, os.WriteFile(filepath.Join(m.Dir, "LICENCE.md"), []byte("do what you like"), 0o644))
	require.ErrorContains(t, m.read(), `b : licence "" needs a decision`)
}
