package transport

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// callKey leads from the context of a carrier to its call.
type callKey struct{}

// newLoop returns go-retryablehttp reduced to its loop: when to go on and how
// long to wait is decided by the call, and its client reaches nothing but
// attempts.
func newLoop() *retryablehttp.Client {
	loop := retryablehttp.NewClient()
	loop.Logger = nil
	loop.RetryMax = math.MaxInt
	loop.CheckRetry = checkRetry
	loop.Backoff = backoff
	loop.ErrorHandler = retryablehttp.PassthroughErrorHandler
	loop.HTTPClient.Transport = attempts{}
	return loop
}

// attempts runs one attempt of the carrier's call per round trip. It has no
// CloseIdleConnections: the loop calls that when it gives up, and the pool
// belongs to others as well.
type attempts struct{}

func (attempts) RoundTrip(carrier *http.Request) (*http.Response, error) {
	ctx := carrier.Context()
	if c := callOf(ctx); c.looping {
		c.now = c.client.clock()
		c.attempt(ctx)
	}
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: carrier}, nil
}

func checkRetry(ctx context.Context, _ *http.Response, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	c := callOf(ctx)
	if !c.looping { // the first attempt, of which this has been decided
		c.looping = true
		return true, nil
	}
	return c.again(ctx), nil
}

func backoff(_, _ time.Duration, _ int, carrier *http.Response) time.Duration {
	return callOf(carrier.Request.Context()).wait
}

func callOf(ctx context.Context) *call {
	return ctx.Value(callKey{}).(*call)
}
