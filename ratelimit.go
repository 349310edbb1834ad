package hub

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/integrationhub/hub/internal/ratehint"
	"github.com/integrationhub/hub/internal/transport"
	"github.com/integrationhub/hub/ratelimit"
)

// RateLimit bounds how often calls of a connector go out. Each attempt counts, those of
// authentications do not. A call waits for its turn, and fails at once with [RateLimited] if
// its turn would come too late.
//
// A template, a connector and a request may each have one, and a call is held to all of them;
// each connector has its own count, also of its template's limit. What a third party tells of
// its own limits, in Retry-After, RateLimit and X-RateLimit headers, is heeded beside them:
// once its limit is used up, calls of the connector to that origin wait until it is reset, for
// no longer than Limits.RetryAfter.
type RateLimit struct {
	// Requests may go out in each Per, in milliseconds, which is at most a day.
	Requests int `json:"requests"`
	Per      int `json:"per"`
	// Burst is how many may go at once; zero: Requests. After a pause up to Burst and
	// Requests together may so go within one Per: a third party that counts strictly needs a
	// smaller Burst.
	Burst int `json:"burst,omitempty"`
}

// Bounds of a RateLimit.
const (
	maxRate   = 1_000_000
	maxPeriod = 24 * 60 * 60 * 1000
)

func (l *RateLimit) check(p *problems, path string) {
	if l == nil {
		return
	}
	p.within(in(path, "requests"), l.Requests, 1, maxRate, "requests")
	p.within(in(path, "per"), l.Per, 1, maxPeriod, "milliseconds")
	p.within(in(path, "burst"), l.Burst, 0, maxRate, "requests")
}

// rates are what calls are held to, each under its key in the connector.
type rates []ratelimit.Demand

// Keys of a connector's limits.
const (
	rateTemplate  = "template"
	rateConnector = "connector"
	rateRequest   = "request:"
)

// with returns rates with one more, if there is one.
func (rs rates) with(key string, l *RateLimit) rates {
	if l == nil || l.Requests < 1 || l.Per < 1 || l.Burst < 0 { // what cannot be read is refused elsewhere
		return rs
	}
	limit := ratelimit.Limit{Requests: l.Requests, Per: duration(l.Per), Burst: cmp.Or(l.Burst, l.Requests)}
	return append(slices.Clip(rs), ratelimit.Demand{Key: key, Limit: limit})
}

// rateOwner names a connector to limiters.
func rateOwner(tenant, connector string) string { return connector + "@" + tenant }

// waitTurn waits until the rate limits let the next attempt pass, unless the circuit would not.
func (r *run) waitTurn(ctx context.Context, o *origin) *Error {
	wait := o.held()
	if wait <= 0 && len(r.req.rates) == 0 {
		return nil
	}
	if state, wait := o.circuit.state(); state == CircuitOpened { // then there is no use in waiting
		return r.circuitOpen(wait)
	}
	for ; wait > 0; wait = o.held() { // another answer may say wait anew
		if wait >= timeLeft(ctx) {
			return r.tooEarly(wait, "the third party has told to wait longer than there is time")
		}
		if e := r.pause(ctx, wait); e != nil {
			return e
		}
	}
	if len(r.req.rates) == 0 {
		return nil
	}
	demands := slices.Clone(r.req.rates) // other connectors have the same list
	turn, err := r.opts.RateLimiter.Take(ctx, rateOwner(r.name, r.plan.def.ID), demands, timeLeft(ctx)-1)
	r.now = r.opts.now()
	switch {
	case err != nil && (ctx.Err() != nil || timeLeft(ctx) <= 0):
		<-ctx.Done() // its timer may not have run yet
		return r.ended(ctx)
	case err != nil:
		return caused(Unavailable, "the rate limiter failed", err)
	case !turn.OK:
		return r.tooEarly(turn.Wait, "a rate limit leaves no call in time")
	}
	return r.pause(ctx, turn.Wait)
}

func (r *run) tooEarly(wait time.Duration, detail string) *Error {
	e := failure(RateLimited, detail)
	e.Retryable, e.RetryAt = true, r.opts.now().Add(wait)
	return e
}

// timeLeft is how long a call can wait.
func timeLeft(ctx context.Context) time.Duration { return timeLeftAt(ctx, time.Now()) }

// timeLeftAt is timeLeft at a moment by the runtime's clock.
func timeLeftAt(ctx context.Context, now time.Time) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return unlimited[time.Duration]()
	}
	return deadline.Sub(now)
}

// pause waits, and is seen to.
func (r *run) pause(ctx context.Context, d time.Duration) *Error {
	if d <= 0 {
		return nil
	}
	r.held.Add(1)
	defer r.held.Add(-1)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		r.now = r.opts.now()
		return nil
	case <-ctx.Done():
		return r.ended(ctx)
	}
}

// toldLimit is what an answer said of a rate limit of the third party.
type toldLimit struct {
	limit, remaining int64
	reset            time.Time // zero: it did not say
	ok               bool      // it said something
}

// held is how long calls have to wait, because an answer said so.
func (o *origin) held() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.until.IsZero() {
		return 0
	}
	return time.Until(o.until)
}

// learn takes what an answer says of rate limits. It only ever makes calls wait, and for no
// longer than most. now is when it came, by the runtime's clock.
func (o *origin) learn(status int, verdict Verdict, h http.Header, most time.Duration, now time.Time) {
	hint, told := ratehint.Read(h, now)
	wait := time.Duration(0)
	if told && hint.Remaining == 0 {
		wait = hint.Reset
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable || verdict == VerdictRateLimited {
		if after, ok := transport.RetryAfter(h, now); ok {
			wait = max(wait, after)
		}
	}
	if !told && wait <= 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if told {
		o.told = toldLimit{limit: hint.Limit, remaining: hint.Remaining, ok: true}
		if hint.Reset >= 0 {
			o.told.reset = now.Add(hint.Reset)
		}
	}
	if until := now.Add(min(wait, most)); wait > 0 && until.After(o.until) {
		o.until = until
	}
}
