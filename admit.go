package hub

import (
	"context"
	"slices"
)

// admit is the step that lets a call in: its request is active, its connector is ready and
// not paused, and there is a place for it. The call's time is known from here on, and has run
// since it began.
func (r *run) admit(ctx context.Context) (context.Context, func(), error) {
	if err := r.mayRun(); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout()-r.opts.now().Sub(r.begun))
	if err := r.gates.enter(ctx, &r.ticket, gateKey{r.name, r.plan.def.ID}, r.bounds()); err != nil {
		cancel()
		return nil, nil, err
	}
	leave := func() { r.gates.leave(&r.ticket); cancel() }
	if err := r.findAgain(ctx); err != nil {
		leave()
		return nil, nil, err
	}
	return ctx, leave, nil
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
	if r.req.ready.Load() == r.plan {
		return nil
	}
	if missing := r.plan.missing(r.req); len(missing) > 0 {
		return lacking(missing)
	}
	r.req.ready.Store(r.plan)
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

// ended tells why a context ended, as an error of the hub.
func ended(ctx context.Context) *Error {
	if context.Cause(ctx) == errClosed {
		return failure(Closed, "the hub has been closed")
	}
	return asError(ctx.Err())
}
