package transport

import (
	"context"
	"time"
)

// Watcher is told of each attempt as it begins and as it ends, in the goroutine of Do.
type Watcher interface {
	// AttemptBegins is called before an attempt; n counts them from 1. What it returns,
	// derived from ctx, is the context of the attempt.
	AttemptBegins(ctx context.Context, n int, wait time.Duration) context.Context
	// AttemptEnds is called with that context once the attempt is over, its answer read.
	AttemptEnds(ctx context.Context, a *Attempt)
}

// begins tells the watcher that an attempt begins.
func (c *call) begins(ctx context.Context) context.Context {
	if c.req.Watcher == nil {
		return ctx
	}
	return c.req.Watcher.AttemptBegins(ctx, len(c.out.Attempts)+1, c.wait)
}

// ends tells the watcher how an attempt went.
func (c *call) ends(ctx context.Context, a *Attempt) {
	if c.req.Watcher != nil {
		c.req.Watcher.AttemptEnds(ctx, a)
	}
}
