package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// completions is what the shell is told for a command line whose last word is
// being typed: the words, and cobra's directive as a number.
func completions(t *testing.T, words ...string) (found []string, directive string) {
	t.Helper()
	code, stdout, stderr := vouch(append([]string{"__completeNoDesc"}, words...)...)
	require.Equal(t, exitOK, code, stderr)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	return lines[:len(lines)-1], lines[len(lines)-1]
}

func TestCompletion(t *testing.T) {
	const noFiles, byExtension, folders, anyFile = ":4", ":8", ":16", ":0"
	for name, test := range map[string]struct {
		words     []string
		has, not  []string
		directive string
	}{
		"commands":          {[]string{""}, []string{"verify", "report", "completion"}, []string{"__complete"}, noFiles},
		"commands, begun":   {[]string{"ver"}, []string{"verify", "version"}, []string{"bench"}, noFiles},
		"flags":             {[]string{"verify", "-"}, []string{"-net", "-spec"}, []string{"--net"}, noFiles},
		"one dash":          {[]string{"bench", "-instances", "x", "-max"}, []string{"-max-domains", "-max-memory"}, []string{"-net", "--max-domains"}, noFiles},
		"two dashes":        {[]string{"bench", "--max"}, []string{"--max-domains"}, []string{"-max-domains"}, noFiles},
		"choices":           {[]string{"verify", "-split", ""}, []string{"auto", "input", "neuron"}, nil, noFiles},
		"choices, begun":    {[]string{"verify", "-method", "cr"}, []string{"crown", "crown-ibp"}, nil, noFiles},
		"networks":          {[]string{"verify", "-net", ""}, []string{"onnx", "nnet", "gz"}, nil, byExtension},
		"lists":             {[]string{"bench", "-instances", ""}, []string{"csv"}, nil, byExtension},
		"folders":           {[]string{"report", "-counterexamples", ""}, nil, nil, folders},
		"any file":          {[]string{"verify", "-out", ""}, nil, nil, anyFile},
		"a number":          {[]string{"verify", "-seed", ""}, nil, nil, noFiles},
		"campaign's files":  {[]string{"campaign", "-net", "x", ""}, []string{"vnnlib"}, nil, byExtension},
		"no more arguments": {[]string{"verify", ""}, nil, nil, noFiles},
		"nested commands":   {[]string{"qnn", ""}, []string{"verify", "mrr", "info", "export"}, []string{"bench"}, noFiles},
		"nested choices":    {[]string{"qnn", "verify", "-norm", ""}, []string{"inf", "1", "2", "0"}, nil, noFiles},
		"quantized":         {[]string{"qnn", "verify", "-net", ""}, []string{"json", "h5", "onnx"}, []string{"nnet"}, byExtension},
		"shells":            {[]string{"completion", ""}, []string{"bash", "zsh", "fish", "powershell"}, nil, noFiles},
	} {
		t.Run(name, func(t *testing.T) {
			found, directive := completions(t, test.words...)
			assert.Subset(t, found, test.has)
			for _, word := range test.not {
				assert.NotContains(t, found, word)
			}
			assert.Equal(t, test.directive, directive)
		})
	}
}

func TestCompletionUsage(t *testing.T) {
	for _, args := range [][]string{{"completion"}, {"completion", "tcsh"}, {"completion", "bash", "zsh"}} {
		code, stdout, _ := vouch(args...)
		assert.Equal(t, exitUsage, code, args)
		assert.Empty(t, stdout)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		code, stdout, stderr := vouch("completion", shell)
		assert.Equal(t, exitOK, code, stderr)
		assert.Contains(t, stdout, "__complete")
		assert.Contains(t, stdout, "vouch")
	}
}

// TestMain lets the test binary stand for the program, for the shell.
func TestMain(m *testing.M) {
	if os.Getenv("VOUCH_TEST_RUN_MAIN") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestCompletionInBash asks a real bash what Tab would offer.
func TestCompletionInBash(t *testing.T) {
	const library = "/usr/share/bash-completion/bash_completion"
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash found")
	}
	if _, err := os.Stat(library); err != nil {
		t.Skip("bash-completion is not installed")
	}
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	put(t, dir, "vouch", "#!"+bash+"\nVOUCH_TEST_RUN_MAIN=1 exec "+self+" \"$@\"\n")
	require.NoError(t, os.Chmod(filepath.Join(dir, "vouch"), 0o755))
	for _, name := range []string{"a.onnx", "b.nnet", "c.txt"} {
		put(t, dir, name, "")
	}
	for line, want := range map[string]string{
		"vouch verify -sp":                   "-spec", // flags that must be given come first
		"vouch verify -split neu":            "neuron",
		"vouch verify -net ":                 "a.onnx b.nnet",
		"vouch bench --instances x -no":      "-no-attack",
		"vouch bench --instances x --max-do": "--max-domains",
	} {
		script := `source ` + library + `
source <(vouch completion bash)
COMP_LINE="` + line + `" COMP_POINT=${#COMP_LINE} COMP_TYPE=9
read -ra COMP_WORDS <<<"$COMP_LINE"
[[ "$COMP_LINE" == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]}-1))
__start_vouch
printf '%s\n' "${COMPREPLY[@]}" | sed 's/ .*$//' | sort | paste -sd' '`
		cmd := exec.Command(bash, "--norc", "-c", script)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "LC_ALL=C")
		out, err := cmd.Output() // on standard error bash says that nobody pressed Tab
		require.NoError(t, err)
		assert.Equal(t, want, strings.TrimSpace(string(out)), line)
	}
}
