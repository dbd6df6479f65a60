package main

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// histogram counts durations in buckets that are 3 % wide, from 1 µs on. Safe for concurrent use.
type histogram struct {
	buckets [maxBuckets]atomic.Uint64
	count   atomic.Uint64
	longest atomic.Int64
}

const (
	fineBits   = 5 // buckets of one power of two: 32
	maxBuckets = 40 << fineBits
)

func bucketOf(d time.Duration) int {
	v := uint64(max(d.Microseconds(), 0))
	if v < 1<<fineBits {
		return int(v)
	}
	shift := bits.Len64(v) - 1 - fineBits
	return min(shift<<fineBits+int(v>>shift), maxBuckets-1)
}

// valueOf returns the middle of a bucket.
func valueOf(bucket int) time.Duration {
	if bucket < 1<<fineBits {
		return time.Duration(bucket) * time.Microsecond
	}
	shift := bucket>>fineBits - 1
	low := uint64(bucket-shift<<fineBits) << shift
	return time.Duration(low+uint64(1)<<shift/2) * time.Microsecond
}

func (h *histogram) add(d time.Duration) {
	h.buckets[bucketOf(d)].Add(1)
	h.count.Add(1)
	for {
		old := h.longest.Load()
		if int64(d) <= old || h.longest.CompareAndSwap(old, int64(d)) {
			return
		}
	}
}

// percentile returns the duration that so many percent do not exceed, 0 when nothing was counted.
func (h *histogram) percentile(percent float64) time.Duration {
	rank := uint64(math.Ceil(percent / 100 * float64(h.count.Load())))
	var seen uint64
	for i := range h.buckets {
		if seen += h.buckets[i].Load(); seen >= rank && seen > 0 {
			return valueOf(i)
		}
	}
	return 0
}

func (h *histogram) reset() {
	for i := range h.buckets {
		h.buckets[i].Store(0)
	}
	h.count.Store(0)
	h.longest.Store(0)
}
