package hub

import (
	"context"
	"time"
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
	return h
}
