package transport

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/integrationhub/hub/internal/egress"
)

// Watcher is told of each attempt as it begins and as it ends, in the goroutine of Do.
type Watcher interface {
	// AttemptBegins is called before an attempt; n counts them from 1. The context that it
	// returns, derived from ctx, is that of the attempt; extra is sent with it as Inject
	// says.
	AttemptBegins(ctx context.Context, n int, wait time.Duration) (_ context.Context, extra http.Header)
	// AttemptEnds is called with that context once the attempt is over, its answer read.
	AttemptEnds(ctx context.Context, a *Attempt)
}

// begins tells the watcher that an attempt begins.
func (c *call) begins(ctx context.Context) context.Context {
	if c.req.Watcher == nil {
		return ctx
	}
	ctx, c.extra = c.req.Watcher.AttemptBegins(ctx, len(c.out.Attempts)+1, c.wait)
	return ctx
}

// ends tells the watcher how an attempt went.
func (c *call) ends(ctx context.Context, a *Attempt) {
	if c.req.Watcher != nil {
		c.req.Watcher.AttemptEnds(ctx, a)
	}
}

// Inject adds the first values of from to the header of a request that is complete: names that
// it has already, whatever their case, and those that no request may set are left out.
func Inject(to, from http.Header) {
	for name, values := range from {
		if len(values) == 0 || has(to, name) || egress.CheckHeaderName(name) != nil || egress.CheckHeaderValue(values[0]) != nil {
			continue
		}
		to.Set(name, values[0])
	}
}

// has reports whether a header is there, in whatever case.
func has(h http.Header, name string) bool {
	for own := range h {
		if strings.EqualFold(own, name) {
			return true
		}
	}
	return false
}
