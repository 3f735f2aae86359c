package vnnlib

import (
	"bytes"
	"reflect"
	"testing"
)

// FuzzRead: any bytes give a property or an error, quickly and in bounded
// memory; a property is valid, and survives writing and reading.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"", "(", unit, unit + "(assert (or (and (<= Y_0 1) (>= X_0 0.25)) (<= (* 3 X_1) 1)))",
		unit + "(assert (<= (+ (* 2 Y_0) (- 1 Y_1 X_0) (/ 1 3)) #x0F 1/7 1e-400 123456789012345678901))",
		unit + "(assert (or (or (<= Y_0 Y_1) (< X_0 0.1) (> X_0 0.9)) false (and))) (set-info :a |b|)",
		"(declare-fun X_0 () Real)(declare-const Y_0 Real)(assert (= X_0 -0.5)) ; end",
		unit + "(assert (or (<= Y_0 1) (<= Y_1 1)))(assert (or (<= Y_0 2) (<= Y_1 2)))(assert (or (<= X_0 0.5) (<= X_1 0.5)))",
	} {
		f.Add([]byte(s))
	}
	limits := Options{MaxBytes: 1 << 20, MaxConjunctions: 1000, MaxMemory: 1 << 22}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Read(bytes.NewReader(text), "fuzz", &limits)
		if err != nil {
			if p != nil || err.Error() == "" {
				t.Fatal("an error with a property or without a text")
			}
			return
		}
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		var w bytes.Buffer
		if err := Write(&w, p); err != nil {
			t.Fatal(err)
		}
		back, err := Read(bytes.NewReader(w.Bytes()), "written", nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, w.Bytes())
		}
		if !reflect.DeepEqual(p, back) {
			t.Fatalf("%+v\n%+v\n%s", p, back, w.Bytes())
		}
	})
}

// FuzzReadCounterexample: the same for counterexamples.
func FuzzReadCounterexample(f *testing.F) {
	for _, s := range []string{"", "sat\n((X_0 1)\n(Y_0 (- 2)))", "((X_1 1) (X_0 .5e-3))", "(X_0 (/ 1 3))(Y_5 1)"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ReadCounterexample(bytes.NewReader(text), "fuzz")
		if err != nil {
			return
		}
		var w bytes.Buffer
		if err := WriteCounterexample(&w, c); err != nil {
			t.Fatal(err)
		}
		back, err := ReadCounterexample(&w, "written")
		if err != nil || !reflect.DeepEqual(c, back) {
			t.Fatal(c, back, err)
		}
	})
}
