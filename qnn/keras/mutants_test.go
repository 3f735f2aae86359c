package keras_test

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/qnn"
	"github.com/vouchnn/vouch/qnn/keras"
)

// patience is for a reader that never returns, not a measure of its speed.
const patience = 10 * time.Second

// allocated is the bytes allocated so far.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// checkRead reads a file that may be anything: an error of a known type or a network
// that runs, and memory in proportion.
func checkRead(t testing.TB, file, name string, size int) {
	watch := time.AfterFunc(patience, func() { panic("hangs: " + name) })
	defer watch.Stop()
	before := allocated()
	net, err := keras.ReadFile(file, nil)
	taken := allocated() - before
	if most := uint64(8<<20 + 128*size); taken > most {
		t.Fatalf("%s: %d bytes were allocated for a file of %d, at most %d may", name, taken, size, most)
	}
	var refused *keras.FileError
	var malformed *qnn.Error
	switch {
	case err == nil:
		net.Run(make([]int64, net.Inputs()))
	case !errors.As(err, &refused) && !errors.As(err, &malformed):
		t.Fatalf("%s: error of type %T: %v", name, err, err)
	}
}

// mutate changes single bytes of a file and back.
func mutate(t *testing.T, file, name string, whole []byte, offsets []int, values func(was byte) []byte) {
	require.NoError(t, os.WriteFile(file, whole, 0o600))
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	for _, at := range offsets {
		for _, v := range values(whole[at]) {
			_, err := f.WriteAt([]byte{v}, int64(at))
			require.NoError(t, err)
			checkRead(t, file, fmt.Sprintf("%s, byte %d changed to %d", name, at, v), len(whole))
		}
		_, err := f.WriteAt(whole[at:at+1], int64(at))
		require.NoError(t, err)
	}
}

// Whatever byte of a file is changed, it is refused or read, in proportion. Each byte
// of the simplest form becomes all of some values, of the others one of them.
func TestReadMutants(t *testing.T) {
	for name, form := range forms() {
		if name == "LZF" || name == "checked, inflated" {
			continue // hardly different from others
		}
		t.Run(name, func(t *testing.T) {
			whole := form.weights(small()[:1])
			offsets := make([]int, len(whole))
			for i := range offsets {
				offsets[i] = i
			}
			turn := 0
			mutate(t, filepath.Join(t.TempDir(), "weights.h5"), name, whole, offsets, func(was byte) []byte {
				values := []byte{0xff, was + 1, was ^ 0x80, 2 * was}
				turn++
				if name == "links" {
					return values
				}
				return values[turn%4 : turn%4+1]
			})
		})
	}
}

// So it is where Keras wrote the file: superblock, symbol tables, headers, heaps.
func TestReadMutantsOfKeras(t *testing.T) {
	dir := cmp.Or(os.Getenv("VOUCH_DATA"), filepath.Join("..", "..", "..", "shared", "data"))
	whole, err := os.ReadFile(filepath.Join(dir, "qnn", "h5", "mlech26l", "mnist_mlp.h5"))
	if err != nil {
		t.Skipf("no test data in %s: set VOUCH_DATA", dir)
	}
	var offsets []int
	for i := range whole {
		weights := i > 9000 && i < 210000 // the first layer's
		if !weights && (whole[i] != 0 && i%20 == 0 || i%97 == 0) {
			offsets = append(offsets, i)
		}
	}
	file := filepath.Join(t.TempDir(), "weights.h5")
	mutate(t, file, "Keras", whole, offsets, func(was byte) []byte { return []byte{was ^ 0x80} })
}

func FuzzRead(f *testing.F) {
	file := filepath.Join(f.TempDir(), "weights.h5") // one for each process, written again and again
	for _, form := range forms() {
		f.Add(form.weights(small()[:1]))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		require.NoError(t, os.WriteFile(file, text, 0o600))
		checkRead(t, file, "the input", len(text))
	})
}
