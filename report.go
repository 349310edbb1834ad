package hub

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"
)

// Event tells of one call that ended, or of one attempt of it: who, what, how long, how it
// went. It holds no payload, no answer and no secret; its texts are names that the tenant
// chose, and what the call's definition says.
type Event struct {
	// Op is what ended: Execute, ExecuteTo, ExecutePages or ExecuteItems (one page),
	// Authenticate, TestConnector, TestRequest, RoundTrip, Discover or StartDevice; Attempt is
	// one request of any of them. AuthState and Circuit: see there.
	Op          string
	Tenant      string
	Connector   string // the name
	ConnectorID string // empty if the connector was not found
	Request     string // the name
	// Method is the verb, empty if the call did not come so far. Path is the path as it is
	// defined, "/things/{{id}}": never with values in it, and empty where the definition has
	// none, as in a dynamic request. Host is the one of the connector's Hosts that the call
	// goes to: a wildcard stays a wildcard.
	Method, Path, Host string
	Branch             Branch // empty of an attempt: the whole call is judged
	Code               Code   // empty on OnSuccess, and of an attempt; with a Substitute what failed
	Status             int    // of the last answer, zero if none came
	Started            time.Time
	Duration           time.Duration
	// Attempts are the requests sent for the call, the authentication's apart. Of an
	// attempt it is the one. All who are told of the call get the same ones: do not change them.
	Attempts []Attempt
	// CallOp and Number are set if Op is Attempt: the Op of its call, and the attempt's
	// number among those of the call, from 1.
	CallOp string
	Number int
	// NotRepeated is why the call was not sent again, if another attempt might have mended
	// it; with a Substitute too. Empty of an attempt: it is known when the call ends.
	NotRepeated NotRepeated
	// Substitute tells what stood in for the answer.
	Substitute Substitute
	// TokenRenewed tells that the token was refused, renewed, and the call sent again.
	TokenRenewed bool
	// SecretVersion tells which version of secrets that have two was taken: SetNextSecret.
	// Empty: the call's secrets have one, or neither was taken.
	SecretVersion SecretVersion
	// AuthState is set if Op is AuthState: no call ended, but the connector's
	// authentication is in this state now. Connector may be empty then.
	AuthState AuthState
	// Circuit is set if Op is Circuit: no call ended, but the connector's circuit to Origin
	// opened or closed.
	Circuit CircuitState
	Origin  string
}

// report is the last step: it makes sure that the error is complete, and tells the observer
// and the log, once.
func (r *run) report(ctx context.Context, res *Result, err error) error {
	now := r.now
	if !r.over {
		now = r.opts.now()
	}
	e := Event{
		Op: r.op, Branch: OnSuccess, Started: r.begun, Duration: now.Sub(r.begun),
		Attempts: r.attempts, TokenRenewed: r.replayed, SecretVersion: r.taken,
	}
	if res != nil {
		e.Status, res.Duration, e.Substitute = res.Status, e.Duration, res.Substitute
		if res.Cause != nil {
			cause := asError(res.Cause)
			e.Code, e.Status, e.NotRepeated = cause.Code, cause.Status, cause.NotRepeated
		}
	}
	if err != nil {
		failed := asError(err)
		if failed.Attempts = max(failed.Attempts, len(r.attempts)); !failed.Sent && r.sent() { // it says nothing of the sending
			failed.Sent, failed.harmless, failed.spent = true, r.harmless(), r.spent.Load()
		}
		e.Branch, e.Code, e.NotRepeated = failed.Branch(), failed.Code, failed.NotRepeated
		err = failed
		if res != nil {
			res.Branch = e.Branch
		}
	}
	r.remember(e.Code, now)
	r.tell(ctx, e)
	return err
}

// tell completes the event of a call for those who listen.
func (r *run) tell(ctx context.Context, e Event) {
	level := slog.LevelDebug
	if errors.Is(e.Code, Unavailable) {
		level = slog.LevelError
	}
	logs := r.log.Enabled(ctx, level)
	if r.opts.Observer == nil && r.traced.call == nil && !logs {
		return
	}
	r.describe(&e)
	r.observe(ctx, e)
	if r.traced.call != nil {
		r.traced.call(e)
	}
	if logs {
		r.logEvent(ctx, level, e)
	}
}

// describe puts what is known of the call into an event.
func (r *run) describe(e *Event) {
	e.Tenant, e.Connector, e.Request = r.name, r.call.Connector, r.call.Request
	if r.plan == nil {
		return
	}
	e.Connector, e.ConnectorID = r.plan.def.Name, r.plan.def.ID
	e.Path = r.req.pathTemplate(r.plan)
	if r.wire == nil {
		return
	}
	e.Method = orDefault(r.wire.Method, http.MethodGet)
	e.Host = r.hostRule()
}

// pathTemplate is the path of the request as it is defined, empty if it is not.
func (p *requestPlan) pathTemplate(of *connectorPlan) string {
	if p == nil || p.program == nil || p.def.PayloadMode == PayloadDynamic {
		return ""
	}
	if o := of.def.Auth.OAuth; o != nil && (p.path == "auth.oauth.issuer" || p.discovers(o)) {
		return "" // what is compiled is the issuer
	}
	return p.program.Path()
}

func (r *run) observe(ctx context.Context, e Event) {
	if r.opts.Observer == nil {
		return
	}
	if r.lasting == nil || r.opts.Tracer != nil { // a Tracer gives each attempt its own
		r.lasting = context.WithoutCancel(ctx)
	}
	r.opts.Observer(r.lasting, e)
}

func (r *run) logEvent(ctx context.Context, level slog.Level, e Event) {
	r.log.LogAttrs(ctx, level, "call ended",
		slog.String("op", e.Op), slog.String("tenant", e.Tenant),
		slog.String("connector", e.Connector), slog.String("request", e.Request),
		slog.String("branch", string(e.Branch)), slog.String("code", string(e.Code)), slog.String("substitute", string(e.Substitute)),
		slog.Int("status", e.Status), slog.Duration("duration", e.Duration),
		slog.Int("attempts", len(e.Attempts)), slog.Bool("sent", r.sent()), slog.String("notRepeated", string(e.NotRepeated)))
}
