package hub

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/transport"
)

// Attempt is one request that was sent for a call, or could not be.
type Attempt struct {
	// Start is when it began, Wait the pause before it, Duration how long it took.
	Start          time.Time
	Wait, Duration time.Duration
	// Status is that of the answer, zero if none came.
	Status int
	// Failure says why there is no usable answer, empty if there is one: timeout,
	// canceled, unreachable, tls, read, protocol, header-too-large, too-large, bomb,
	// encoding, stalled, aborted; and of what was not sent, prepare (it could not be signed)
	// or refused (the way out is shut to it).
	Failure string
	// Verdict is what a rule of Request.Responses made of the answer, empty if none did.
	Verdict Verdict
	// Address is the class of the address that it was sent to: public, private, loopback;
	// empty if there was no connection.
	Address string
	// Sent tells that a byte of the request may have reached the third party.
	Sent bool
	// Resends counts how often net/http went on to another connection within the attempt:
	// because nothing had been written to the one before, or for a GET, HEAD or OPTIONS
	// without a body because the one before had been closed before an answer began.
	Resends int
	// BytesOut and BytesIn count the bodies as they travelled.
	BytesOut, BytesIn int64
}

// send is the step that sends the call, and the one that reads the answer: attempts under
// the call's one deadline, each decided at dial time, read under a cap.
//
// A server that wants its nonce in the proof of possession has not done anything yet: the
// call is sent once more, with it.
func (r *run) send(ctx context.Context) {
	r.sendOnce(ctx)
	if !r.nonceAsked() || r.spent.Load() {
		return
	}
	r.wire.Header = r.wire.Header.Clone() // net/http may still be looking at the one that was sent
	if r.compose(ctx) == nil {            // an assertion counts once: another one
		r.sendOnce(ctx)
		r.nonceAsked()
	}
}

func (r *run) sendOnce(ctx context.Context) {
	if name := r.req.idempotencyHeader(); name != "" && blank(r.wire.Header.Get(name)) {
		if r.idempotencyKey == "" {
			r.idempotencyKey = rand.Text()
		}
		r.wire.Header.Set(name, r.idempotencyKey)
	}
	if r.wire.Header["Range"] == nil && r.wire.Method != http.MethodHead {
		transport.Accept(r.wire.Header)
	}
	before := r.outcome.Answer
	r.outcome = r.client.Do(ctx, transport.Request{
		Method: r.wire.Method,
		URL:    r.wire.URL,
		Header: r.wire.Header,
		Body:   r.wire.Body,
		Via:    r.plan.way,

		Prepare: r.sign,
		Gate:    r,
		Watcher: (*attempts)(r),
		Room:    &r.sending,
		Stream:  r.streaming(),
		Upload:  r.upload(),
	}, r.sendPolicy())
	if r.outcome.Answer == nil { // the last answer is kept, also if the token was renewed in vain
		r.outcome.Answer = before
	}
	r.explain(ctx)
}

func attempted(a *transport.Attempt) Attempt {
	out := Attempt{
		Start: a.Start, Wait: a.Wait, Duration: a.Duration, Status: a.Status, Failure: string(a.Kind), Verdict: Verdict(a.Ruling),
		Sent: a.Sent, Resends: a.Resends, BytesOut: a.BytesOut, BytesIn: a.BytesIn,
	}
	if a.Address != egress.Invalid {
		out.Address = a.Address.String()
	}
	return out
}

// sent reports whether a byte of the call may have reached the third party.
func (r *run) sent() bool {
	return slices.ContainsFunc(r.attempts, func(a Attempt) bool { return a.Sent })
}

// sendPolicy is the request's own, with the call's judgement if it has rules of its own, and
// with the attempts that are left of a call that was sent before: another token is worth one.
func (r *run) sendPolicy() *transport.Policy {
	judges := len(r.req.responses) > 0 || r.mayRepeatRefusals()
	if !judges && len(r.attempts) == 0 {
		return &r.req.policy
	}
	policy := r.req.policy
	if judges {
		policy.Judge = r.rule
	}
	policy.Attempts = max(1, policy.Attempts-len(r.attempts))
	return &policy
}

// mayRepeatRefusals reports whether an answer that refuses the call's token may be one that
// is worth another attempt by its status.
func (r *run) mayRepeatRefusals() bool {
	return r.grant != nil && (len(r.plan.refusals) > 0 || slices.Contains(r.req.policy.Statuses, http.StatusUnauthorized))
}

func (p *requestPlan) idempotencyHeader() string {
	if p.def.Retry == nil {
		return ""
	}
	return p.def.Retry.IdempotencyHeader
}

// explain tells the host's log why a host could not be reached: tenants are not told, lest
// they map a network by trying.
func (r *run) explain(ctx context.Context) {
	f, ok := errors.AsType[*transport.Failure](r.outcome.Err)
	if !ok || f.Kind != transport.Unreachable {
		return
	}
	if refusal, ok := errors.AsType[*egress.Refusal](f.Cause()); ok {
		r.log.WarnContext(ctx, "egress refused", "tenant", r.name, "connector", r.plan.def.Name, "host", r.wire.URL.Host, "refusal", refusal)
		return
	}
	r.log.InfoContext(ctx, "host unreachable", "tenant", r.name, "connector", r.plan.def.Name, "host", r.wire.URL.Host)
}
