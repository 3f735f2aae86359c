package spec

import "fmt"

// Error reports a region or property that is malformed or does not fit its
// network.
type Error struct {
	Field  string // which part
	Detail string
}

// Error names the part and what is wrong with it.
func (e *Error) Error() string { return "spec: " + e.Field + ": " + e.Detail }

func errorf(field, format string, args ...any) error {
	return &Error{Field: field, Detail: fmt.Sprintf(format, args...)}
}
