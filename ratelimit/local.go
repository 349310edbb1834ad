package ratelimit

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Local is a Limiter of one process: token buckets in memory. A bucket that is full again is
// forgotten, so that only keys in use cost memory. The zero Local is ready.
type Local struct {
	mu      sync.Mutex
	buckets map[bucketKey]*bucket
	sweep   int // buckets at which the full ones are looked for
}

type bucketKey struct{ owner, key string }

// bucket is a rate.Limiter and the limit that it was made for.
type bucket struct {
	*rate.Limiter
	limit Limit
}

// smallestSweep is the fewest buckets worth looking for full ones.
const smallestSweep = 1024

var (
	_ Limiter   = (*Local)(nil)
	_ Inspector = (*Local)(nil)
)

// Take implements Limiter.
func (l *Local) Take(ctx context.Context, owner string, demands []Demand, patience time.Duration) (Turn, error) {
	if err := ctx.Err(); err != nil {
		return Turn{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	taken := make([]*rate.Reservation, 0, 4)
	var wait time.Duration
	for _, d := range demands {
		b, err := l.bucket(owner, d, now)
		if err != nil {
			giveBack(taken, now)
			return Turn{}, err
		}
		r := b.ReserveN(now, 1)
		taken, wait = append(taken, r), max(wait, r.DelayFrom(now))
	}
	if wait <= patience {
		return Turn{OK: true, Wait: wait}, nil
	}
	giveBack(taken, now)
	return Turn{Wait: wait}, nil
}

func giveBack(taken []*rate.Reservation, now time.Time) {
	for _, r := range taken {
		r.CancelAt(now)
	}
}

// Left implements Inspector.
func (l *Local) Left(ctx context.Context, owner string, demands []Demand) ([]int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	left := make([]int, len(demands))
	for i, d := range demands {
		left[i] = d.Limit.Burst
		if b := l.buckets[bucketKey{owner, d.Key}]; b != nil {
			left[i] = min(left[i], max(0, int(b.TokensAt(now))))
		}
	}
	return left, ctx.Err()
}

// bucket returns the bucket of a demand, under its limit.
func (l *Local) bucket(owner string, d Demand, now time.Time) (*bucket, error) {
	key := bucketKey{owner, d.Key}
	b := l.buckets[key]
	if b != nil && b.limit == d.Limit {
		return b, nil
	}
	if err := d.Limit.Check(); err != nil {
		return nil, err
	}
	each := rate.Every(d.Limit.Interval())
	if b != nil {
		b.SetLimitAt(now, each)
		b.SetBurstAt(now, d.Limit.Burst)
		b.limit = d.Limit
		return b, nil
	}
	l.forget(now)
	b = &bucket{rate.NewLimiter(each, d.Limit.Burst), d.Limit}
	l.buckets[key] = b
	return b, nil
}

// forget drops full buckets, when there are twice as many as were in use last time.
func (l *Local) forget(now time.Time) {
	if l.buckets == nil {
		l.buckets = map[bucketKey]*bucket{}
	}
	if len(l.buckets) < max(l.sweep, smallestSweep) {
		return
	}
	for key, b := range l.buckets {
		if b.TokensAt(now) >= float64(b.limit.Burst) {
			delete(l.buckets, key)
		}
	}
	l.sweep = 2 * len(l.buckets)
}
