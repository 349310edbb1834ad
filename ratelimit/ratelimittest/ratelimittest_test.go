package ratelimittest_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub/ratelimit"
	"github.com/integrationhub/hub/ratelimit/ratelimittest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// faulty is a limiter with one fault.
type faulty struct {
	ratelimit.Local
	mu    sync.Mutex
	seen  map[string]ratelimit.Limit
	take  func(f *faulty, ctx context.Context, owner string, d []ratelimit.Demand, patience time.Duration) (ratelimit.Turn, error)
	count func(n []int) []int
}

func (f *faulty) Take(ctx context.Context, owner string, d []ratelimit.Demand, patience time.Duration) (ratelimit.Turn, error) {
	return f.take(f, ctx, owner, d, patience)
}

func (f *faulty) Left(ctx context.Context, owner string, d []ratelimit.Demand) ([]int, error) {
	n, err := f.Local.Left(ctx, owner, d)
	if f.count != nil {
		n = f.count(n)
	}
	return n, err
}

type take = func(f *faulty, ctx context.Context, owner string, d []ratelimit.Demand, patience time.Duration) (ratelimit.Turn, error)

func sound(f *faulty, ctx context.Context, owner string, d []ratelimit.Demand, patience time.Duration) (ratelimit.Turn, error) {
	return f.Local.Take(ctx, owner, d, patience)
}

// each takes from the demands one after the other.
func each(f *faulty, ctx context.Context, owner string, d []ratelimit.Demand, patience time.Duration) (turn ratelimit.Turn, err error) {
	turn.OK = true
	for i := range d {
		one, err := f.Local.Take(ctx, owner, d[i:i+1], patience)
		if err != nil {
			return turn, err
		}
		turn.OK, turn.Wait = turn.OK && one.OK, max(turn.Wait, one.Wait)
	}
	return turn, nil
}

// first keeps the first limit of each key.
func first(f *faulty, ctx context.Context, owner string, d []ratelimit.Demand, patience time.Duration) (ratelimit.Turn, error) {
	f.mu.Lock()
	own := make([]ratelimit.Demand, len(d))
	for i := range d {
		if _, ok := f.seen[owner+d[i].Key]; !ok {
			f.seen[owner+d[i].Key] = d[i].Limit
		}
		own[i] = ratelimit.Demand{Key: d[i].Key, Limit: f.seen[owner+d[i].Key]}
	}
	f.mu.Unlock()
	return f.Local.Take(ctx, owner, own, patience)
}

// changed changes what a sound limiter is asked, or says.
func changed(ask func([]ratelimit.Demand) []ratelimit.Demand, say func(*ratelimit.Turn)) take {
	return func(f *faulty, ctx context.Context, owner string, d []ratelimit.Demand, patience time.Duration) (ratelimit.Turn, error) {
		if ask != nil {
			d = ask(d)
		}
		turn, err := f.Local.Take(ctx, owner, d, patience)
		if say != nil {
			say(&turn)
		}
		return turn, err
	}
}

// The suite finds the faults that it is there for.
func TestTheSuiteFindsFaults(t *testing.T) {
	limits := func(change func(*ratelimit.Demand)) func([]ratelimit.Demand) []ratelimit.Demand {
		return func(d []ratelimit.Demand) []ratelimit.Demand {
			own := append([]ratelimit.Demand(nil), d...)
			for i := range own {
				change(&own[i])
			}
			return own
		}
	}
	for name, tt := range map[string]struct {
		take  take
		count func([]int) []int
		found []string
	}{
		"none": {sound, nil, nil},
		"one more": {changed(limits(func(d *ratelimit.Demand) { d.Limit.Burst++ }), nil), nil, []string{
			"burst", "together", "apart", "refill", "ahead", "impatient", "all-or-none", "canceled", "bad-limit", "left"}},
		"one key":      {changed(limits(func(d *ratelimit.Demand) { d.Key = "all" }), nil), nil, []string{"apart", "all-or-none", "left"}},
		"one by one":   {each, nil, []string{"all-or-none", "bad-limit"}},
		"first limit":  {first, nil, []string{"changed-limit"}},
		"says nothing": {changed(nil, func(turn *ratelimit.Turn) { turn.Wait = 0 }), nil, []string{"refill", "ahead", "impatient"}},
		"never waits": {func(f *faulty, ctx context.Context, owner string, d []ratelimit.Demand, _ time.Duration) (ratelimit.Turn, error) {
			return f.Local.Take(ctx, owner, d, 0)
		}, nil, []string{"ahead", "changed-limit"}},
		"ctx is ignored": {func(f *faulty, _ context.Context, owner string, d []ratelimit.Demand, p time.Duration) (ratelimit.Turn, error) {
			return f.Local.Take(context.Background(), owner, d, p)
		}, nil, []string{"canceled"}},
		"miscounts": {sound, func(n []int) []int { n[0]++; return n }, []string{"left"}},
	} {
		t.Run(name, func(t *testing.T) {
			found := ratelimittest.Broken(t.Context(), func() ratelimit.Limiter {
				return &faulty{seen: map[string]ratelimit.Limit{}, take: tt.take, count: tt.count}
			})
			assert.Equal(t, tt.found, found)
		})
	}
}
