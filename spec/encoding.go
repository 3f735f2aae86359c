package spec

import "fmt"

// Verdicts and reasons as text, for JSON and for tables of results.

// ParseVerdict is the verdict of that name.
// Errors: *Error.
func ParseVerdict(name string) (Verdict, error) {
	for v := Unknown; v <= Falsified; v++ {
		if v.String() == name {
			return v, nil
		}
	}
	return Unknown, errorf("verdict", "%q is none of unknown, verified, falsified", name)
}

// ParseReason is the reason of that name; the empty name is ReasonNone.
// Errors: *Error.
func ParseReason(name string) (Reason, error) {
	for r := ReasonNone; r <= ReasonNumerical; r++ {
		if r.String() == name {
			return r, nil
		}
	}
	return ReasonNone, errorf("reason", "%q is unknown", name)
}

// MarshalText implements encoding.TextMarshaler.
// Errors: *Error for a value that is no verdict.
func (v Verdict) MarshalText() ([]byte, error) {
	if v < Unknown || v > Falsified {
		return nil, errorf("verdict", "the value %d is unknown", int(v))
	}
	return []byte(v.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *Verdict) UnmarshalText(text []byte) error {
	parsed, err := ParseVerdict(string(text))
	if err != nil {
		return fmt.Errorf("unmarshal: %w", err)
	}
	*v = parsed
	return nil
}

// MarshalText implements encoding.TextMarshaler.
// Errors: *Error for a value that is no reason.
func (r Reason) MarshalText() ([]byte, error) {
	if r < ReasonNone || r > ReasonNumerical {
		return nil, errorf("reason", "the value %d is unknown", int(r))
	}
	return []byte(r.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Reason) UnmarshalText(text []byte) error {
	parsed, err := ParseReason(string(text))
	if err != nil {
		return fmt.Errorf("unmarshal: %w", err)
	}
	*r = parsed
	return nil
}
