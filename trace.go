package hub

import (
	"context"
	"net/http"
	"sync"
)

// Tracer follows calls for a tracing system; package telemetry/hubotel has one. Its methods, and
// the functions that they return, are called in the goroutine of the call; they must be safe
// for concurrent use and quick.
//
// An [Event] that they are given at a beginning holds what is known by then. What a Tracer
// learns is what an Observer learns: no payload, no answer, no filled URL and no secret.
type Tracer interface {
	// StartCall is called when a call begins. The context that it returns, derived from ctx,
	// goes with the call to its end: to the store, the vault, the Observer, and to the
	// authentication that the call sets off, which is a call of its own. end is called
	// once, with the event of the call; nil: it is not wanted.
	StartCall(ctx context.Context, e Event) (_ context.Context, end func(Event))

	// StartAttempt is called before each attempt, with the context of its call. What it puts
	// into header, such as traceparent, is sent with the attempt, but for names that the
	// request has already, its signature included, and names that no request may set. Such
	// headers are part of no signature. end is as for StartCall.
	StartAttempt(ctx context.Context, e Event, header http.Header) (_ context.Context, end func(Event))
}

// StateTracer is what a [Tracer] may be as well, to hear also of what is no call. One that is
// not does not hear of it.
type StateTracer interface {
	// StateChanged is called with the event of each circuit that opened or closed ([Breaker]) and
	// of each change of a connector's [AuthState], in the goroutine that noticed it.
	StateChanged(ctx context.Context, e Event)
}

// StatsTracer is what a [Tracer] may be as well, to ask how a hub fares as a whole. One that is
// not is not told; [Hub.Stats] can be asked all the same.
type StatsTracer interface {
	// HubOpened is called by [New] when the hub is there. stats is its [Hub.Stats]. The function
	// that is returned is called once, when [Hub.Close] has ended the last call and before
	// it returns; nil: it is not wanted.
	HubOpened(stats func() Stats) (closed func())
}

// offerStats offers the hub's figures to who wants them. It returns what is to be done in the end.
func (c *core) offerStats() (closed func()) {
	t, ok := c.opts.Tracer.(StatsTracer)
	if !ok {
		return func() {}
	}
	if closed = t.HubOpened(c.stats); closed == nil {
		return func() {}
	}
	return sync.OnceFunc(closed)
}

// tellState tells those who listen of what is no call.
func (c *core) tellState(ctx context.Context, e Event) {
	ctx = context.WithoutCancel(ctx)
	if c.opts.Observer != nil {
		c.opts.Observer(ctx, e)
	}
	if t, ok := c.opts.Tracer.(StateTracer); ok {
		t.StateChanged(ctx, e)
	}
}

// traced is what a Tracer wants to hear of a call.
type traced struct {
	call    func(Event)
	attempt func(Event)
	header  http.Header // for the attempt that begins
}

// trace begins to follow the call.
func (r *run) trace(ctx context.Context) context.Context {
	if r.opts.Tracer == nil {
		return ctx
	}
	e := Event{Op: r.op, Started: r.begun}
	r.describe(&e)
	ctx, r.traced.call = r.opts.Tracer.StartCall(ctx, e)
	return ctx
}

// traceAttempt begins to follow an attempt.
func (r *run) traceAttempt(ctx context.Context, e Event) context.Context {
	if r.opts.Tracer == nil {
		return ctx
	}
	r.traced.header, r.traced.attempt = http.Header{}, nil
	ctx, r.traced.attempt = r.opts.Tracer.StartAttempt(ctx, e, r.traced.header)
	return ctx
}

// withValues is a context that ends like one and carries the values of another.
type withValues struct {
	context.Context
	values context.Context
}

// Value looks for the values of the call first.
func (c withValues) Value(key any) any {
	if v := c.values.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}
