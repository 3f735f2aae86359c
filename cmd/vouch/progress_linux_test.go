package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// terminal is a pseudo-terminal: a file to write to, and a function that closes it and
// returns what was written.
func terminal(t *testing.T) (file *os.File, written func() string) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { master.Close() })
	control := func(request uintptr, number *uint32) {
		c, err := master.SyscallConn()
		require.NoError(t, err)
		require.NoError(t, c.Control(func(fd uintptr) {
			_, _, e := syscall.Syscall(syscall.SYS_IOCTL, fd, request, uintptr(unsafe.Pointer(number)))
			require.Zero(t, e, e.Error())
		}))
	}
	var unlocked, number uint32
	control(syscall.TIOCSPTLCK, &unlocked)
	control(syscall.TIOCGPTN, &number)
	file, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { file.Close() })

	// What is not read yet when the last writer closes the terminal may be lost: the
	// reader stops at a mark, before that.
	const mark = "\x00end of what is shown\x00"
	text := make(chan string, 1)
	go func() {
		var b []byte
		for part := make([]byte, 4096); ; {
			n, err := master.Read(part)
			b = append(b, part[:n]...)
			if shown, ended := strings.CutSuffix(string(b), mark); ended || err != nil {
				text <- shown
				return
			}
		}
	}()
	return file, func() string {
		_, err := file.WriteString(mark)
		require.NoError(t, err)
		return <-text
	}
}

// Commands that go through a list show on a terminal how far they are, from the start,
// and take it away at the end; in a pipe they are silent.
func TestProgressOnTerminal(t *testing.T) {
	zeros, images := files(t), pictures(t)
	quantized, drawn := qnnFiles(t)
	list := headed(t, "2022,tiny,zero.onnx,holds.vnnlib,20,unsat,0.1", "2022,tiny,zero.onnx,violated.vnnlib,20,sat,0.1")
	at := filepath.Join
	for name, test := range map[string]struct {
		args  []string
		total int
	}{
		"campaign": {[]string{"campaign", "-net", at(zeros, "zero.onnx"), at(zeros, "violated.vnnlib"), at(zeros, "holds.vnnlib")}, 2},
		"bench":    {[]string{"bench", "-instances", list}, 2},
		"radius": {[]string{
			"radius", "-net", at(images, "tanh.onnx"), "-images", at(images, "images.idx"), "-labels", at(images, "labels.idx"),
			"-method", "newise,verinet",
		}, 10},
		"qnn verify": {[]string{"qnn", "verify", "-net", quantized, "-dir", drawn, "-radius", "1"}, 6},
		"qnn mrr":    {[]string{"qnn", "mrr", "-net", quantized, "-dir", drawn}, 6},
	} {
		t.Run(name, func(t *testing.T) {
			screen, written := terminal(t)
			var out bytes.Buffer
			code := run(context.Background(), test.args, strings.NewReader(""), &out, screen)
			shown := written()
			require.Equal(t, exitOK, code, shown)
			first, rest, found := strings.Cut(shown, fmt.Sprintf("(0/%d)", test.total))
			require.True(t, found, "%q", shown)
			assert.NotContains(t, first, "/", "drawn before the first answer")
			assert.Contains(t, rest, fmt.Sprintf("(%d/%d)", test.total-1, test.total))
			assert.True(t, strings.HasSuffix(shown, " \r"), "%q is taken away", shown)
			assert.NotContains(t, out.String(), "\r")

			code, piped, stderr := vouch(test.args...)
			require.Equal(t, exitOK, code)
			assert.Equal(t, strings.Count(out.String(), "\n"), strings.Count(piped, "\n"))
			assert.Empty(t, stderr)
		})
	}
}

// Answers and progress on the same screen: every answer has a line of its own.
func TestCampaignOnTerminal(t *testing.T) {
	t.Chdir(files(t))
	screen, written := terminal(t)
	args := []string{"campaign", "-net", "zero.onnx", "-jobs", "1", "violated.vnnlib", "holds.vnnlib"}
	require.Equal(t, exitOK, run(context.Background(), args, strings.NewReader(""), screen, screen))
	var lines []string
	for line := range strings.Lines(written()) {
		line = strings.TrimRight(line, "\r\n")
		lines = append(lines, line[strings.LastIndex(line, "\r")+1:]) // what stays of it
	}
	require.GreaterOrEqual(t, len(lines), 2)
	assert.Equal(t, []string{"sat      violated.vnnlib", "unsat    holds.vnnlib"}, lines[:2])
}
