// Package shapes has one of each kind of declaration.
package shapes

import (
	"context"
	"errors"
	"fmt"

	"example.com/module/internal/hidden"
)

const (
	Big   = 1 << 100
	Half  = 0.5
	small = 1
)

type Color int

const Red Color = small

func (Color) String() string { return "" }

var (
	ErrFlat = errors.New("flat")
	private int
)

type base struct{ name string }

func (b *base) Reset() {}

func (b *base) Promoted() hidden.Thing { return hidden.Thing{} }

type Circle struct {
	fmt.Stringer
	base
	R float64
	s float64
}

func (c Circle) Area() float64 { return c.R }

func (c *Circle) Grow(by float64) {}

func (c *Circle) shrink() {}

type Shape interface {
	fmt.Stringer
	Area() float64
	sealed()
}

type Number interface{ ~float32 | ~float64 }

type List[T any] struct{ Items []T }

type (
	Alias = []Circle
	Func  func(x float64) float64
)

func Map[T any, U ~int | ~string](ctx context.Context, in []T, f func(T) U) (out []U, err error) {
	return nil, nil
}

func Variadic(names ...string) {}

func unexported() {}
