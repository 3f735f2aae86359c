package keras_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/qnn/keras"
)

// later stands for an address that is not known yet; aim puts it in.
const later = uint64(0x1122334455667788)

func (f *hdf5) aim(at uint64) {
	old, is := pack(later), pack(at)
	copy(f.Bytes(), bytes.ReplaceAll(f.Bytes(), old, is))
}

// one is a file of a layer with two neurons, made from its kernel's header. Both are
// linked to from a second place, which is legal.
func (f *hdf5) one(kernel func() uint64) uint64 {
	inner := f.group([]child{{"kernel:0", kernel()}, {"bias:0", f.dataset([]float32{0, 0}, 2)}})
	outer := f.group([]child{{"d", inner}}, f.attribute("weight_names", "d/kernel:0", "d/bias:0"))
	return f.group([]child{{"d", outer}, {"copy", inner}}, f.attribute("layer_names", "d"))
}

// sized is a dataset that says it has a shape, and keeps its data as a layout says.
func (f *hdf5) sized(layout []byte, more []byte, shape ...int) uint64 {
	messages := [][]byte{message(1, space(shape...)), message(3, single()), layout}
	if more != nil {
		messages = append(messages, more)
	}
	return f.object(messages...)
}

func (f *hdf5) contiguous(shape ...int) uint64 {
	return f.sized(message(8, []byte{3, 1}, f.put(make([]byte, 64)), uint64(64)), nil, shape...)
}

// dense is a message of a fractal heap, of links or attributes.
func dense(kind uint16) []byte { return message(kind, []byte{0, 0}, uint64(96), uint64(96)) }

// hostile is files that lead in circles, or claim more than there is: what the error
// says, and the root of the file.
func hostile() map[string]struct {
	says string
	make func(f *hdf5) uint64
} {
	type c = struct {
		says string
		make func(f *hdf5) uint64
	}
	circle := func(says string, of hdf5, kind func(f *hdf5) []child) c {
		return c{says, func(f *hdf5) uint64 {
			f.symbols, f.newer = of.symbols, of.newer
			root := f.group(kind(f), f.attribute("layer_names", "d"))
			f.aim(root)
			return root
		}}
	}
	self := func(*hdf5) []child { return []child{{"d", later}} }
	parent := func(f *hdf5) []child { return []child{{"d", f.group([]child{{"up", later}})}} }
	return map[string]c{
		"a group in itself":           circle("links lead in a circle", hdf5{}, self),
		"a new group in itself":       circle("links lead in a circle", hdf5{newer: true}, self),
		"a symbol table in itself":    circle("links lead in a circle", hdf5{symbols: true}, self),
		"a group in its child":        circle("links lead in a circle", hdf5{}, parent),
		"a symbol table in its child": circle("links lead in a circle", hdf5{symbols: true}, parent),
		"a cached table in itself": {"links lead in a circle", func(f *hdf5) uint64 {
			f.symbols = true
			f.tables = map[uint64][]byte{later: pack(later, later)}
			table := f.table([]child{{"d", later}})
			copy(f.Bytes(), bytes.ReplaceAll(f.Bytes(), pack(later, later), table))
			root := f.object(message(17, table))
			f.aim(root)
			return root
		}},
		"a chain of groups": {"more than 64 objects", func(f *hdf5) uint64 {
			at := f.group(nil)
			for range 10000 {
				at = f.group([]child{{"a", at}})
			}
			return at
		}},
		"two links to the next, many times": {"out of proportion", func(f *hdf5) uint64 {
			at := f.group(nil)
			for range 50 {
				at = f.group([]child{{"a", at}, {"b", at}})
			}
			return at
		}},
		"one node for many entries": {"out of proportion", func(f *hdf5) uint64 {
			node := []byte("SNOD\x01\x00\xe8\x03")
			for range 1000 {
				node = append(node, pack(uint64(8), nowhere, uint32(2), uint32(0), nowhere, nowhere)...)
			}
			at := f.put(node)
			var entries []any
			for range 5000 {
				entries = append(entries, uint64(0), at)
			}
			heap := f.put("HEAP", uint32(0), uint64(16), uint64(1), f.put(make([]byte, 16)))
			return f.object(message(17, f.put(append([]any{"TREE\x00\x00\x88\x13", nowhere, nowhere}, append(entries, uint64(0))...)...), heap))
		}},
		"a B-tree's child is itself": {"no symbol table node", func(f *hdf5) uint64 {
			heap := f.put("HEAP", uint32(0), uint64(16), uint64(1), f.put(make([]byte, 16)))
			tree := f.put("TREE\x00\x00\x01\x00", nowhere, nowhere, uint64(0), later, uint64(0))
			f.aim(tree)
			return f.object(message(17, tree, heap))
		}},
		"a B-tree with levels": {"has levels", func(f *hdf5) uint64 {
			heap := f.put("HEAP", uint32(0), uint64(16), uint64(1), f.put(make([]byte, 16)))
			return f.object(message(17, f.put("TREE\x00\x01\x01\x00", nowhere, nowhere, uint64(0), uint64(96), uint64(0)), heap))
		}},
		"a large local heap": {"names of links at offset", func(f *hdf5) uint64 {
			heap := f.put("HEAP", uint32(0), uint64(1<<40), uint64(1), uint64(96))
			return f.object(message(17, f.put("TREE\x00\x00\x00\x00", nowhere, nowhere, uint64(0)), heap))
		}},
		"a header that continues in itself": {"continuations of the header lead in a circle", func(f *hdf5) uint64 {
			at := f.object(message(16, later, uint64(24)))
			f.aim(at + 16)
			return at
		}},
		"a new header that continues in itself": {"continuations of the header lead in a circle", func(f *hdf5) uint64 {
			f.newer = true
			at := f.put(f.block([][]byte{message(16, later, uint64(28))}))
			f.aim(at)
			return f.object(message(16, at, uint64(28)))
		}},
		"blocks that continue in each other twice": {"continuations of the header lead in a circle", func(f *hdf5) uint64 {
			at := f.put(message(0, make([]byte, 8)))
			for range 40 {
				at = f.put(message(16, at, uint64(48)), message(16, at, uint64(48)))
			}
			return f.object(message(16, at, uint64(48)))
		}},
		"a header beyond the file": {"a block of messages at offset", func(f *hdf5) uint64 { return f.put([]byte{1, 0, 1, 0}, uint32(1), uint32(math.MaxUint32)) }},
		"a message beyond its header": {"its block ends at", func(f *hdf5) uint64 {
			return f.put([]byte{1, 0, 1, 0}, uint32(1), uint32(16), uint32(0), uint16(6), uint16(100), make([]byte, 200))
		}},
		"dense links":      {"links in a fractal heap", func(f *hdf5) uint64 { return f.object(dense(2)) }},
		"dense attributes": {"attributes in a fractal heap", func(f *hdf5) uint64 { return f.object(message(1, space(1)), dense(15)) }},
		"an attribute of large shape": {"attribute layer_names has shape", func(f *hdf5) uint64 {
			return f.group(nil, attributeMessage("layer_names", text(8), space(1<<40), make([]byte, 64)))
		}},
		"an attribute of a shape that wraps": {"attribute layer_names has shape", func(f *hdf5) uint64 {
			return f.group(nil, attributeMessage("layer_names", text(8), space(1<<33, 1<<33, 2), make([]byte, 64)))
		}},
		"an attribute of long texts": {"attribute layer_names has shape", func(f *hdf5) uint64 {
			return f.group(nil, attributeMessage("layer_names", text(math.MaxUint32), space(2), make([]byte, 64)))
		}},
		"a large global heap": {"a global heap at offset", func(f *hdf5) uint64 { return f.texts(f.put("GCOL\x01\x00\x00\x00", uint64(1<<40))) }},
		"a heap that steps back": {"its global heap ends at", func(f *hdf5) uint64 {
			return f.texts(f.put("GCOL\x01\x00\x00\x00", uint64(64), uint64(0), nowhere-15, make([]byte, 32)))
		}},
		"an object that steps back": {"its global heap ends at", func(f *hdf5) uint64 {
			return f.texts(f.put("GCOL\x01\x00\x00\x00", uint64(64), uint64(1), nowhere-31, make([]byte, 32)))
		}},
		"a large heap for each of many texts": {"out of proportion", func(f *hdf5) uint64 {
			heap := f.put("GCOL\x01\x00\x00\x00", uint64(1<<20), uint64(1), uint64(8), make([]byte, 1<<20-32))
			return f.texts(slices.Repeat([]uint64{heap}, 1000)...)
		}},
		"a dataset of large shape": {"shape [1099511627776]", func(f *hdf5) uint64 { return f.one(func() uint64 { return f.contiguous(1 << 40) }) }},
		"a shape that wraps":       {"is too large", func(f *hdf5) uint64 { return f.one(func() uint64 { return f.contiguous(1<<33, 1<<33) }) }},
		"a size that wraps":        {"is too large", func(f *hdf5) uint64 { return f.one(func() uint64 { return f.contiguous(1<<62 + 2) }) }},
		"compact data of large size": {"in its header", func(f *hdf5) uint64 {
			return f.one(func() uint64 { return f.sized(message(8, []byte{3, 0}, uint16(8), make([]byte, 8)), nil, 1<<30) })
		}},
		"numbers of no bytes": {"are not read as numbers", func(f *hdf5) uint64 {
			return f.one(func() uint64 {
				return f.object(message(1, space(1<<40)), message(3, []byte{0x11, 0x20, 31, 0}, uint32(0), make([]byte, 12)), message(8, []byte{3, 1}, uint64(96), uint64(0)))
			})
		}},
		"chunks of large shape": {"out of proportion", func(f *hdf5) uint64 {
			return f.one(func() uint64 { return f.sized(chunkMessage(96, 1<<31, 1, 4), nil, 1<<31, 1) })
		}},
		"chunks larger than the dataset": {"out of proportion", func(f *hdf5) uint64 {
			return f.one(func() uint64 {
				leaf := f.chunkTree(0, 1, chunkKey(16, 0, 2), f.put(make([]byte, 16)), chunkKey(0, 2, 2))
				return f.sized(chunkMessage(leaf, 1<<31, 1<<10, 4), nil, 2, 2)
			})
		}},
		"chunks of a shape that wraps": {"chunks of shape", func(f *hdf5) uint64 {
			return f.one(func() uint64 { return f.sized(chunkMessage(96, 1<<31, 1<<31, 4), nil, 2, 2) })
		}},
		"a chunk outside the dataset": {"is not in the dataset", func(f *hdf5) uint64 {
			return f.one(func() uint64 {
				leaf := f.chunkTree(0, 1, chunkKey(16, 1<<40, 2), f.put(make([]byte, 16)), chunkKey(0, 2, 2))
				return f.sized(f.chunkLayout(leaf, []int{2, 2}), nil, 2, 2)
			})
		}},
		"a chunk twice": {"is number 0 where 1 is next", func(f *hdf5) uint64 {
			return f.one(func() uint64 {
				at := f.put(make([]byte, 16))
				leaf := f.chunkTree(0, 2, chunkKey(16, 0, 2), at, chunkKey(16, 0, 2), at, chunkKey(0, 2, 2))
				return f.sized(f.chunkLayout(leaf, []int{4, 2}), nil, 4, 2)
			})
		}},
		"a chunk too few": {"1 chunks of 2", func(f *hdf5) uint64 {
			return f.one(func() uint64 {
				leaf := f.chunkTree(0, 1, chunkKey(16, 0, 2), f.put(make([]byte, 16)), chunkKey(0, 2, 2))
				return f.sized(f.chunkLayout(leaf, []int{4, 2}), nil, 4, 2)
			})
		}},
		"a large chunk": {"a chunk at offset", func(f *hdf5) uint64 {
			return f.one(func() uint64 {
				leaf := f.chunkTree(0, 1, chunkKey(1<<30, 0, 2), f.put(make([]byte, 16)), chunkKey(0, 2, 2))
				return f.sized(f.chunkLayout(leaf, []int{2, 2}), nil, 2, 2)
			})
		}},
		"a B-tree of chunks in itself": {"another level of it", func(f *hdf5) uint64 {
			return f.one(func() uint64 {
				tree := f.chunkTree(1, 1, chunkKey(0, 0, 2), later, chunkKey(0, 2, 2))
				f.aim(tree)
				return f.sized(chunkMessage(tree, 2, 2, 4), nil, 2, 2)
			})
		}},
		"a B-tree of chunks with many ways to the same": {"is number 0 where 1 is next", func(f *hdf5) uint64 {
			return f.one(func() uint64 {
				tree := f.chunkTree(0, 1, chunkKey(16, 0, 2), f.put(make([]byte, 16)), chunkKey(0, 2, 2))
				for level := range byte(40) {
					tree = f.chunkTree(level+1, 2, chunkKey(0, 0, 2), tree, chunkKey(0, 0, 2), tree, chunkKey(0, 2, 2))
				}
				return f.sized(chunkMessage(tree, 2, 2, 4), nil, 2, 2)
			})
		}},
		"a B-tree of chunks with many ways to none": {"out of proportion", func(f *hdf5) uint64 {
			return f.one(func() uint64 {
				tree := f.chunkTree(0, 0)
				for level := range byte(40) {
					tree = f.chunkTree(level+1, 2, chunkKey(0, 0, 2), tree, chunkKey(0, 0, 2), tree, chunkKey(0, 2, 2))
				}
				return f.sized(chunkMessage(tree, 2, 2, 4), nil, 2, 2)
			})
		}},
		"a chunk that inflates": {"unpacks to more", func(f *hdf5) uint64 {
			return f.one(func() uint64 { return f.bomb(deflated(make([]byte, 1<<20)), 1) })
		}},
		"a chunk that inflates behind a checksum": {"unpacks to more", func(f *hdf5) uint64 {
			return f.one(func() uint64 { return f.bomb(append(deflated(make([]byte, 1<<20)), 1, 2, 3, 4), 2, 1, 3) })
		}},
		"a chunk that inflates twice": {"filter 1 of the dataset", func(f *hdf5) uint64 {
			return f.one(func() uint64 { return f.bomb(deflated(make([]byte, 1<<20)), 1, 1) })
		}},
		"a chunk that cannot be inflated": {"cannot be inflated", func(f *hdf5) uint64 {
			return f.one(func() uint64 { return f.bomb([]byte("no"), 1) })
		}},
		"a chunk of repetitions": {"unpacks to more", func(f *hdf5) uint64 {
			return f.one(func() uint64 { return f.bomb(append([]byte{0, 7}, bytes.Repeat([]byte{0xe0, 0, 255}, 1000)...), 32000) })
		}},
		"a chunk that says what it unpacks to": {"unpacks to more", func(f *hdf5) uint64 {
			return f.one(func() uint64 {
				leaf := f.chunkTree(0, 1, chunkKey(3, 0, 2), f.put([]byte{1, 7, 7}), chunkKey(0, 2, 2))
				return f.sized(f.chunkLayout(leaf, []int{2, 2}), filterMessage([]uint16{32000}, []int{2, 1 << 27}), 2, 2)
			})
		}},
		"a filter of another kind": {"filter 307 of the dataset", func(f *hdf5) uint64 {
			return f.one(func() uint64 { return f.bomb(make([]byte, 16), 307) })
		}},
		"a layer that is listed twice": {"listed twice", func(f *hdf5) uint64 {
			inner := f.group([]child{{"kernel:0", f.dataset([]float32{0, 0}, 1, 2)}, {"bias:0", f.dataset([]float32{0, 0}, 2)}})
			outer := f.group([]child{{"d", inner}}, f.attribute("weight_names", "d/kernel:0", "d/bias:0"))
			return f.group([]child{{"d", outer}}, f.attribute("layer_names", "d", "d"))
		}},
		"weights that are listed twice": {"listed twice", func(f *hdf5) uint64 {
			inner := f.group([]child{{"kernel:0", f.dataset([]float32{0, 0}, 1, 2)}})
			outer := f.group([]child{{"d", inner}}, f.attribute("weight_names", "d/kernel:0", "d/kernel:0"))
			return f.group([]child{{"d", outer}}, f.attribute("layer_names", "d"))
		}},
	}
}

// A file that the reader would follow for ever, or into memory that no machine has,
// is an error that says where.
func TestReadRefusesHostile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "weights.h5")
	for name, c := range hostile() {
		f := &hdf5{}
		f.Write(make([]byte, 96))
		root := c.make(f)
		require.NoError(t, os.WriteFile(file, f.file(root), 0o600))
		_, err := keras.ReadFile(file, nil)
		var refused *keras.FileError
		require.ErrorAs(t, err, &refused, name)
		require.ErrorContains(t, err, c.says, name)
	}
	_, err := keras.ReadFile(t.TempDir(), nil)
	require.ErrorContains(t, err, "not a regular file")
	for at, says := range map[int]string{8: "superblock version 7", 13: "addresses of 7 bytes", 14: "lengths of 7"} {
		text := (&hdf5{}).weights(small())
		text[at] = 7
		require.NoError(t, os.WriteFile(file, text, 0o600))
		_, err := keras.ReadFile(file, nil)
		require.ErrorContains(t, err, says)
	}
}

// The helpers of the table make files that are read when nothing is wrong.
func TestReadKeepsHonest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "weights.h5")
	for name, kernel := range map[string]func(f *hdf5) uint64{
		"contiguous": func(f *hdf5) uint64 { return f.contiguous(2, 2) },
		"compact": func(f *hdf5) uint64 {
			return f.sized(message(8, []byte{3, 0}, uint16(16), make([]byte, 16)), nil, 2, 2)
		},
		"chunk":    func(f *hdf5) uint64 { return f.bomb(make([]byte, 16)) },
		"inflated": func(f *hdf5) uint64 { return f.bomb(deflated(make([]byte, 16)), 1) },
		"repeated": func(f *hdf5) uint64 { return f.bomb([]byte{0, 0, 0xe0, 0, 6}, 32000) },
	} {
		f := &hdf5{}
		f.Write(make([]byte, 96))
		root := f.one(func() uint64 { return kernel(f) })
		require.NoError(t, os.WriteFile(file, f.file(root), 0o600))
		net, err := keras.ReadFile(file, nil)
		require.NoError(t, err, name)
		require.Equal(t, []int32{0, 0, 0, 0}, net.Layers[0].Weights, name)
	}
}
