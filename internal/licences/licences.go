// Package licences writes LICENSES-THIRD-PARTY.md: the modules of go.mod, the
// licence of each, and the texts, which a program that carries them must pass on.
//
//	go test ./internal/licences -update
//
// brings it up to date after go.mod changed, and a test compares. A licence is
// told by phrases of its text. One that is not recognised, or that go.mod should
// not hold without a decision (those that would bind the programs of others), is
// an error; the table decided in this file is where a decision is written down.
package licences

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// module is a requirement of go.mod with what was found in it.
type module struct {
	Path, Version string
	Dir           string
	Error         string
	licences      []string // names, as SPDX has them
	texts         []text
	use           string
}

// text is a file of a module.
type text struct{ name, content string }

// phrases tell licences, the first that fits; all words of a line must occur.
var phrases = []struct {
	licence string
	words   []string
}{
	{"Apache-2.0", []string{"Apache License", "Version 2.0"}},
	{"OFL-1.1", []string{"SIL OPEN FONT LICENSE Version 1.1"}},
	{"CC-BY-4.0", []string{"Creative Commons Attribution 4.0"}},
	{"CC-BY-4.0", []string{"creativecommons.org/licenses/by/4.0"}},
	{"MPL-2.0", []string{"Mozilla Public License", "2.0"}},
	{"LGPL-2.1", []string{"GNU Lesser General Public License", "Version 2.1"}},
	{"GPL", []string{"GNU General Public License", "TERMS AND CONDITIONS"}},
	{"FTL", []string{"The FreeType Project LICENSE"}},
	{"MIT", []string{"Permission is hereby granted, free of charge", "copies of the Software"}},
	{"ISC", []string{"Permission to use, copy, modify, and/or distribute this software for any purpose"}},
	{"BSD-3-Clause", []string{"Redistribution and use in source and binary forms", "endorse or promote"}},
	{"BSD-2-Clause", []string{"Redistribution and use in source and binary forms"}},
	{"Unlicense", []string{"free and unencumbered software released into the public domain"}},
}

// welcome are licences that ask for no more than that their text is passed on.
var welcome = []string{"Apache-2.0", "MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "OFL-1.1", "CC-BY-4.0", "FTL", "Unlicense"}

// decided is licences that were read by a person, by module.
var decided = map[string][]string{
	// The user's choice of the FreeType licence or the GPL: the former.
	"github.com/golang/freetype": {"FTL"},
}

// page is the content of LICENSES-THIRD-PARTY.md for the module at root.
// It downloads modules of go.mod that are not in the module cache.
func page(root string) (string, error) {
	modules, err := requirements(root)
	if err != nil {
		return "", err
	}
	command, err := compiled(root, "./cmd/vouch")
	if err != nil {
		return "", err
	}
	packages, err := compiled(root, "./...")
	if err != nil {
		return "", err
	}
	for i := range modules {
		m := &modules[i]
		if err := m.read(); err != nil {
			return "", err
		}
		switch {
		case command[m.Path]:
			m.use = "in the command"
		case packages[m.Path]:
			m.use = "in packages"
		default:
			m.use = "tests, or behind a build tag"
		}
	}
	return render(modules), nil
}

// requirements are the modules that go.mod names, with their folders.
func requirements(root string) ([]module, error) {
	// Read here too, though the go command will: go test takes a result from its
	// cache as long as the files that the test itself has read are the same.
	if _, err := os.ReadFile(filepath.Join(root, "go.mod")); err != nil {
		return nil, err
	}
	data, err := run(root, nil, "mod", "edit", "-json")
	if err != nil {
		return nil, err
	}
	var mod struct{ Require []module }
	if err := json.Unmarshal(data, &mod); err != nil {
		return nil, err
	}
	args := []string{"mod", "download", "-json"}
	for _, m := range mod.Require {
		args = append(args, m.Path+"@"+m.Version)
	}
	if data, err = run(root, nil, args...); err != nil {
		return nil, err
	}
	var out []module
	for decoder := json.NewDecoder(bytes.NewReader(data)); ; {
		var m module
		if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if m.Error != "" {
			return nil, fmt.Errorf("%s: %s", m.Path, m.Error)
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b module) int { return cmp.Compare(a.Path, b.Path) })
	return out, nil
}

// compiled is the modules that go into what pattern names, on any platform that
// the project is built for.
func compiled(root, pattern string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, system := range []string{"linux", "windows", "darwin"} {
		data, err := run(root, []string{"GOOS=" + system, "GOARCH=amd64", "CGO_ENABLED=0"},
			"list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", pattern)
		if err != nil {
			return nil, err
		}
		for _, path := range strings.Fields(string(data)) {
			out[path] = true
		}
	}
	return out, nil
}

// run runs the go command.
func run(dir string, environment []string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), environment...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s%s", args[0], err, stderr.String(), out)
	}
	return out, nil
}

// names of files that hold licences and what must be passed on with them.
var names = regexp.MustCompile(`(?i)^(licen[cs]es?|copying|notice|unlicense)([.-].*)?$`)

// read finds the module's licences.
func (m *module) read() error {
	for _, pattern := range []string{"*", "THIRD_PARTY_LICENSES/*", "licenses/*"} {
		found, err := filepath.Glob(filepath.Join(m.Dir, filepath.FromSlash(pattern)))
		if err != nil {
			return err
		}
		for _, path := range found {
			st, err := os.Stat(path)
			if err != nil || st.IsDir() || pattern == "*" && !names.MatchString(filepath.Base(path)) {
				continue
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			relative, err := filepath.Rel(m.Dir, path)
			if err != nil {
				return err
			}
			m.add(filepath.ToSlash(relative), string(content))
		}
	}
	if by, ok := decided[m.Path]; ok {
		m.licences = by
	}
	return m.judge()
}

// add notes a file and the licence that it is.
func (m *module) add(name, content string) {
	content = strings.ReplaceAll(content, "\r\n", "\n")
	if by, ok := decided[m.Path]; ok && strings.Contains(name, "/") && !slices.Contains(by, recognise(content)) {
		return // the alternative that was not chosen
	}
	m.texts = append(m.texts, text{name, strings.Trim(content, "\n")})
	if strings.Contains(name, "/") || strings.HasPrefix(strings.ToUpper(name), "NOTICE") {
		return // of parts, or no licence
	}
	if l := recognise(content); !slices.Contains(m.licences, l) {
		m.licences = append(m.licences, l)
	}
}

// recognise is the name of a licence, empty if it is not known.
func recognise(content string) string {
	content = strings.Join(strings.Fields(content), " ")
	for _, p := range phrases {
		if !slices.ContainsFunc(p.words, func(w string) bool { return !strings.Contains(content, w) }) {
			return p.licence
		}
	}
	return ""
}

// judge refuses what nobody decided on.
func (m *module) judge() error {
	if len(m.licences) == 0 {
		return fmt.Errorf("%s %s: no licence found in %s", m.Path, m.Version, m.Dir)
	}
	for _, l := range m.licences {
		if _, ok := decided[m.Path]; !ok && !slices.Contains(welcome, l) {
			return fmt.Errorf("%s %s: licence %q needs a decision; see internal/licences", m.Path, m.Version, l)
		}
	}
	return nil
}

// render writes the page. A text that several modules share stands once.
func render(modules []module) string {
	var b strings.Builder
	b.WriteString(`# Licences of other people's code

vouch itself is under the licence in [LICENSE](LICENSE). These are the modules that go.mod names. A program carries
those whose packages it imports; what is marked as *in the command* is in the program vouch. This file is written by
` + "`go test ./internal/licences -update`" + `.

| module | version | licence | used |
|---|---|---|---|
`)
	for _, m := range modules {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", m.Path, m.Version, strings.Join(m.licences, ", "), m.use)
	}
	type group struct {
		content string
		from    []string
	}
	var groups []group
	for _, m := range modules {
		for _, t := range m.texts {
			from := m.Path + ": " + t.name
			at := slices.IndexFunc(groups, func(g group) bool { return g.content == t.content })
			if at < 0 {
				at = len(groups)
				groups = append(groups, group{content: t.content})
			}
			groups[at].from = append(groups[at].from, from)
		}
	}
	b.WriteString("\n## Texts\n")
	for _, g := range groups {
		fmt.Fprintf(&b, "\n### %s\n\n~~~\n%s\n~~~\n", strings.Join(g.from, "; "), g.content)
	}
	return b.String()
}
