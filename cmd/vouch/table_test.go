package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseIndices(t *testing.T) {
	for text, want := range map[string][]int{
		"":          {0, 1, 2, 3, 4, 5},
		"3":         {3},
		"2-4":       {2, 3, 4},
		"5, 0-1 ,3": {5, 0, 1, 3},
	} {
		got, err := parseIndices(text, 6)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"6", "-1", "4-2", "0-6", "a", "1,,2", "1-2-3", "2,1-3"} {
		_, err := parseIndices(text, 6)
		var usage *usageError
		assert.ErrorAs(t, err, &usage, text)
	}
}

// TestTableResumes: wherever a run was cut off, the next one has the whole rows
// and the file ends as if nothing had happened.
func TestTableResumes(t *testing.T) {
	header := []string{"network", "sample"}
	rows := [][]string{{"a,b", "0"}, {`"c"`, "1"}}
	dir := t.TempDir()
	fill := func(path string) {
		tbl, err := openTable(path, header)
		require.NoError(t, err)
		for _, row := range rows[len(tbl.rows):] {
			require.NoError(t, tbl.add(row))
		}
		assert.Equal(t, rows, tbl.rows)
		require.NoError(t, tbl.close())
	}
	whole := filepath.Join(dir, "whole.csv")
	fill(whole)
	want, err := os.ReadFile(whole)
	require.NoError(t, err)
	assert.Equal(t, "network,sample\n\"a,b\",0\n\"\"\"c\"\"\",1\n", string(want))
	for n := range want {
		cut := filepath.Join(dir, "cut.csv")
		require.NoError(t, os.WriteFile(cut, want[:n], 0o644))
		fill(cut)
		got, err := os.ReadFile(cut)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "cut after %d bytes", n)
	}
}

// TestTableRefuses: a file that is not such a table is left alone.
func TestTableRefuses(t *testing.T) {
	for _, text := range []string{"other,columns\n1,2\n", "network,sample\n1,2,3\n", "my thesis", "network,sample\n\"\n"} {
		path := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		_, err := openTable(path, []string{"network", "sample"})
		assert.ErrorContains(t, err, path)
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, text, string(got))
	}
}
