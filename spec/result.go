package spec

import (
	"time"
)

// Verdict is the answer to a property. Only Verified and Falsified are claims.
type Verdict int

// The verdicts. The zero value claims nothing.
const (
	Unknown Verdict = iota
	Verified
	Falsified
)

// String is the verdict's name in lower case.
func (v Verdict) String() string {
	switch v {
	case Verified:
		return "verified"
	case Falsified:
		return "falsified"
	default:
		return "unknown"
	}
}

// Reason says why a verdict is Unknown.
type Reason int

// The reasons. A claim has ReasonNone.
const (
	ReasonNone       Reason = iota
	ReasonTimeout           // the deadline passed
	ReasonCancelled         // the context was cancelled
	ReasonNodeLimit         // the limit on sub-problems was reached
	ReasonMemory            // the limit on memory was reached
	ReasonIncomplete        // the method cannot decide this property
	ReasonNumerical         // sub-problems became too small for floating point
)

// String is the reason's name in lower case, empty for ReasonNone.
func (r Reason) String() string {
	switch r {
	case ReasonTimeout:
		return "timeout"
	case ReasonCancelled:
		return "cancelled"
	case ReasonNodeLimit:
		return "node limit"
	case ReasonMemory:
		return "memory limit"
	case ReasonIncomplete:
		return "incomplete method"
	case ReasonNumerical:
		return "numerical limit"
	default:
		return ""
	}
}

// Counterexample is an input at which a property is violated.
type Counterexample struct {
	Input  []float64 // lies in the case's region; float32 values wherever the region holds any
	Output []float64 // the network's float64 output at Input
	Case   int       // index into Property.Cases
	// Conjunction is the index into the case's Unsafe of one that holds.
	Conjunction int
}

// Result is what every verifier answers.
type Result struct {
	Verdict        Verdict
	Reason         Reason          // why Unknown
	Counterexample *Counterexample // not nil exactly if Falsified
	// LowerBound is a proven lower bound of the least violation over all
	// regions: never negative if Verified; −Inf where nothing is known.
	LowerBound float64
	Stats      Stats
}

// Stats describes the work done. Which fields are filled depends on the
// verifier.
type Stats struct {
	Elapsed     time.Duration
	Domains     int               // sub-problems bounded
	Splits      int               // sub-problems split
	MaxFrontier int               // most open sub-problems at a time
	Leaves      int               // sub-problems handed to a linear program
	Attacks     int               // points that attacks evaluated
	Choices     map[string]string // what an automatic setting chose, by name
}
