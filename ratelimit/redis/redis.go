// Package redis counts calls under rate limits for all instances of a hub together, in
// Redis 5 or later, or what speaks its protocol and runs Lua:
//
//	client := redis.NewClient(&redis.Options{Addr: address, ContextTimeoutEnabled: true})
//	limiter, err := hubredis.New(client, &hubredis.Options{Instances: 3})
//	h, err := hub.New(store, keeper, &hub.Options{RateLimiter: limiter})
//
// The limits of a connector are one key with an expiry, counted by one script under the
// server's own clock, so instances need not agree on the time. While Redis does not answer each
// instance counts alone, with its share of each limit; it asks again by itself.
package redis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/integrationhub/hub/ratelimit"
)

// Options are what New can be told beyond the client. Nil and zero fields mean the default.
type Options struct {
	// Prefix begins every key: "hub:rate:".
	Prefix string
	// Instances is how many instances share the limits: 1. While Redis does not answer each
	// of them allows itself that part of every limit.
	Instances int
	// Timeout is how long Redis may take to answer: 250 ms.
	Timeout time.Duration
	// Pause is how long Redis is left alone after it did not answer: 1 s. Calls are then
	// counted by this instance alone.
	Pause time.Duration
	// Logger is told when Redis stops answering and when it answers again. Nil: nobody is.
	Logger *slog.Logger
}

// Limiter is a ratelimit.Limiter, and an Inspector, over Redis.
type Limiter struct {
	client redis.UniversalClient
	opts   Options
	local  ratelimit.Local

	down  atomic.Bool
	again atomic.Int64 // when Redis is asked again, in nanoseconds since start
	start time.Time
}

var (
	_ ratelimit.Limiter   = (*Limiter)(nil)
	_ ratelimit.Inspector = (*Limiter)(nil)
)

var (
	//go:embed take.lua
	takeSource string
	//go:embed left.lua
	leftSource string

	takeScript = redis.NewScript(takeSource)
	leftScript = redis.NewScript(leftSource)
)

// New returns a Limiter over a client that stays the caller's, who closes it after the hub. The
// client must have ContextTimeoutEnabled: without it a server that does not answer would
// hold calls up.
func New(client redis.UniversalClient, opts *Options) (*Limiter, error) {
	if client == nil {
		return nil, errors.New("ratelimit/redis: New needs a client")
	}
	if !heedsContexts(client) {
		return nil, errors.New("ratelimit/redis: the client must have ContextTimeoutEnabled")
	}
	l := &Limiter{client: client, start: time.Now()}
	if opts != nil {
		l.opts = *opts
	}
	if l.opts.Instances < 0 || l.opts.Timeout < 0 || l.opts.Pause < 0 {
		return nil, errors.New("ratelimit/redis: Instances, Timeout and Pause must not be negative")
	}
	l.opts.withDefaults()
	return l, nil
}

func (o *Options) withDefaults() {
	if o.Prefix == "" {
		o.Prefix = "hub:rate:"
	}
	o.Instances = max(o.Instances, 1)
	if o.Timeout == 0 {
		o.Timeout = 250 * time.Millisecond
	}
	if o.Pause == 0 {
		o.Pause = time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// heedsContexts reports whether a client ends with the contexts that it is given. One that is
// not go-redis's own knows what it does.
func heedsContexts(client redis.UniversalClient) bool {
	switch c := client.(type) {
	case *redis.Client:
		return c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		return c.Options().ContextTimeoutEnabled
	case *redis.Ring:
		return c.Options().ContextTimeoutEnabled
	}
	return true
}

// Take implements ratelimit.Limiter.
func (l *Limiter) Take(ctx context.Context, owner string, demands []ratelimit.Demand, patience time.Duration) (ratelimit.Turn, error) {
	args, err := arguments(demands, max(patience, 0).Microseconds())
	if err != nil {
		return ratelimit.Turn{}, err
	}
	var answer []int64
	ok, err := l.ask(ctx, takeScript, owner, args, 2, &answer)
	if err != nil {
		return ratelimit.Turn{}, err
	}
	if !ok {
		return l.local.Take(ctx, owner, l.share(demands), patience)
	}
	return ratelimit.Turn{OK: answer[0] == 1, Wait: time.Duration(answer[1]) * time.Microsecond}, nil
}

// Left implements ratelimit.Inspector.
func (l *Limiter) Left(ctx context.Context, owner string, demands []ratelimit.Demand) ([]int, error) {
	args, err := arguments(demands)
	if err != nil {
		return nil, err
	}
	var answer []int64
	ok, err := l.ask(ctx, leftScript, owner, args, len(demands), &answer)
	if err != nil {
		return nil, err
	}
	if !ok {
		return l.local.Left(ctx, owner, l.share(demands))
	}
	left := make([]int, len(answer))
	for i, n := range answer {
		left[i] = int(n)
	}
	return left, nil
}

// arguments are what the scripts take, after others.
func arguments(demands []ratelimit.Demand, before ...any) ([]any, error) {
	args := before
	for _, d := range demands {
		if err := d.Limit.Check(); err != nil {
			return nil, err
		}
		each := float64(d.Limit.Per.Nanoseconds()) / float64(d.Limit.Requests) / 1e3
		args = append(args, d.Key, fmt.Sprintf("%.6f", max(each, 1)), d.Limit.Burst)
	}
	return args, nil
}

// ask runs a script, and reports whether Redis answered. An error is the caller's own.
func (l *Limiter) ask(ctx context.Context, script *redis.Script, owner string, args []any, want int, answer *[]int64) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if !l.mayAsk() {
		return false, nil
	}
	asking, cancel := context.WithTimeout(ctx, l.opts.Timeout)
	defer cancel()
	got, err := script.Run(asking, l.client, []string{l.opts.Prefix + owner}, args...).Int64Slice()
	if err == nil && len(got) != want {
		err = errors.New("the answer is not the script's")
	}
	if err == nil {
		*answer = got
		if l.down.CompareAndSwap(true, false) {
			l.opts.Logger.Info("Redis answers again: rate limits are counted for all instances together")
		}
		return true, nil
	}
	if ended := given(ctx); ended != nil {
		return false, ended
	}
	l.again.Store(int64(time.Since(l.start) + l.opts.Pause))
	if l.down.CompareAndSwap(false, true) {
		l.opts.Logger.Warn("Redis does not answer: rate limits are counted by this instance alone", "instances", l.opts.Instances, "error", err)
	}
	return false, nil
}

// given is the error of a context that ended. A deadline that has passed counts although the
// timer of the context may not have run yet: a connection has a timer of its own.
func given(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && ctx.Err() == nil && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// mayAsk reports whether Redis is to be asked: while it does not answer, by one call after
// each pause.
func (l *Limiter) mayAsk() bool {
	if !l.down.Load() {
		return true
	}
	now, again := int64(time.Since(l.start)), l.again.Load()
	return now >= again && l.again.CompareAndSwap(again, now+int64(l.opts.Pause))
}

// share is this instance's part of the limits.
func (l *Limiter) share(demands []ratelimit.Demand) []ratelimit.Demand {
	own := make([]ratelimit.Demand, len(demands))
	for i, d := range demands {
		d.Limit.Per *= time.Duration(l.opts.Instances)
		d.Limit.Burst = max(1, d.Limit.Burst/l.opts.Instances)
		own[i] = d
	}
	return own
}
