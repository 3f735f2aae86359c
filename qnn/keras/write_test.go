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
	return os.WriteFile(file, (&hdf5{}).weights(layers), 0o600)
}

// hdf5 is a file that grows. The zero value writes the simplest of the forms that are
// read.
type hdf5 struct {
	bytes.Buffer
	symbols  bool     // groups are symbol tables
	variable bool     // texts are in global heaps
	newer    bool     // superblock 2, object headers 2
	split    bool     // headers are continued
	filters  []uint16 // datasets are in chunks, packed by these; none if empty
	chunks   bool     // datasets are in chunks

	tables map[uint64][]byte // of groups, where their links are
}

// child is a link to an object.
type child struct {
	name string
	to   uint64
}

// weights is a whole file.
func (f *hdf5) weights(layers []layerWeights) []byte {
	f.Write(make([]byte, 96)) // the superblock
	var names []string
	var links []child
	for _, l := range layers {
		names = append(names, l.name)
		n := len(l.bias)
		inner := f.group([]child{
			{"kernel:0", f.dataset(l.kernel, len(l.kernel)/n, n)},
			{"bias:0", f.dataset(l.bias, n)},
		})
		outer := f.group([]child{{l.name, inner}}, f.attribute("weight_names", l.name+"/kernel:0", l.name+"/bias:0"))
		links = append(links, child{l.name, outer})
	}
	return f.file(f.group(links, f.attribute("layer_names", names...)))
}

// file ends a file with its superblock.
func (f *hdf5) file(root uint64) []byte {
	end := uint64(f.Len())
	if f.newer {
		copy(f.Bytes(), pack("\x89HDF\r\n\x1a\n", []byte{2, 8, 8, 0}, uint64(0), nowhere, end, root, uint32(0)))
	} else {
		copy(f.Bytes(), pack("\x89HDF\r\n\x1a\n", []byte{0, 0, 0, 0, 0, 8, 8, 0}, uint16(4), uint16(16), uint32(0),
			uint64(0), nowhere, end, nowhere, uint64(0), root, uint64(0), uint64(0), uint64(0)))
	}
	return f.Bytes()
}

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

// put writes a piece, and returns where it is.
func (f *hdf5) put(parts ...any) uint64 {
	at := uint64(f.Len())
	f.Write(pack(parts...))
	return at
}

// object writes a header with messages, and returns where it is.
func (f *hdf5) object(messages ...[]byte) uint64 {
	if f.split && len(messages) > 1 {
		rest := f.block(messages[1:])
		messages = [][]byte{messages[0], message(16, f.put(rest), uint64(len(rest)))}
	}
	block := f.block(messages)
	if f.newer {
		block = bytes.TrimPrefix(block, []byte("OCHK"))
		return f.put("OHDR", []byte{2, 2}, uint32(len(block)-4), block)
	}
	return f.put([]byte{1, 0}, uint16(len(messages)), uint32(1), uint32(len(block)), uint32(0), block)
}

// block is messages as they are continued.
func (f *hdf5) block(messages [][]byte) []byte {
	all := bytes.Join(messages, nil)
	if !f.newer {
		return all
	}
	b := []byte("OCHK")
	for _, m := range messages {
		b = append(b, m[0], m[2], m[3], 0)
		b = append(b, m[8:]...)
	}
	return append(b, 0, 0, 0, 0) // the checksum, which is not looked at
}

func message(kind uint16, parts ...any) []byte {
	data := pack(parts...)
	return pack(kind, uint16(len(data)), uint32(0), data)
}

func (f *hdf5) group(links []child, attributes ...[]byte) uint64 {
	if f.symbols {
		table := f.table(links)
		at := f.object(append([][]byte{message(17, table)}, attributes...)...)
		f.tables[at] = table
		return at
	}
	messages := [][]byte{message(2, []byte{0, 0}, nowhere, nowhere)}
	for _, l := range links {
		messages = append(messages, message(6, []byte{1, 0, byte(len(l.name))}, l.name, l.to))
	}
	return f.object(append(messages, attributes...)...)
}

// table is where the B-tree and the heap of a symbol table are.
func (f *hdf5) table(links []child) []byte {
	if f.tables == nil {
		f.tables = map[uint64][]byte{}
	}
	names := pack(uint64(0))
	node := []byte("SNOD\x01\x00")
	node = binary.LittleEndian.AppendUint16(node, uint16(len(links)))
	for _, l := range links {
		kind, table := uint32(0), make([]byte, 16)
		if t := f.tables[l.to]; t != nil {
			kind, table = 1, t
		}
		node = append(node, pack(uint64(len(names)), l.to, kind, uint32(0), table)...)
		names = append(names, pack(l.name, []byte{0})...)
	}
	segment := f.put(names)
	heap := f.put("HEAP", uint32(0), uint64(len(names)), uint64(1), segment)
	at := f.put(node)
	return pack(f.put("TREE", []byte{0, 0}, uint16(1), nowhere, nowhere, uint64(0), at, uint64(0)), heap)
}

// dataset is numbers of 32 bits.
func (f *hdf5) dataset(values []float32, shape ...int) uint64 {
	layout := f.layout(values, shape)
	messages := [][]byte{message(1, space(shape...)), message(3, single()), message(5, []byte{2, 2, 2, 0}), layout}
	if len(f.filters) > 0 {
		messages = append(messages, filterMessage(f.filters, shape))
	}
	return f.object(messages...)
}

func single() []byte {
	return pack([]byte{0x11, 0x20, 31, 0}, uint32(4), uint16(0), uint16(32), []byte{23, 8, 0, 23}, uint32(127))
}

func space(shape ...int) []byte {
	b := []byte{1, byte(len(shape)), 0, 0, 0, 0, 0, 0}
	for _, n := range shape {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	return b
}

// attribute is a list of texts.
func (f *hdf5) attribute(name string, values ...string) []byte {
	if f.variable {
		return f.variableAttribute(name, values)
	}
	width := 0
	for _, v := range values {
		width = max(width, len(v))
	}
	var data []byte
	for _, v := range values {
		data = append(data, v...)
		data = append(data, make([]byte, width-len(v))...)
	}
	return attributeMessage(name, text(width), space(len(values)), data)
}

func text(width int) []byte { return pack([]byte{0x13, 1, 0, 0}, uint32(width)) }

func attributeMessage(name string, kind, shape, data []byte) []byte {
	return message(12, []byte{1, 0}, uint16(len(name)+1), uint16(len(kind)), uint16(len(shape)), pack(name, []byte{0}), kind, shape, data)
}

// variableAttribute is a list of texts in a global heap.
func (f *hdf5) variableAttribute(name string, values []string) []byte {
	var objects, data []byte
	at := uint64(f.Len())
	for i, v := range values {
		objects = append(objects, pack(uint16(i+1), uint16(1), uint32(0), uint64(len(v)), v)...)
		data = append(data, pack(uint32(len(v)), at, uint32(i+1))...)
	}
	free := pack(uint64(0), uint64(32), make([]byte, 16))
	f.put("GCOL\x01\x00\x00\x00", uint64(16+len(objects)+len(free)), objects, free)
	return attributeMessage(name, variableText(), space(len(values)), data)
}

func variableText() []byte {
	return pack([]byte{0x19, 1, 0, 0}, uint32(16), []byte{0x10, 0, 0, 0}, uint32(1), uint16(0), uint16(8))
}

// texts is a root whose layers are named in heaps.
func (f *hdf5) texts(heaps ...uint64) uint64 {
	var data []byte
	for _, at := range heaps {
		data = append(data, pack(uint32(1), at, uint32(1))...)
	}
	return f.group(nil, attributeMessage("layer_names", variableText(), space(len(heaps)), data))
}
