// Command asm writes the assembly of internal/blas with avo.
//
// Run it in this folder, without arguments:
//
//	go run .
//
// It overwrites ../*_amd64.s and ../*_stubs_amd64.go and gives the same bytes
// each time. It is a module of its own so that the library does not depend on
// avo. Each source file here holds one family of routines: tile.go the GEMM
// micro-kernels and table.go their table, transpose.go the packing of a
// transposed matrix, vector.go the routines over vectors, rows.go those over many
// short rows, relax.go those over rows of coefficients, adam.go a step of training.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
)

// output is one generated pair of files.
type output struct {
	name   string
	header string
	write  func(ctx *build.Context)
}

func main() {
	outputs := []output{
		{"tile_avx2", "tile.go", func(ctx *build.Context) { tiles(ctx, avx2) }},
		{"tile_avx512", "tile.go", func(ctx *build.Context) { tiles(ctx, avx512) }},
		{"transpose", "transpose.go", transposes},
		{"vector", "vector.go", vectors},
		{"rows", "rows.go", rows},
		{"relax", "relax.go", relaxations},
		{"adam", "adam.go", adam},
	}
	for _, o := range outputs {
		if err := o.generate(); err != nil {
			fmt.Fprintln(os.Stderr, "asm:", o.name, err)
			os.Exit(1)
		}
	}
	if err := os.WriteFile(filepath.Join("..", "tile_table_amd64.go"), table(), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "asm: table", err)
		os.Exit(1)
	}
}

// generate writes the routines and their Go declarations.
func (o output) generate() error {
	ctx := build.NewContext()
	o.write(ctx)
	file, err := ctx.Result()
	if err != nil {
		return err
	}
	if err := pass.Compile.Execute(file); err != nil {
		return err
	}
	config := printer.Config{Name: "go run . in internal/blas/asm (" + o.header + ")", Pkg: "blas"}
	if err := print(printer.NewGoAsm(config), file, o.name+"_amd64.s"); err != nil {
		return err
	}
	return print(printer.NewStubs(config), file, o.name+"_stubs_amd64.go")
}

// print renders a file beside this module.
func print(p printer.Printer, file *ir.File, name string) error {
	text, err := p.Print(file)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("..", name), text, 0o644)
}
