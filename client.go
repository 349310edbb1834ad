package hub

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/render"
	"github.com/integrationhub/hub/internal/transport"
)

// HTTPClient returns a client that lends a connector's authorization, hosts, egress rule,
// timeout and limits to any Go SDK. ctx covers the construction alone. Each round trip looks
// the connector up anew, so an edit, a pause or a new secret takes effect at once; each may
// use the template's verbs and the connector's Hosts, is sent once, and follows no redirect. After
// an answer 401 the next one gets a new token.
//
// What is told of a round trip, events, spans and log, is told when its answer's body has been
// read to the end or closed, and at the latest when the time is over.
//
// Its errors are an *[Error] inside a *url.Error. Reading a body beyond the size limit, or
// after the connector's timeout, fails. Bodies are neither decompressed nor scrubbed.
func (t *Tenant) HTTPClient(ctx context.Context, connector string) (_ *http.Client, err error) {
	defer finish(&err, "HTTPClient", connector, "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if _, _, err := t.find(ctx, connector, t.opts.now()); err != nil {
		return nil, err
	}
	return egress.NewClient(&roundTripper{t, connector}), nil
}

// roundTripper takes the requests of an SDK down the road of a call.
type roundTripper struct {
	tenant    *Tenant
	connector string
}

// RoundTrip sends one request.
func (rt *roundTripper) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	defer finish(&err, "RoundTrip", rt.connector, "")
	if req.Body != nil { // whatever happens, a round trip closes it
		defer func() {
			if err != nil {
				req.Body.Close()
			}
		}()
	}
	r := &run{Tenant: rt.tenant, op: "RoundTrip", call: Call{Connector: rt.connector}, pick: lent, begun: rt.tenant.opts.now()}
	if err := r.arrive(&r.stay); err != nil {
		return nil, err
	}
	defer func() {
		if resp == nil {
			r.life.leave(&r.stay) // when it has been told
		}
	}()
	ctx := r.trace(req.Context())
	defer func() {
		if resp == nil {
			_, err = ended(nil, err)
			err = r.report(ctx, nil, err)
		}
	}()
	if resp, err = r.lend(ctx, req); err != nil {
		return nil, err
	}
	resp.Request = req // and not the one that carries the token
	return resp, nil
}

// verdict is what the event of a round trip says of an answer; the SDK judges it itself.
func verdict(a *transport.Attempt) error {
	switch {
	case a.Kind != "":
		return failure(failureCodes[a.Kind], "the answer could not be read")
	case success2xx.has(a.Status):
		return nil
	}
	return failure(Rejected, "the third party answered "+statusText(a.Status))
}

// lent is the plan of a request that an SDK makes.
func lent(_ *run, p *connectorPlan) (*requestPlan, error) {
	return &requestPlan{def: Request{Name: "", State: StateActive}, policy: p.lending, rates: p.rates, timeout: duration(p.def.Timeout)}, nil
}

// lend sends a request of an SDK with the connector's authorization. The body of the answer ends
// the call when it is closed, and so does the end of the call's time: a body that nobody closes
// holds no place for longer.
func (r *run) lend(told context.Context, req *http.Request) (answer *http.Response, err error) {
	if err := r.find(told, r.begun); err != nil {
		return nil, err
	}
	ctx, err := r.admit(told)
	if err != nil {
		return nil, err
	}
	defer func() {
		if answer == nil { // also while something of the host's panics
			r.release()
		}
	}()
	out, err := r.lentRequest(ctx, req)
	if err != nil {
		return nil, err
	}
	resp, attempt, err := r.roundTrip(ctx, out)
	if err != nil {
		return nil, err
	}
	r.keepNonce(resp.Header)
	if r.grant != nil && r.plan.refuses(r.headOf(resp.StatusCode, resp.Header)) {
		r.grants.Refuse(r.plan.grantKey(), r.grant.Grant)
	}
	r.lentVersion(resp)
	end := sync.OnceFunc(func() { r.release(); r.life.leave(&r.stay) })
	body := r.lentBody(told, resp.Body, attempt, end)
	if resp.Body == http.NoBody {
		body.ended(nil)
	}
	resp.Body = body
	context.AfterFunc(ctx, body.abandoned)
	return resp, nil
}

// lentRequest is the request of an SDK as it is sent: held against the rules, authorized and signed.
func (r *run) lentRequest(ctx context.Context, req *http.Request) (*http.Request, error) {
	if err := r.wireOf(req); err != nil {
		return nil, err
	}
	if err := r.guard(); err != nil {
		return nil, err
	}
	if err := r.authorize(ctx); err != nil {
		r.otherNextTime(err)
		return nil, err
	}
	out := req.Clone(ctx)
	out.URL, out.Host, out.Header = r.wire.URL, "", r.wire.Header
	return out, r.signLent(ctx, out)
}

// roundTrip sends the request, if the circuit and the rate limits let it pass.
func (r *run) roundTrip(ctx context.Context, req *http.Request) (*http.Response, *lentAttempt, error) {
	if _, err := r.Pass(ctx, r.opts.now()); err != nil {
		return nil, nil, err
	}
	outcome := errNeither
	defer func() { r.passed(ctx, outcome) }()
	resp, attempt, failed := r.attemptLent(ctx, req)
	if failed != nil {
		outcome = r.outcomeOf(&transport.Attempt{Kind: failed.Kind}, nil)
		return nil, nil, r.lentError(ctx, failed.Kind)
	}
	r.passage.origin.learn(resp.StatusCode, "", resp.Header, r.limits.RetryAfter, time.Now())
	outcome = r.outcomeOfStatus(resp.StatusCode, "")
	return resp, attempt, nil
}

// otherNextTime lets the next request begin with the other version of secrets that have two,
// if the authentication refused the one it had.
func (r *run) otherNextTime(err error) {
	if names := r.doubled(); len(names) > 0 && r.credentialsRefused(err) {
		r.versions.note(r.plan, r.plan.sibling.version, names)
	}
}

// lentVersion notes what an answer says of the version of the secrets.
func (r *run) lentVersion(resp *http.Response) {
	switch {
	case r.plan.refuses(r.headOf(resp.StatusCode, resp.Header)):
		r.otherNextTime(failure(Unauthorized, ""))
	case success2xx.has(resp.StatusCode):
		r.took()
	}
}

// wireOf reads a request of an SDK as a rendered one.
func (r *run) wireOf(req *http.Request) error {
	u, err := egress.ParseURL(req.URL.String())
	if err != nil {
		return failure(Forbidden, err.Error())
	}
	if !slices.Contains(r.plan.tpl.Methods, orDefault(req.Method, http.MethodGet)) {
		return failure(Forbidden, "the verb must be one of the template's: "+joinWords(r.plan.tpl.Methods))
	}
	r.wire = &render.Request{Method: req.Method, URL: u, Header: req.Header.Clone()}
	if r.wire.Header == nil {
		r.wire.Header = http.Header{}
	}
	return nil
}

// lentError says why there is no answer, without another library's text.
func (r *run) lentError(ctx context.Context, kind transport.Kind) error {
	switch {
	case ctx.Err() != nil:
		return r.ended(ctx)
	case kind == transport.Unreachable, kind == transport.TLS:
		e := failure(Unreachable, "the host cannot be reached")
		e.Retryable = true
		return e
	case kind == transport.Refused:
		return failure(Forbidden, "the request is not allowed out")
	default:
		return failure(BadAnswer, "no answer could be read")
	}
}

// lentBody is the body of an answer that an SDK reads. Its end, or that of the call's time, is
// that of the attempt; when it is closed, so is the call.
type lentBody struct {
	io.ReadCloser
	attempt *lentAttempt
	most    int64
	read    atomic.Int64
	over    sync.Once       // the attempt
	told    context.Context // of who is told of the call
	end     func()          // ends the call
}

func (r *run) lentBody(told context.Context, body io.ReadCloser, attempt *lentAttempt, end func()) *lentBody {
	return &lentBody{ReadCloser: body, attempt: attempt, most: r.req.policy.Limits.DecodedBytes, told: told, end: end}
}

var errLentTooLarge = errors.New("hub: RoundTrip: the body of the answer is too large")

// Read reads on, within the limit.
func (b *lentBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case b.read.Add(int64(n)) > b.most:
		b.ended(transport.ErrTooLarge)
		return n, errLentTooLarge
	case err == io.EOF:
		b.ended(nil)
	case err != nil:
		b.ended(err)
	}
	return n, err
}

// Close ends the call. Whoever reads may have had enough, but not of an answer whose time is over.
func (b *lentBody) Close() error {
	defer b.end()
	if b.attempt.ctx.Err() != nil {
		b.ended(io.ErrUnexpectedEOF)
	}
	b.ended(nil)
	return b.ReadCloser.Close()
}

// abandoned is called when the call's time is over.
func (b *lentBody) abandoned() {
	b.ended(io.ErrUnexpectedEOF)
	b.end()
}

// ended tells how the attempt went, and the call with it.
func (b *lentBody) ended(err error) {
	b.over.Do(func() {
		l := b.attempt
		l.run.client.End(l.ctx, &l.attempt, b.read.Load(), err)
		l.ended()
		_ = l.run.report(b.told, &Result{Status: l.attempt.Status}, verdict(&l.attempt)) // nobody is there to return it to
	})
}
