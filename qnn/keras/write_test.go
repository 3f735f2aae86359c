package keras_test

import (
	"bytes"
	"encoding/binary"
	"os"
)

// layerWeights is a dense layer as Keras stores it: the kernel inputs×neurons.
type layerWeights struct {
	name         string
	kernel, bias []float32
}

// writeWeights writes a file as Keras's save_weights does, in the oldest HDF5 format:
// superblock 0, object headers 1, groups of link messages.
func writeWeights(file string, layers []layerWeights) error {
	f := &hdf5{}
	f.Write(make([]byte, 96)) // the superblock
	var names []string
	var links [][]byte
	for _, l := range layers {
		names = append(names, l.name)
		n := len(l.bias)
		inner := f.group([][]byte{
			link("kernel:0", f.dataset(l.kernel, len(l.kernel)/n, n)),
			link("bias:0", f.dataset(l.bias, n)),
		}, nil)
		outer := f.group([][]byte{link(l.name, inner)}, attribute("weight_names", l.name+"/kernel:0", l.name+"/bias:0"))
		links = append(links, link(l.name, outer))
	}
	root := f.group(links, attribute("layer_names", names...))
	out := f.Bytes()
	copy(out, superblock(root, uint64(len(out))))
	return os.WriteFile(file, out, 0o600)
}

// hdf5 is a file that grows.
type hdf5 struct{ bytes.Buffer }

const nowhere = ^uint64(0)

// pack is numbers and texts in little endian, filled up with zeros to eight bytes.
func pack(parts ...any) []byte {
	var b []byte
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			b = append(b, p...)
		case []byte:
			b = append(b, p...)
		default:
			b, _ = binary.Append(b, binary.LittleEndian, p) // numbers of a fixed size
		}
	}
	return append(b, make([]byte, (8-len(b)%8)%8)...)
}

func superblock(root, end uint64) []byte {
	return pack("\x89HDF\r\n\x1a\n", []byte{0, 0, 0, 0, 0, 8, 8, 0}, uint16(4), uint16(16), uint32(0),
		uint64(0), nowhere, end, nowhere, uint64(0), root, uint64(0), uint64(0), uint64(0))
}

// object writes a header with messages, and returns where it is.
func (f *hdf5) object(messages ...[]byte) uint64 {
	at := uint64(f.Len())
	all := bytes.Join(messages, nil)
	f.Write(pack([]byte{1, 0}, uint16(len(messages)), uint32(1), uint32(len(all)), uint32(0)))
	f.Write(all)
	return at
}

func message(kind uint16, parts ...any) []byte {
	data := pack(parts...)
	return pack(kind, uint16(len(data)), uint32(0), data)
}

func (f *hdf5) group(links [][]byte, attribute []byte) uint64 {
	messages := append([][]byte{message(2, []byte{0, 0}, nowhere, nowhere)}, links...)
	if attribute != nil {
		messages = append(messages, attribute)
	}
	return f.object(messages...)
}

func link(name string, to uint64) []byte {
	return message(6, []byte{1, 0, byte(len(name))}, name, to)
}

// dataset is numbers of 32 bits.
func (f *hdf5) dataset(values []float32, shape ...int) uint64 {
	at := uint64(f.Len())
	data := pack(values)
	f.Write(data)
	single := pack([]byte{0x11, 0x20, 31, 0}, uint32(4), uint16(0), uint16(32), []byte{23, 8, 0, 23}, uint32(127))
	return f.object(message(1, space(shape...)), message(3, single), message(5, []byte{2, 2, 2, 0}),
		message(8, []byte{3, 1}, at, uint64(4*len(values))))
}

func space(shape ...int) []byte {
	b := []byte{1, byte(len(shape)), 0, 0, 0, 0, 0, 0}
	for _, n := range shape {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	return b
}

// attribute is a list of texts.
func attribute(name string, values ...string) []byte {
	width := 0
	for _, v := range values {
		width = max(width, len(v))
	}
	var data []byte
	for _, v := range values {
		data = append(data, v...)
		data = append(data, make([]byte, width-len(v))...)
	}
	text := pack([]byte{0x13, 1, 0, 0}, uint32(width))
	sizes := space(len(values))
	return message(12, []byte{1, 0}, uint16(len(name)+1), uint16(len(text)), uint16(len(sizes)), pack(name, []byte{0}), text, sizes, data)
}
