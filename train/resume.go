package train

// How a run is saved and taken up again, and where its randomness comes from.

import "math/rand/v2"

// statistics is the means and variances of normalisations, flat.
func (r *run) statistics() []float32 {
	var s []float32
	for _, p := range r.m.statistics() {
		s = append(s, p.Values32()...)
	}
	return s
}

func (r *run) setStatistics(s []float32) {
	for _, p := range r.m.statistics() {
		n := len(p.Values32())
		p.Set32(s[:n])
		s = s[n:]
	}
}

// save writes a checkpoint, if there is a place for it.
func (r *run) save() error {
	if r.path == "" {
		return nil
	}
	h := r.h
	vectors := append([][]float32{r.w}, r.slots...)
	vectors = append(vectors, r.statistics())
	if h.Best = r.best != nil; h.Best {
		vectors = append(vectors, r.best)
	}
	return writeCheckpoint(r.path, h, vectors, r.opts.create)
}

// resume takes up the run where its checkpoint left it, if there is one.
func (r *run) resume() error {
	if r.path == "" {
		return nil
	}
	h, vectors, found, err := readCheckpoint(r.path, r.h.Run, func(h *header) []int {
		sizes := []int{len(r.w)}
		for range r.slots {
			sizes = append(sizes, len(r.w))
		}
		statistics := len(r.statistics())
		if sizes = append(sizes, statistics); h.Best {
			sizes = append(sizes, len(r.w)+statistics)
		}
		return sizes
	})
	if err != nil {
		return err
	}
	if !found {
		return checkFolder(r.path)
	}
	if h.Step < 0 || h.Step > r.steps || h.Step/r.perEpoch != len(h.History.Epochs) || h.History.Best > len(h.History.Epochs) || h.History.Best < 0 {
		return &CheckpointError{File: r.path, Detail: "has a header that contradicts itself"}
	}
	if err := r.m.checkFinite(vectors[0]); err != nil {
		return &CheckpointError{File: r.path, Detail: "cannot be used", Err: err}
	}
	r.h, r.w, r.slots = h, vectors[0], vectors[1:1+len(r.slots)]
	r.setStatistics(vectors[1+len(r.slots)])
	if h.Best {
		r.best = vectors[len(vectors)-1]
	}
	r.h.History.Resumed = h.Step
	r.push()
	return nil
}

// source is a generator that can be started anew without allocating.
type source struct {
	pcg  *rand.PCG
	rand *rand.Rand
}

func (s *source) seed(seed, step uint64) {
	if s.pcg == nil {
		s.pcg = rand.NewPCG(0, 0)
		s.rand = rand.New(s.pcg)
	}
	s.pcg.Seed(seed, step*0x9e3779b97f4a7c15)
}

// permutation is the order of samples of an epoch.
func permutation(seed uint64, epoch, n int) []int {
	return rand.New(rand.NewPCG(seed, 0x6f72646572+uint64(epoch)<<40)).Perm(n)
}
