package client

import (
	"math/bits"
	"time"
)

// Steps of a histogram between a power of two and the next: an error of 3 % at most.
const (
	stepBits = 5
	steps    = 1 << stepBits
)

// histogram counts durations without allocating.
type histogram struct {
	count   int64
	buckets [steps * (64 - stepBits + 1)]uint32
}

func (h *histogram) record(d time.Duration) {
	h.count++
	h.buckets[bucket(uint64(max(d, 0)))]++
}

// bucket is n itself below 2*steps; from there on each power of two has as many buckets.
func bucket(n uint64) int {
	shift := max(bits.Len64(n)-stepBits-1, 0)
	return shift*steps + int(n>>shift)
}

// middle is the middle of a bucket.
func middle(bucket int) time.Duration {
	shift := max(bucket/steps-1, 0)
	low := uint64(bucket-shift*steps) << shift
	return time.Duration(low + (uint64(1)<<shift)/2)
}

func (h *histogram) add(other *histogram) {
	h.count += other.count
	for i, n := range other.buckets {
		h.buckets[i] += n
	}
}

// quantile returns the duration that a share q of all do not exceed; zero if there are none.
func (h *histogram) quantile(q float64) time.Duration {
	rank := int64(q * float64(h.count))
	for i, n := range h.buckets {
		if rank -= int64(n); rank < 0 {
			return middle(i)
		}
	}
	return 0
}
