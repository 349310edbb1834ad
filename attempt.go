package hub

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/integrationhub/hub/internal/transport"
)

// attempts is a run as the transport sees it, which tells it of attempts.
type attempts run

// AttemptBegins implements transport.Watcher.
func (a *attempts) AttemptBegins(ctx context.Context, _ int, wait time.Duration) (context.Context, http.Header) {
	return (*run)(a).attemptBegins(ctx, wait), a.traced.header
}

// AttemptEnds implements transport.Watcher.
func (a *attempts) AttemptEnds(ctx context.Context, ended *transport.Attempt) {
	if a.attempts == nil && !(*run)(a).told() {
		a.answered = new(answered)
		a.attempts = a.answered.own[:0]
	}
	a.attempts = append(a.attempts, attempted(ended))
	(*run)(a).attemptEnds(ctx)
}

func (r *run) attemptBegins(ctx context.Context, wait time.Duration) context.Context {
	if r.opts.Tracer == nil {
		return ctx
	}
	e := r.attemptEvent(len(r.attempts) + 1)
	e.Started = r.opts.now()
	e.Attempts = []Attempt{{Start: e.Started, Wait: wait}}
	return r.traceAttempt(ctx, e)
}

// attemptEnds tells whoever listens how the last attempt went.
func (r *run) attemptEnds(ctx context.Context) {
	last := len(r.attempts) - 1
	a := &r.attempts[last]
	level := a.level()
	logs := r.log.Enabled(ctx, level)
	if r.opts.Observer == nil && r.traced.attempt == nil && !logs {
		return
	}
	e := r.attemptEvent(len(r.attempts))
	e.Status, e.Started, e.Duration, e.Attempts = a.Status, a.Start, a.Duration, r.attempts[last:last+1:last+1]
	r.observe(ctx, e)
	if r.traced.attempt != nil {
		r.traced.attempt(e)
	}
	if logs {
		r.logAttempt(ctx, level, e)
	}
}

func (r *run) attemptEvent(number int) Event {
	e := Event{Op: opAttempt, CallOp: r.op, Number: number}
	r.describe(&e)
	return e
}

const opAttempt = "Attempt"

// level is how loud an attempt is in the log: what repeating does not mend is for the host's
// engineers to see.
func (a *Attempt) level() slog.Level {
	switch transport.Kind(a.Failure) {
	case transport.TLS, transport.Protocol, transport.HeaderTooLarge, transport.TooLarge, transport.Bomb, transport.Encoding:
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// attemptLent is an attempt that an SDK's request is: sent once, its answer read by the SDK.
func (r *run) attemptLent(ctx context.Context, out *http.Request) (*http.Response, *lentAttempt, *transport.Failure) {
	ctx = r.attemptBegins(ctx, 0)
	transport.Inject(out.Header, r.traced.header)
	resp, a, failure := r.client.Lend(ctx, r.plan.way, out)
	lent := &lentAttempt{run: r, ctx: ctx, attempt: a}
	if failure != nil {
		lent.ended()
		return nil, nil, failure
	}
	return resp, lent, nil
}

// lentAttempt is an attempt of an SDK that goes on while its answer is read.
type lentAttempt struct {
	run     *run
	ctx     context.Context
	attempt transport.Attempt
}

// ended tells whoever listens how it went.
func (l *lentAttempt) ended() {
	l.run.attempts = append(l.run.attempts, attempted(&l.attempt))
	l.run.attemptEnds(l.ctx)
}

func (r *run) logAttempt(ctx context.Context, level slog.Level, e Event) {
	a := &e.Attempts[0]
	r.log.LogAttrs(ctx, level, "attempt ended",
		slog.String("op", e.CallOp), slog.String("tenant", e.Tenant),
		slog.String("connector", e.Connector), slog.String("request", e.Request), slog.Int("number", e.Number),
		slog.String("method", e.Method), slog.String("host", e.Host), slog.String("path", e.Path),
		slog.Int("status", a.Status), slog.String("failure", a.Failure), slog.String("verdict", string(a.Verdict)),
		slog.String("address", a.Address), slog.Bool("sent", a.Sent),
		slog.Duration("wait", a.Wait), slog.Duration("duration", a.Duration),
		slog.Int64("bytesOut", a.BytesOut), slog.Int64("bytesIn", a.BytesIn))
}
