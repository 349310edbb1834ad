package hub

import (
	"context"
	"errors"
	"time"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/token"
)

// authorize is the step that puts the connector's token on the call: from its grant, or
// from a new one. A token goes only where the secrets that fetched it may go.
func (r *run) authorize(ctx context.Context) error {
	if r.req.auth {
		return nil
	}
	if r.plan.auth == nil {
		return r.attach()
	}
	if r.grant == nil {
		g := r.grants.Fresh(r.plan.grantKey(), r.clock())
		if g == nil {
			var err error
			if g, err = r.grants.Get(ctx, r.plan.grantKey(), r.source(ctx)); err != nil {
				return unauthenticated(r.notGranted(ctx, err))
			}
		}
		r.grant = grantOf(g)
	}
	if r.wire == nil { // only the answer was wanted, for rendering
		return nil
	}
	if !r.grant.allows(r.wire.URL) {
		return failure(Forbidden, "the token is not bound to host "+quote(egress.RuleFor(r.wire.URL).String())+
			", which was not among the hosts of "+r.plan.boundBy())
	}
	return r.attach()
}

// boundBy says what bound a token to hosts, and what binds it anew.
func (p *connectorPlan) boundBy() string {
	switch p.def.Auth.Kind {
	case AuthAuthorizationCode, AuthDeviceCode:
		return "the consent or of the secrets that fetched it: set their values again, and authorize the connector again, to send it there"
	default:
		return "the secrets that fetched it: set their values again to send it there"
	}
}

// grantKey names the connector's grant, as this definition makes it.
func (p *connectorPlan) grantKey() token.Key {
	return token.Key{Tenant: p.tenant, Connector: p.def.ID, AuthKey: p.authKey}
}

// source is what fetches grants for the connector of the call.
func (r *run) source(ctx context.Context) *authSource {
	s := &authSource{tenant: r.Tenant, plan: r.plan}
	if r.opts.Tracer != nil {
		s.caller = ctx
	}
	return s
}

// notGranted says why there is no grant. Each caller gets an error of its own.
func (r *run) notGranted(ctx context.Context, err error) *Error {
	var fault *Error
	var failed *token.Error
	switch {
	case errors.As(err, &fault):
		e := *fault
		return &e
	case errors.As(err, &failed):
		return refusedBefore(failed)
	case errors.Is(err, errClosed), r.life.ctx.Err() != nil:
		return failure(Closed, "the hub has been closed")
	case ctx.Err() != nil:
		return r.ended(ctx)
	case errors.Is(err, token.ErrGone):
		return failure(NotFound, "the connector has been deleted meanwhile")
	case errors.Is(err, token.ErrSeal):
		return asError(kept(err))
	default:
		return asError(stored(err))
	}
}

// refusedBefore is the error of a call that sent no authentication request, because of how an
// earlier one ended.
func refusedBefore(failed *token.Error) *Error {
	e := failure(Unauthorized, failed.Reason)
	if failed.Verdict == token.Refused {
		return e
	}
	if failed.Verdict == token.Temporary {
		e.Code, e.Retryable = Rejected, true
	}
	e.RetryAt = failed.RetryAt
	e.detail += ": not tried again before " + failed.RetryAt.UTC().Format(time.RFC3339) + ", or until a secret is set"
	return e
}

// unauthenticated is the error of a call whose authentication failed: without what was
// counted for the authentication.
func unauthenticated(e *Error) error {
	e.Attempts, e.Sent, e.harmless, e.NotRepeated = 0, false, false, ""
	switch e.Code {
	case Timeout, Unreachable, BadAnswer:
		e.detail = "the connector's authentication: " + e.detail
	}
	return e
}
