package keras_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
)

// layout is the layout message of a dataset whose data it writes.
func (f *hdf5) layout(values []float32, shape []int) []byte {
	if !f.chunks {
		return message(8, []byte{3, 1}, f.put(values), uint64(4*len(values)))
	}
	// chunks of two rows, the last filled up
	row := len(values) / shape[0]
	var leaf []any
	n := (shape[0] + 1) / 2
	for i := range n {
		rows := make([]float32, 2*row)
		copy(rows, values[2*i*row:])
		data := f.packed(pack(rows)[:8*row])
		leaf = append(leaf, chunkKey(len(data), 2*i, len(shape)), f.put(data))
	}
	leaf = append(leaf, chunkKey(0, shape[0], len(shape)))
	return f.chunkLayout(f.chunkTree(0, n, leaf...), shape)
}

// chunkLayout is the message of chunks of two rows.
func (f *hdf5) chunkLayout(leaf uint64, shape []int) []byte {
	root := f.chunkTree(1, 1, chunkKey(0, 0, len(shape)), leaf, chunkKey(0, shape[0], len(shape)))
	return chunkMessage(root, chunkShape(shape)...)
}

func chunkShape(shape []int) []uint32 {
	chunk := []uint32{2}
	for _, n := range shape[1:] {
		chunk = append(chunk, uint32(n))
	}
	return append(chunk, 4)
}

func chunkMessage(tree uint64, chunk ...uint32) []byte {
	return message(8, []byte{3, 2, byte(len(chunk))}, tree, chunk)
}

// chunkTree is a node of a B-tree, of keys and children and a last key.
func (f *hdf5) chunkTree(level byte, n int, entries ...any) uint64 {
	return f.put(append([]any{"TREE", []byte{1, level}, uint16(n), nowhere, nowhere}, entries...)...)
}

func chunkKey(size, row, rank int) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(size))
	b = binary.LittleEndian.AppendUint64(append(b, 0, 0, 0, 0), uint64(row))
	return append(b, make([]byte, 8*rank)...)
}

// filterMessage names the filters: 1 is deflate, 2 shuffling, 3 a checksum, 32000 LZF.
func filterMessage(filters []uint16, shape []int) []byte {
	length := uint32(1)
	for _, n := range chunkShape(shape) {
		length *= n
	}
	parts := []any{[]byte{1, byte(len(filters)), 0, 0, 0, 0, 0, 0}}
	for _, id := range filters {
		values := map[uint16][]uint32{1: {4}, 2: {4}, 32000: {4, 261, length}}[id]
		parts = append(parts, pack(id, uint16(0), uint16(0), uint16(len(values)), values))
	}
	return message(11, parts...)
}

// packed is a chunk after the filters.
func (f *hdf5) packed(data []byte) []byte {
	for _, id := range f.filters {
		switch id {
		case 1:
			data = deflated(data)
		case 2:
			shuffled := make([]byte, len(data))
			for i, b := range data {
				shuffled[i%4*(len(data)/4)+i/4] = b
			}
			data = shuffled
		case 3:
			data = append(data, 1, 2, 3, 4)
		case 32000:
			var b []byte
			for ; len(data) > 0; data = data[min(len(data), 32):] {
				run := data[:min(len(data), 32)]
				b = append(append(b, byte(len(run)-1)), run...)
			}
			data = b
		}
	}
	return data
}

// bomb is one chunk of two rows that claims to be packed by a filter.
func (f *hdf5) bomb(data []byte, filters ...uint16) uint64 {
	shape := []int{2, 2}
	leaf := f.chunkTree(0, 1, chunkKey(len(data), 0, 2), f.put(data), chunkKey(0, 2, 2))
	return f.sized(f.chunkLayout(leaf, shape), filterMessage(filters, shape), shape...)
}

func deflated(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write(data) // a buffer takes all
	_ = w.Close()
	return b.Bytes()
}
