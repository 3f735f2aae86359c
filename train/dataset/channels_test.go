package dataset_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/vouchnn/vouch/train/dataset"
)

func TestChannelsFirst(t *testing.T) {
	s := &dataset.Set{Shape: []int{5, 1, 3}, Labels: []uint8{0}, Pixels: []uint8{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}}
	turned := s.ChannelsFirst()
	assert.Equal(t, []int{3, 5, 1}, turned.Shape)
	assert.Equal(t, []uint8{1, 4, 7, 10, 13, 2, 5, 8, 11, 14, 3, 6, 9, 12, 15}, turned.Pixels)
	assert.Equal(t, []int{5, 1, 3}, s.Shape, "the set itself stays")
	assert.Same(t, turned, turned.ChannelsFirst())
}
