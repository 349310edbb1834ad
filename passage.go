package hub

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/integrationhub/hub/internal/transport"
)

// passage is an attempt's way past the circuit and the rate limits of where it goes.
type passage struct {
	traffic *traffic
	origin  *origin
	ended   func(error)   // takes the outcome of the attempt that passed
	had     time.Duration // what was left of the call's time when it passed
}

// destination finds what is remembered of where the call goes.
func (r *run) destination() *origin {
	if r.passage.traffic == nil {
		r.passage.traffic = r.traffics.of(gateKey{r.name, r.plan.def.ID}, r.limits.Remembered)
	}
	if o := r.passage.origin; o == nil || o.host != r.wire.URL.Host || o.scheme != r.wire.URL.Scheme {
		r.passage.origin = r.passage.traffic.origin(r.wire.URL.Scheme, r.wire.URL.Host, &r.opts.Breaker)
	}
	return r.passage.origin
}

// Pass implements transport.Gate: it asks the circuit and the rate limits.
func (r *run) Pass(ctx context.Context, now time.Time) (time.Time, error) {
	r.now = now
	o := r.destination()
	if e := r.waitTurn(ctx, o); e != nil {
		return e.RetryAt, e
	}
	if err := r.stillMay(ctx); err != nil {
		return time.Time{}, err
	}
	r.tellCircuit(ctx, o) // before anything is owed to it: who is told may panic
	ended, wait := o.circuit.allow()
	if ended == nil {
		e := r.circuitOpen(wait)
		return e.RetryAt, e
	}
	r.passage.ended, r.passage.had = ended, timeLeftAt(ctx, r.opts.runtime(r.now))
	return r.now, nil
}

func (r *run) circuitOpen(wait time.Duration) *Error {
	e := failure(CircuitOpen, "the host has failed so often that nothing is sent to it for now")
	e.Retryable, e.RetryAt = true, r.opts.now().Add(wait)
	return e
}

// Shut implements transport.Gate.
func (r *run) Shut() time.Time {
	state, wait := r.destination().circuit.state()
	if state != CircuitOpened {
		return time.Time{}
	}
	return r.opts.now().Add(wait)
}

// Passed implements transport.Gate: the circuit learns how the attempt went.
func (r *run) Passed(ctx context.Context, a *transport.Attempt, answer *transport.Answer) {
	if answer != nil {
		r.passage.origin.learn(a.Status, Verdict(a.Ruling), answer.Header, r.limits.RetryAfter, r.opts.runtime(a.Start.Add(a.Duration)))
	}
	r.passed(ctx, r.outcomeOf(a, answer))
}

func (r *run) passed(ctx context.Context, outcome error) {
	r.passage.ended(outcome)
	r.tellCircuit(ctx, r.passage.origin)
}

// enoughTime is what an attempt must have had for its timeout to speak against the origin.
const enoughTime = time.Second

// outcomeOf says what an attempt means for the circuit: nil, errFailed or errNeither.
func (r *run) outcomeOf(a *transport.Attempt, answer *transport.Answer) error {
	switch a.Kind {
	case "":
		return r.outcomeOfStatus(answer.Status, Verdict(a.Ruling))
	case transport.Unreachable, transport.TLS, transport.Read, transport.Protocol:
		return errFailed
	case transport.Timeout:
		if r.passage.had < min(enoughTime, r.req.timeout/2) {
			return errNeither
		}
		return errFailed
	case transport.TooLarge, transport.HeaderTooLarge, transport.Bomb, transport.Encoding:
		return nil // it answers
	default: // canceled, refused, not prepared: nothing came of the origin
		return errNeither
	}
}

func (r *run) outcomeOfStatus(status int, verdict Verdict) error {
	switch {
	case status < http.StatusInternalServerError, verdict == VerdictSuccess, verdict == VerdictIgnore, r.req.success.has(status):
		return nil
	}
	return errFailed
}

// tellCircuit tells the observer and the log of circuits that opened or closed.
func (r *run) tellCircuit(ctx context.Context, o *origin) {
	if o.circuit == nil {
		return
	}
	for _, state := range o.circuit.told() {
		e := Event{
			Op: "Circuit", Tenant: r.name, Connector: r.plan.def.Name, ConnectorID: r.plan.def.ID,
			Branch: OnSuccess, Started: r.opts.now(), Circuit: state, Origin: o.String(),
		}
		level, text := slog.LevelInfo, "circuit closed"
		if state == CircuitOpened {
			e.Branch, e.Code = OnError, CircuitOpen
			level, text = slog.LevelWarn, "circuit opened"
		}
		r.tellState(ctx, e)
		r.log.LogAttrs(ctx, level, text, slog.String("tenant", e.Tenant), slog.String("connector", e.Connector), slog.String("origin", e.Origin))
	}
}

// remember notes how a call ended that got as far as being sent.
func (r *run) remember(code Code, now time.Time) {
	if r.passage.traffic != nil {
		r.passage.traffic.note(code, now)
	}
}

// String is the origin as URLs begin.
func (o *origin) String() string { return o.scheme + "://" + o.host }
