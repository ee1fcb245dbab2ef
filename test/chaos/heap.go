package chaos

import (
	"context"
	"runtime"
	"slices"
)

// A heap is how much memory was in use over time.
type heap struct{ samples []uint64 }

// sample notes what is in use now, garbage excluded.
func (h *heap) sample() {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h.samples = append(h.samples, m.HeapAlloc)
}

// thirds returns the median of the first third and that of the last.
func (h *heap) thirds() (first, last uint64) {
	n := len(h.samples) / 3
	if n == 0 {
		return 0, 0
	}
	return median(h.samples[:n]), median(h.samples[len(h.samples)-n:])
}

func median(of []uint64) uint64 { return slices.Sorted(slices.Values(of))[len(of)/2] }

// heapNoise is what a heap may grow by, besides a half, for no reason.
const heapNoise = 24 << 20

// grows reports whether more is in use in the end than noise explains.
func (h *heap) grows() bool {
	first, last := h.thirds()
	return last > first+first/2+heapNoise
}

// watchHeap takes 30 samples until ctx ends. The fake's journal would grow for
// ever: it is emptied each time.
func (s *soak) watchHeap(ctx context.Context) {
	for sleep(ctx, s.plan.length/31) {
		s.service.ForgetCalls()
		s.heap.sample()
	}
}
