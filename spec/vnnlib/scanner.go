package vnnlib

import (
	"fmt"
	"io"
)

// The tokens of an S-expression, one at a time out of a fixed buffer.
//
// VNN-LIB files reach hundreds of megabytes, nearly all of it asserts of one
// shape. The scanner therefore never holds more than its buffer: a token's text
// is a slice of it that the next call overwrites. A token may not be longer than
// the buffer; strings and |quoted symbols|, which occur only inside commands
// that are ignored, may, since their text is not kept.

type token uint8

const (
	tokEnd token = iota
	tokOpen
	tokClose
	tokWord   // a symbol or a number
	tokQuoted // a string or a |quoted symbol|, without text
	tokBroken // scanner.err says why
)

// maxToken is the longest token, in bytes.
const maxToken = 64 << 10

type scanner struct {
	file   string
	r      io.Reader
	buf    []byte
	pos    int // next byte
	end    int // end of what was read
	eof    bool
	err    error
	left   int64 // bytes that may still be read
	limit  int64
	line   int // of pos, from 1
	origin int // index in buf of the line's first byte; negative once it is gone

	text            []byte // of the last tokWord
	tokLine, tokCol int    // of the last token
}

func newScanner(r io.Reader, file string, limit int64) *scanner {
	return &scanner{file: file, r: r, buf: make([]byte, maxToken), left: limit, limit: limit, line: 1}
}

const (
	charSpace = 1 << iota
	charDelimiter
)

var chars = func() (c [256]uint8) {
	for _, b := range " \t\r\n\f\v" {
		c[b] = charSpace | charDelimiter
	}
	for _, b := range `();"|` {
		c[b] = charDelimiter
	}
	return c
}()

// fill drops the bytes before keep, so that keep becomes index 0, and reads
// more. It reports whether there are any.
func (s *scanner) fill(keep int) bool {
	copy(s.buf, s.buf[keep:s.end])
	s.pos -= keep
	s.end -= keep
	s.origin -= keep
	if s.eof || s.err != nil {
		return false
	}
	for tries := 0; tries < 100; tries++ {
		room := s.buf[s.end:]
		if int64(len(room)) > s.left+1 {
			room = room[:s.left+1] // one more than allowed tells an end from an excess
		}
		n, err := s.r.Read(room)
		s.left -= int64(n)
		s.end += n
		switch {
		case s.left < 0:
			s.err = &LimitError{File: s.file, What: "bytes of text", Limit: s.limit}
			return false
		case err == io.EOF:
			s.eof = true
			return n > 0
		case err != nil:
			s.err = fmt.Errorf("vnnlib: %s%w", place(s.file, s.line, max(1, s.end-s.origin+1)), err)
			return false
		case n > 0:
			return true
		}
	}
	s.err = fmt.Errorf("vnnlib: %s%w", place(s.file, s.line, 1), io.ErrNoProgress)
	return false
}

// next reads a token.
func (s *scanner) next() token {
	for {
		for s.pos < s.end && chars[s.buf[s.pos]]&charSpace != 0 {
			if s.buf[s.pos] == '\n' {
				s.line++
				s.origin = s.pos + 1
			}
			s.pos++
		}
		if s.pos == s.end {
			if !s.fill(s.pos) {
				s.mark(s.pos)
				return s.ended()
			}
			continue
		}
		s.mark(s.pos)
		switch c := s.buf[s.pos]; c {
		case '(':
			s.pos++
			return tokOpen
		case ')':
			s.pos++
			return tokClose
		case ';':
			s.skipTo('\n')
		case '"', '|':
			s.pos++
			if !s.skipTo(c) {
				if s.err == nil {
					s.err = s.errorf("an opening %q without its end", c)
				}
				return tokBroken
			}
			s.pos++
			return tokQuoted
		default:
			return s.word()
		}
	}
}

func (s *scanner) mark(at int) { s.tokLine, s.tokCol = s.line, at-s.origin+1 }

func (s *scanner) ended() token {
	if s.err != nil {
		return tokBroken
	}
	return tokEnd
}

// word reads a symbol or number that starts at pos.
func (s *scanner) word() token {
	start := s.pos
	for {
		for s.pos < s.end && chars[s.buf[s.pos]]&charDelimiter == 0 {
			s.pos++
		}
		if s.pos < s.end {
			break
		}
		if start == 0 && s.end == len(s.buf) {
			s.err = &LimitError{File: s.file, What: "bytes of a token", Limit: maxToken}
			return tokBroken
		}
		more := s.fill(start)
		start = 0
		if !more {
			if s.err != nil {
				return tokBroken
			}
			break
		}
	}
	s.text = s.buf[start:s.pos]
	return tokWord
}

// skipTo moves to the next byte c, and reports whether there is one.
func (s *scanner) skipTo(c byte) bool {
	for {
		for s.pos < s.end {
			b := s.buf[s.pos]
			if b == c {
				return true
			}
			s.pos++
			if b == '\n' {
				s.line++
				s.origin = s.pos
			}
		}
		if !s.fill(s.pos) {
			return false
		}
	}
}

func (s *scanner) errorf(format string, args ...any) error {
	return &ParseError{File: s.file, Line: s.tokLine, Column: s.tokCol, Detail: fmt.Sprintf(format, args...)}
}

func (s *scanner) unsupported(format string, args ...any) error {
	return &UnsupportedError{File: s.file, Line: s.tokLine, Column: s.tokCol, Construct: fmt.Sprintf(format, args...)}
}

// unexpected is the error for token t where want should be.
func (s *scanner) unexpected(t token, want string) error {
	switch t {
	case tokBroken:
		return s.err
	case tokEnd:
		return s.errorf("the file ends where %s should be", want)
	case tokOpen:
		return s.errorf(`"(" where %s should be`, want)
	case tokClose:
		return s.errorf(`")" where %s should be`, want)
	case tokQuoted:
		return s.errorf("a quoted text where %s should be", want)
	default:
		return s.errorf("%s where %s should be", quote(s.text), want)
	}
}

// quote shows a token, shortened.
func quote(text []byte) string {
	if len(text) > 40 {
		return fmt.Sprintf("%q...", text[:40])
	}
	return fmt.Sprintf("%q", text)
}

// expect reads a token that must be t.
func (s *scanner) expect(t token, want string) error {
	if got := s.next(); got != t {
		return s.unexpected(got, want)
	}
	return nil
}
