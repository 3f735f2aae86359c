package vnnlib

import (
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func tokens(t *testing.T, s *scanner) []string {
	t.Helper()
	var all []string
	for {
		switch tok := s.next(); tok {
		case tokEnd:
			return all
		case tokBroken:
			require.Error(t, s.err)
			return append(all, "broken")
		default:
			text := [...]string{tokOpen: "(", tokClose: ")", tokWord: string(s.text), tokQuoted: "quoted"}[tok]
			all = append(all, fmt.Sprintf("%d:%d %s", s.tokLine, s.tokCol, text))
		}
	}
}

func TestScannerPlaces(t *testing.T) {
	text := "(a bc;d\n\t)\r\n\n \"x\ny\" |(| e"
	want := []string{"1:1 (", "1:2 a", "1:4 bc", "2:2 )", "4:2 quoted", "5:4 quoted", "5:8 e"}
	assert.Equal(t, want, tokens(t, newScanner(strings.NewReader(text), "", 100)))
	assert.Equal(t, want, tokens(t, newScanner(iotest.OneByteReader(strings.NewReader(text)), "", 100)))
	assert.Equal(t, want, tokens(t, newScanner(iotest.DataErrReader(strings.NewReader(text)), "", 100)))
	assert.Equal(t, want, tokens(t, newScanner(strings.NewReader(text), "", int64(len(text)))))
	assert.Contains(t, tokens(t, newScanner(strings.NewReader(text), "", int64(len(text)-1))), "broken")
}

// TestScannerBufferEdges shifts a text across the end of the buffer.
func TestScannerBufferEdges(t *testing.T) {
	for shift := range 40 {
		pad := strings.Repeat(" ", maxToken-20+shift)
		got := tokens(t, newScanner(strings.NewReader(pad+"(hello \"wor\nld\" 12345)"), "", 1<<20))
		col := len(pad)
		assert.Equal(t, []string{
			fmt.Sprintf("1:%d (", col+1), fmt.Sprintf("1:%d hello", col+2), fmt.Sprintf("1:%d quoted", col+8),
			"2:5 12345", "2:10 )",
		}, got, shift)
	}
}

func TestLongToken(t *testing.T) {
	s := newScanner(strings.NewReader("("+strings.Repeat("a", maxToken-1)+" b"), "", 1<<20)
	assert.Len(t, tokens(t, s), 3)
	s = newScanner(strings.NewReader("("+strings.Repeat("a", maxToken+1)), "", 1<<20)
	assert.Contains(t, tokens(t, s), "broken")
	var e *LimitError
	assert.ErrorAs(t, s.err, &e)
	s = newScanner(strings.NewReader("|"+strings.Repeat("a", 3*maxToken)+"| b"), "", 1<<20)
	assert.Len(t, tokens(t, s), 2, "quoted texts may be longer")
}

// stuck never reads anything.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestStuckReader(t *testing.T) {
	assert.Equal(t, []string{"broken"}, tokens(t, newScanner(stuck{}, "", 1<<20)))
}
