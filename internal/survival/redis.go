package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/redis/go-redis/v9"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/internal/dbtest"
	hubredis "github.com/integrationhub/hub/ratelimit/redis"
)

// limiters are the ways over the link to Redis, which counts calls under rate limits.
func (f *fixture) limiters() []way {
	opts, err := redis.ParseURL(dbtest.Redis(f).DSN())
	f.must(err)
	opts.ContextTimeoutEnabled = true
	f.redis = opts
	var ways []way
	for _, kept := range []bool{false, true} {
		w := way{link: "Redis", name: "call under a rate limit", kept: kept, server: opts.Addr, open: f.limited, ends: ofKnown, atOnce: 16}
		if kept {
			w.name += " on a kept connection"
		}
		ways = append(ways, w)
	}
	return ways
}

// limited opens a hub whose counter is behind the proxy. While it does not answer the hub counts
// by itself.
func (f *fixture) limited(ctx context.Context, o opening) (*road, error) {
	opts := *f.redis
	opts.Addr = o.proxy.Addr()
	client := redis.NewClient(&opts)
	limiter, err := hubredis.New(client, nil)
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	w, err := newWorld(nil, nil, func(opts *hub.Options) { opts.RateLimiter = limiter })
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	end := func() error { return errors.Join(w.end(), client.Close()) }
	con := f.connector(o.within, http.MethodPost, f.plain.URL+"/api")
	con.RateLimit = &hub.RateLimit{Requests: 1000, Per: 1000}
	if _, err = connect(ctx, w.acme, con); err != nil {
		return nil, errors.Join(err, end())
	}
	return &road{proxy: o.proxy, end: end, call: func(ctx context.Context) error { return execute(ctx, w.acme) }}, nil
}
