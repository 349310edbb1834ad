package transport

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Options are the seams of a Client. Nil and zero fields mean the default.
type Options struct {
	// Clock is the time of attempts and of Retry-After dates; default
	// time.Now. Waits and deadlines follow the runtime's own clock.
	Clock func() time.Time
	// Rand returns a number in [0, n), n > 0, and is safe for concurrent use;
	// default math/rand/v2.Int64N.
	Rand func(n int64) int64
}

func (o *Options) clock() func() time.Time {
	if o == nil || o.Clock == nil {
		return time.Now
	}
	return o.Clock
}

func (o *Options) rand() func(int64) int64 {
	if o == nil || o.Rand == nil {
		return rand.Int64N
	}
	return o.Rand
}

// Client sends requests. One Client serves all calls of a process: it holds no
// connections, these belong to Request.Via. It is safe for concurrent use and
// needs no Close.
type Client struct {
	clock    func() time.Time
	own      bool // the clock is not the runtime's
	rand     func(n int64) int64
	loop     *retryablehttp.Client
	carrier  *url.URL
	decoders decoders
}

// New returns a Client. Nil options mean the defaults.
func New(opts *Options) *Client {
	c := &Client{
		clock:   opts.clock(),
		own:     opts != nil && opts.Clock != nil,
		rand:    opts.rand(),
		carrier: &url.URL{Scheme: "https", Host: "carrier.invalid", Path: "/"},
	}
	c.loop = newLoop()
	return c
}

// runtime is a moment that the clock told just now, by the runtime's own.
func (c *Client) runtime(now time.Time) time.Time {
	if c.own {
		return time.Now()
	}
	return now
}

// Do sends the request as often as the policy allows, until ctx is done, and
// reads the answer. It returns when nothing more can be done: with an answer
// of whatever status, a *Failure in Outcome.Err, or both. Both are set when an
// answer's body could not be read, and when an attempt after an answer failed.
//
// An attempt is begun only if it can: when the wait before it would reach the
// deadline of ctx, the call ends at once with what is there. A ctx without a
// deadline leaves the call without one. The policy is not changed.
func (c *Client) Do(ctx context.Context, req Request, policy *Policy) Outcome {
	call := c.newCall(req, policy)
	if err := call.req.check(); err != nil {
		call.fail(newFailure(Invalid, nil, err))
		return call.out
	}
	call.now = c.clock()
	if kind, cause := interruptedBy(ctx, c.runtime(call.now)); kind != "" {
		call.fail(newFailure(kind, cause, nil))
		return call.out
	}
	policy.Budget.earn(req.URL.Host)
	call.attempt(ctx)
	if call.again(ctx) {
		return c.repeat(ctx, call)
	}
	return call.out
}

// repeat leaves the attempts after the first to the loop, of which the first is the first round:
// most calls need no loop. It hands the loop a carrier: a request that only leads back to the call.
// The library sees neither URL, header, body nor answer, so none can end up in
// its errors, be drained by it, or be taken for a redirect.
func (c *Client) repeat(ctx context.Context, call call) Outcome {
	carrier := &http.Request{Method: http.MethodGet, URL: c.carrier, Header: http.Header{}}
	carrier = carrier.WithContext(context.WithValue(ctx, callKey{}, &call))
	_, err := c.loop.Do(&retryablehttp.Request{Request: carrier})
	if err != nil {
		kind, cause := interrupted(ctx)
		call.out.Stop = stopOf(kind)
		call.fail(newFailure(kind, cause, err))
	}
	return call.out
}
