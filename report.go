package hub

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Event tells of one call that ended: who, what, how long, how it went. It holds no payload,
// no answer and no secret; its texts are names that the tenant chose.
type Event struct {
	Op          string // Execute, Authenticate, TestConnector, TestRequest, RoundTrip; AuthState
	Tenant      string
	Connector   string // the name
	ConnectorID string // empty if the connector was not found
	Request     string // the name
	Branch      Branch
	Code        Code // empty on OnSuccess
	Status      int  // of the last answer, zero if none came
	Started     time.Time
	Duration    time.Duration
	// Attempts are the requests sent for the call, the authentication's apart.
	Attempts []Attempt
	// TokenRenewed tells that the token was refused, renewed, and the call sent again.
	TokenRenewed bool
	// SecretVersion tells which version of secrets that have two was taken: SetNextSecret.
	// Empty: the call's secrets have one, or neither was taken.
	SecretVersion SecretVersion
	// AuthState is set if Op is AuthState: no call ended, but the connector's
	// authentication is in this state now. Connector may be empty then.
	AuthState AuthState
}

// report is the last step: it makes sure that the error is complete, and tells the observer
// and the log, once.
func (r *run) report(ctx context.Context, res *Result, err error) error {
	e := Event{
		Op: r.op, Tenant: r.name, Connector: r.call.Connector, Request: r.call.Request,
		Branch: OnSuccess, Started: r.begun, Duration: r.opts.now().Sub(r.begun),
		Attempts: r.attempts, TokenRenewed: r.replayed, SecretVersion: r.taken,
	}
	if r.plan != nil {
		e.Connector, e.ConnectorID = r.plan.def.Name, r.plan.def.ID
	}
	if res != nil {
		e.Status, res.Duration = res.Status, e.Duration
	}
	if err != nil {
		failed := asError(err)
		failed.Attempts, failed.Sent = max(failed.Attempts, len(r.attempts)), failed.Sent || r.sent()
		e.Branch, e.Code = failed.Branch(), failed.Code
		err = failed
		if res != nil {
			res.Branch = e.Branch
		}
	}
	if r.opts.Observer != nil {
		r.opts.Observer(context.WithoutCancel(ctx), e)
	}
	r.logEvent(ctx, e)
	return err
}

func (r *run) logEvent(ctx context.Context, e Event) {
	level := slog.LevelDebug
	if errors.Is(e.Code, Unavailable) {
		level = slog.LevelError
	}
	if !r.log.Enabled(ctx, level) {
		return
	}
	r.log.LogAttrs(ctx, level, "call ended",
		slog.String("op", e.Op), slog.String("tenant", e.Tenant),
		slog.String("connector", e.Connector), slog.String("request", e.Request),
		slog.String("branch", string(e.Branch)), slog.String("code", string(e.Code)),
		slog.Int("status", e.Status), slog.Duration("duration", e.Duration),
		slog.Int("attempts", len(e.Attempts)))
}
