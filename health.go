package hub

import (
	"context"
	"time"

	"github.com/integrationhub/hub/ratelimit"
)

// Health is how a connector fares, as this hub has seen it since it was started: other
// instances on the same store have their own view, but for Auth.
type Health struct {
	// InFlight and Queued count its calls that are under way and that wait for a place.
	InFlight int `json:"inFlight"`
	Queued   int `json:"queued"`
	// LastSuccess and LastFailure are when a call, or an authentication, last ended so that
	// was sent or held back; zero: none has. LastCode is the failure's.
	LastSuccess time.Time `json:"lastSuccess,omitzero"`
	LastFailure time.Time `json:"lastFailure,omitzero"`
	LastCode    Code      `json:"lastCode,omitempty"`
	// Origins are where calls went, the last one first.
	Origins []OriginHealth `json:"origins,omitempty"`
	// RateLimits are those that the template, the connector and its active requests declare.
	RateLimits []RateHealth `json:"rateLimits,omitempty"`
	// Auth is how its authentication is.
	Auth AuthStatus `json:"auth"`
}

// OriginHealth is how an origin fares that calls of a connector go to.
type OriginHealth struct {
	// Origin is a scheme, host and port: https://api.example.com.
	Origin string `json:"origin"`
	// Circuit is how the circuit is; while it is open, RetryAt is when that ends.
	Circuit CircuitState `json:"circuit"`
	RetryAt time.Time    `json:"retryAt,omitzero"`
	// HeldUntil is until when calls wait because an answer said so; zero: they do not.
	HeldUntil time.Time `json:"heldUntil,omitzero"`
	// Told is the last that an answer said of a rate limit; nil: none did.
	Told *ToldLimit `json:"told,omitempty"`
}

// ToldLimit is what a third party told of its own rate limit.
type ToldLimit struct {
	// Limit is zero, and so is Reset, if it did not say. Remaining is how many requests
	// were left.
	Limit     int64     `json:"limit,omitempty"`
	Remaining int64     `json:"remaining"`
	Reset     time.Time `json:"reset,omitzero"`
}

// RateHealth is how far a rate limit is used up.
type RateHealth struct {
	// Of is template, connector, or request:NAME.
	Of string `json:"of"`
	RateLimit
	// Left is how many requests could go out at once; negative if Options.RateLimiter does
	// not tell.
	Left int `json:"left"`
}

// Health returns how a connector fares. It reads the store, and calls nobody.
func (t *Tenant) Health(ctx context.Context, connector string) (_ Health, err error) {
	defer finish(&err, "Health", connector, "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Health{}, err
	}
	defer leave()
	rec, err := t.connector(ctx, connector)
	if err != nil {
		return Health{}, err
	}
	key := gateKey{t.name, rec.Connector.ID}
	var h Health
	h.InFlight, h.Queued = t.gates.count(key)
	if seen := t.traffics.peek(key); seen != nil {
		seen.describe(&h, t.opts.now())
	}
	if h.RateLimits, err = t.rateHealth(ctx, rec); err != nil {
		return Health{}, err
	}
	st, err := t.grants.Status(ctx, t.grantKey(key.connector))
	h.Auth = authStatus(st)
	return h, stored(err)
}

// describe fills in what is remembered of a connector.
func (t *traffic) describe(h *Health, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h.LastSuccess, h.LastFailure, h.LastCode = t.success, t.failure, t.code
	for _, o := range t.origins {
		h.Origins = append(h.Origins, o.health(now))
	}
}

func (o *origin) health(now time.Time) OriginHealth {
	h := OriginHealth{Origin: o.String()}
	var wait time.Duration
	if h.Circuit, wait = o.circuit.state(); wait > 0 {
		h.RetryAt = now.Add(wait)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if wait := time.Until(o.until); wait > 0 {
		h.HeldUntil = now.Add(wait)
	}
	if told := o.told; told.ok {
		h.Told = &ToldLimit{Limit: told.limit, Remaining: told.remaining}
		if !told.reset.IsZero() {
			h.Told.Reset = now.Add(time.Until(told.reset))
		}
	}
	return h
}

// rateHealth asks the limiter how far the declared limits are used up.
func (t *Tenant) rateHealth(ctx context.Context, rec *connectorRecord) ([]RateHealth, error) {
	var list []RateHealth
	var demands rates
	add := func(of, key string, l *RateLimit) {
		if now := demands.with(key, l); len(now) > len(demands) {
			demands, list = now, append(list, RateHealth{Of: of, RateLimit: *l, Left: -1})
		}
	}
	add(rateTemplate, rateTemplate, rec.Template.Limits.RateLimit)
	add(rateConnector, rateConnector, rec.Connector.RateLimit)
	for i := range rec.Connector.Requests {
		if r := &rec.Connector.Requests[i]; r.State != StateInactive {
			add(rateRequest+r.Name, rateRequest+r.ID, r.RateLimit)
		}
	}
	inspector, ok := t.opts.RateLimiter.(ratelimit.Inspector)
	if !ok || len(list) == 0 {
		return list, nil
	}
	left, err := inspector.Left(ctx, rateOwner(t.name, rec.Connector.ID), demands)
	if err != nil {
		return nil, caused(Unavailable, "the rate limiter failed", err)
	}
	for i := range list {
		list[i].Left = left[i]
	}
	return list, nil
}
