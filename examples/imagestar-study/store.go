package main

// The folder of results. Every file is written beside its place and renamed, so that it
// is there in whole or not at all: what is there is not done again, whether the process
// that did it ended well or was killed, or is another one that works on the same folder.
// Files depend on the settings alone, but for the times in them.

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// path is the file of a network.
func (st *study) path(c cell, ext string) string {
	return filepath.Join(st.dir, "networks", c.String()+ext)
}

// claim records the settings of the folder, or checks that they are the same. Numbers of
// seeds and of images to verify may change: networks do not depend on them, and verdicts
// about other images than the chosen ones are not used (answers).
func (st *study) claim(path string) error {
	if err := os.MkdirAll(filepath.Join(st.dir, "networks"), 0o755); err != nil {
		return err
	}
	var found settings
	ok, err := readJSON(path, &found)
	if err != nil {
		return err
	}
	if ok && found == st.settings {
		return nil
	}
	same := found
	same.Seeds, same.PerClass = st.Seeds, st.PerClass
	if ok && same != st.settings {
		return fmt.Errorf("%s: the folder is of other settings: %+v; asked for are %+v", path, found, st.settings)
	}
	return writeJSON(path, st.settings)
}

// writeWhole writes a file in one step.
func writeWhole(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".writing-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return writeWhole(path, append(data, '\n'))
}

// readJSON reports whether the file is there.
func readJSON(path string, v any) (bool, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	return true, nil
}

func writeCSV(path string, rows [][]string) error {
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return writeWhole(path, buf.Bytes())
}

// readCSV is the rows below the header; nil if the file is not there.
func readCSV(path string, header []string) ([][]string, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parseCSV(path, data, header)
}

// parseCSV checks the header.
func parseCSV(name string, data []byte, header []string) ([][]string, error) {
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(rows) == 0 || fmt.Sprint(rows[0]) != fmt.Sprint(header) {
		return nil, fmt.Errorf("%s: the columns are not %q", name, header)
	}
	return rows[1:], nil
}

// say writes a line of progress.
func (st *study) say(format string, args ...any) {
	st.mu.Lock()
	defer st.mu.Unlock()
	fmt.Fprintf(st.log, st.Data+": "+format+"\n", args...)
}
