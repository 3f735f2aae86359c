package bab

// Which campaign a results file belongs to.
//
// Three hashes stand for all that results depend on: the network, the options
// and the properties with their names. Values are hashed by walking them, since
// operators, bounders and regions are interfaces that a caller can implement:
// the dynamic type's name and every field, hidden ones too. Left out is what
// cannot matter or has no value: functions, channels, loggers, and anything of
// the packages sync and sync/atomic, in which caches are kept. Node names do
// not count either. So a bounder or region of the caller's whose fields change
// while it works, outside those packages, makes files that cannot be resumed.

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"log/slog"
	"math"
	"reflect"
	"slices"

	"github.com/vouchnn/vouch/nn"
)

// fingerprint is the identity of a campaign, as the file's header holds it.
type fingerprint struct {
	Network    string `json:"network"`
	Options    string `json:"options"`
	Properties string `json:"properties"`
}

func newFingerprint(net nn.Network, instances []Instance, opts *CampaignOptions) fingerprint {
	w := newWalker()
	for _, n := range net.Nodes() {
		w.value(reflect.ValueOf(n.Inputs))
		w.value(reflect.ValueOf(n.Shape))
		if n.Op == nil {
			continue
		}
		w.text(n.Op.Kind())
		for _, p := range n.Op.Params() {
			if p != nil {
				w.text(p.Name)
				w.floats(p.Values())
			}
		}
		w.value(reflect.ValueOf(n.Op))
	}
	w.number(uint64(net.Output()))
	var f fingerprint
	f.Network = w.sum()

	w = newWalker()
	w.value(reflect.ValueOf(opts.Options))
	w.number(uint64(opts.Timeout))
	w.value(reflect.ValueOf(opts.NoSharing))
	f.Options = w.sum()

	w = newWalker()
	for _, in := range instances {
		w.value(reflect.ValueOf(in))
	}
	f.Properties = w.sum()
	return f
}

// hashOf is a hash of any value.
func hashOf(v any) [32]byte {
	w := newWalker()
	w.value(reflect.ValueOf(v))
	w.flush()
	return [32]byte(w.hash.Sum(nil))
}

// walker hashes values. Every value is preceded by its kind, and by its length
// where that varies, so that different values differ as byte strings.
type walker struct {
	hash hash.Hash
	buf  []byte
	path []uintptr // pointers that are being followed
}

func newWalker() *walker { return &walker{hash: sha256.New(), buf: make([]byte, 0, 4096)} }

func (w *walker) sum() string {
	w.flush()
	return hex.EncodeToString(w.hash.Sum(nil)[:16])
}

func (w *walker) flush() {
	w.hash.Write(w.buf)
	w.buf = w.buf[:0]
}

func (w *walker) number(v uint64) {
	if len(w.buf) > 4000 {
		w.flush()
	}
	w.buf = binary.LittleEndian.AppendUint64(w.buf, v)
}

func (w *walker) text(s string) {
	w.number(uint64(len(s)))
	w.flush()
	w.hash.Write([]byte(s))
}

func (w *walker) floats(x []float64) {
	w.number(uint64(len(x)))
	for _, v := range x {
		w.number(math.Float64bits(v))
	}
}

var (
	paramType  = reflect.TypeFor[*nn.Param]()
	loggerType = reflect.TypeFor[*slog.Logger]()
)

// skipped reports whether values of the type do not count.
func skipped(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return true
	}
	return t == paramType || t == loggerType || t.PkgPath() == "sync" || t.PkgPath() == "sync/atomic"
}

func (w *walker) value(v reflect.Value) {
	if !v.IsValid() {
		w.number(uint64(reflect.Invalid))
		return
	}
	if skipped(v.Type()) {
		return
	}
	w.number(uint64(v.Kind()))
	switch v.Kind() {
	case reflect.Bool:
		n := uint64(0)
		if v.Bool() {
			n = 1
		}
		w.number(n)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.number(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		w.number(v.Uint())
	case reflect.Float32, reflect.Float64:
		w.number(math.Float64bits(v.Float()))
	case reflect.Complex64, reflect.Complex128:
		w.number(math.Float64bits(real(v.Complex())))
		w.number(math.Float64bits(imag(v.Complex())))
	case reflect.String:
		w.text(v.String())
	case reflect.Interface:
		w.dynamic(v)
	case reflect.Pointer:
		w.pointer(v)
	case reflect.Array, reflect.Slice:
		w.list(v)
	case reflect.Map:
		w.dictionary(v)
	case reflect.Struct:
		w.text(v.Type().String())
		for i := range v.NumField() {
			w.value(v.Field(i))
		}
	}
}

func (w *walker) dynamic(v reflect.Value) {
	if v.IsNil() {
		w.number(0)
		return
	}
	t := v.Elem().Type()
	w.text(t.PkgPath() + " " + t.String())
	w.value(v.Elem())
}

func (w *walker) pointer(v reflect.Value) {
	switch {
	case v.IsNil():
		w.number(0)
		return
	case slices.Contains(w.path, v.Pointer()):
		w.number(2) // a circle
		return
	}
	w.number(1)
	w.path = append(w.path, v.Pointer())
	w.value(v.Elem())
	w.path = w.path[:len(w.path)-1]
}

func (w *walker) list(v reflect.Value) {
	if v.CanInterface() {
		if x, ok := v.Interface().([]float64); ok {
			w.floats(x)
			return
		}
	}
	w.number(uint64(v.Len()))
	for i := range v.Len() {
		w.value(v.Index(i))
	}
}

// dictionary hashes the entries in the order of their hashes.
func (w *walker) dictionary(v reflect.Value) {
	entries := make([][]byte, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		e := newWalker()
		e.path = w.path
		e.value(it.Key())
		e.value(it.Value())
		e.flush()
		entries = append(entries, e.hash.Sum(nil))
	}
	slices.SortFunc(entries, bytes.Compare)
	w.number(uint64(len(entries)))
	for _, e := range entries {
		w.text(string(e))
	}
}
