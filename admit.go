package hub

import (
	"context"
	"slices"
	"time"
)

// admit is the step that lets a call in: its request is active, its connector is ready and
// not paused, and there is a place for it. The call's time is known from here on, and has run
// since it began: the context that it returns is the one that the call has until release.
func (r *run) admit(ctx context.Context) (context.Context, error) {
	if err := r.mayRun(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithDeadline(ctx, r.deadline())
	r.life.hold(&r.stay, cancel)
	if err := r.takePlace(ctx); err != nil {
		cancel()
		return nil, err
	}
	if err := r.findAgain(ctx); err != nil {
		r.release()
		return nil, err
	}
	return ctx, nil
}

// takePlace waits for a place among the calls.
func (r *run) takePlace(ctx context.Context) error {
	err := r.gates.enter(ctx, &r.ticket, gateKey{r.name, r.plan.def.ID}, r.bounds(), r.opts.runtime(r.now))
	if err != nil && err == ctx.Err() {
		return r.ended(ctx)
	}
	return err
}

// release gives back what admit took.
func (r *run) release() {
	r.now, r.over = r.opts.now(), true
	r.gates.leave(&r.ticket, r.opts.runtime(r.now))
	r.stay.cancel()
}

// deadline is when the call's time is over, by the runtime's clock.
func (r *run) deadline() time.Time {
	if r.opts.Now == nil {
		return r.begun.Add(r.timeout())
	}
	return time.Now().Add(r.timeout() - r.opts.Now().Sub(r.begun))
}

// bounds are those of the calls at once, from the hub to the connector.
func (r *run) bounds() gateBounds {
	return gateBounds{r.limits.HubCalls, r.limits.TenantCalls, r.plan.calls, r.limits.QueuedCalls}
}

func (r *run) mayRun() error {
	switch {
	case r.plan.def.Paused:
		return failure(Inactive, "the connector is paused")
	case r.req.def.State == StateInactive:
		return failure(Inactive, "the request is inactive")
	}
	state := r.plan.state(r.req)
	if state.ready.Load() {
		return nil
	}
	if missing := r.plan.missing(r.req); len(missing) > 0 {
		return lacking(missing)
	}
	state.ready.Store(true)
	return nil
}

// lacking is the error of a call that lacks something: a vault that does not answer is a
// fault of the host, not of the connector.
func lacking(missing []FieldError) *Error {
	if slices.ContainsFunc(missing, func(f FieldError) bool { return f.Rule == string(Unavailable) }) {
		return &Error{Code: Unavailable, Retryable: true, Fields: missing}
	}
	return &Error{Code: NotReady, Fields: missing}
}
