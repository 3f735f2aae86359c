// Package vnnlib reads and writes queries in VNN-LIB 1.0, the language of the
// verification competition VNN-COMP, and counterexamples in its result format.
//
//	file ──scanner──> tokens ──parser──> root group ──dnf──> spec.Property
//	                                     atoms               Case: box, conjunctions
//	                                     choices             Case: box, conjunctions
//
// # The language
//
// VNN-LIB is a corner of SMT-LIB: variables X_0.. for the network's inputs and
// Y_0.. for its outputs, and asserts that hold together. A point (x, y) that
// satisfies all of them is a counterexample, so the asserts are the unsafe set
// and become spec.Property as they are.
//
//	; comment
//	(declare-const X_0 Real)            also (declare-fun X_0 () Real)
//	(assert F)
//	F  (and F ...)  (or F ...)  (<= E E ...)  >=  <  >  =  true  false
//	E  X_0  Y_0  number  (+ E ...)  (- E ...)  (* E ...)  (/ E ...)
//
// The commands set-logic, set-info, set-option, check-sat, exit, echo and the
// get-... family are skipped. Everything else is an error with its place.
//
// # What reading changes
//
//   - < and > are read as <= and >=. That enlarges the unsafe set by its edge, so
//     a proof stays a proof.
//   - A number is read as the nearest float64. Constants that are computed are
//     computed exactly from the decimals and rounded once (number.go).
//   - A bound of one input becomes a bound of the case's box. If the division in
//     3·x ≤ 1 is not exact, the box is rounded outward and the inequality is kept
//     in the conjunction, so the meaning does not change.
//   - Input constraints inside a disjunction give several boxes, one Case for
//     each distinct one. Boxes share equal bound vectors.
//   - A disjunct whose bounds cross is impossible and is dropped. If none is left
//     nothing is unsafe: the property has one Case with an empty Unsafe, over the
//     box of the undisputed asserts, 0 where they leave none.
//   - Every disjunct that is left must bound every input on both sides.
//
// # Limits
//
// Beyond those of Options: 1000 nested parentheses, 64 KiB per token, 16384 bits
// in constant arithmetic, 100000 disjunctions that hold together. All give a
// *LimitError or *UnsupportedError; a file cannot make the reader run out of
// memory or stack.
//
//	format                                  where                        test
//	tokens, place of errors                 scanner.go                   scanner_test.go
//	numbers (Clinger 1990)                  number.go                    number_test.go
//	linear expressions                      linear.go                    parse_test.go
//	inequalities, bounds of one variable    inequality.go                parse_test.go
//	and, or                                 formula.go                   parse_test.go
//	commands                                parser.go                    parse_test.go
//	disjunctive normal form, boxes          dnf.go                       dnf_test.go
//	limits, gzip                            options.go                   options_test.go
//	writing                                 write.go                     write_test.go
//	counterexamples                         counterexample.go            counterexample_test.go
//	published files                                                      data_test.go
package vnnlib
