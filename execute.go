package hub

import (
	"context"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/payload"
	"github.com/integrationhub/hub/internal/render"
	"github.com/integrationhub/hub/internal/scrub"
	"github.com/integrationhub/hub/internal/transport"
)

// Call names a request to run, and carries what a Studio script hands over.
type Call struct {
	// Connector is the connector's name (or, if there is none of that name, its id);
	// Request is the request's name. Both are case-sensitive.
	Connector string
	Request   string
	// Payload is one JSON text, for Studio requests only. The hub neither keeps nor
	// changes it.
	Payload json.RawMessage
	// Files are what a request sends beside the payload, by the names that its FormField.File
	// and Request.BodyFile use; none are missing, and none are left over.
	Files map[string]File
	// IdempotencyKey is what the header named by Retry.IdempotencyHeader carries, at most
	// 255 printable ASCII characters without spaces. Whoever may make the same call again,
	// after a crash say, gives it the same key. Empty: one is made for each call. Of a walk
	// over pages the first carries it, the second KEY-2, and so on.
	IdempotencyKey string
	// BeforeSend, if set, is called once when all is ready, before the first byte of the
	// call is sent, and within its deadline. Its error ends the call unsent. Queues write
	// down here that the third party may hear of the call from now on.
	BeforeSend func(context.Context, Sending) error
	// NoSubstitute keeps Request.Fallback from standing in for the answer: for whoever can
	// make the call again later.
	NoSubstitute bool
}

// Branch is the way a Studio action goes on.
type Branch string

// The branches.
const (
	OnSuccess Branch = "OnSuccess" // an answer that counts as success
	OnError   Branch = "OnError"   // anything else that went wrong
	OnTimeout Branch = "OnTimeout" // no answer within the time allowed
)

// Result is the answer to a call. It belongs to the caller.
type Result struct {
	Branch Branch
	// Status, Header and Body are the third party's, the body decompressed, and a text in
	// UTF-8 whatever its charset was. Known secrets in them are masked as [secret].
	Status int
	Header http.Header
	Body   []byte
	// Outputs are the request's outputs by name: string, bool, json.Number, nil,
	// []any or map[string]any. Empty unless Branch is OnSuccess.
	Outputs map[string]any
	// Written is how many bytes of the body ExecuteTo has written.
	Written int64
	// Substitute tells what stands in for the answer, by Request.Fallback: Cause, an *Error,
	// says why. Status, Header, Body and Outputs are the substitute's, and Age how old it
	// is, if it is stale. Empty: the answer is the call's own.
	Substitute Substitute
	Age        time.Duration
	Cause      error
	// Attempts are the requests sent for the call, in order, the authentication's apart.
	Attempts []Attempt
	// Duration is how long the call took, waiting included.
	Duration time.Duration

	json bool // Body is JSON that gjson may read
	deep bool // Body is nested too deep to be read
}

// Get returns a value of a JSON body by its gjson path; one that does not exist if the body
// is not JSON.
func (r *Result) Get(path string) gjson.Result {
	if r == nil || !r.json {
		return gjson.Result{}
	}
	return gjson.GetBytes(r.Body, path)
}

// Execute runs a request of a connector.
//
// It returns a Result whenever an answer came, and an error whenever the branch is not
// OnSuccess; the error is an *[Error]. ctx bounds the call beside the connector's timeout:
// its deadline that passes is a Timeout, its cancellation a Canceled.
func (t *Tenant) Execute(ctx context.Context, call Call) (_ *Result, err error) {
	defer finish(&err, "Execute", call.Connector, call.Request)
	return t.run(ctx, &run{Tenant: t, op: "Execute", call: call, pick: named, substitutes: !call.NoSubstitute})
}

// run is one call on its way; each step leaves there what the next one needs.
type run struct {
	*Tenant
	op     string
	call   Call
	pick   func(*run, *connectorPlan) (*requestPlan, error) // nil: req is what it is
	paging *paging                                          // over the pages of a list; nil: this is one call
	stream *stream                                          // where the body of a success goes; nil: into the result

	sample      bool        // the request's Sample stands in for a payload that is not given
	substitutes bool        // Request.Fallback may stand in
	shows       bool        // the tokens stay in what is returned: Options.ScriptTokens
	script      bool        // authenticates for a script, which may ask again and again
	announced   bool        // BeforeSend knows
	replayed    bool        // with another token
	switched    bool        // to the other version of its secrets
	over        bool        // its place is given back: now is its end
	spent       atomic.Bool // a file that can be read once has been

	begun    time.Time
	now      time.Time         // when the clock was last read: whoever waits reads it anew
	found    time.Time         // when its definition was looked at; zero: by the call that set it off
	index    *payload.Document // the payload, read; nil: there is none
	plan     *connectorPlan
	req      *requestPlan
	wire     *render.Request
	grant    *grant
	purse    purse           // of the credentials that it carries
	sign     signer          // signs each attempt; nil: nothing does
	prev     *grant          // the last one, when another is fetched; nil: there is none
	code     *exchangeCode   // what a person's consent yielded; nil: nobody consented just now
	proof    string          // the key that the token will be bound to
	tokens   *scrub.Scrubber // finds the tokens of an authentication's answer
	own      *ownSecrets     // nil: it has none
	taken    SecretVersion   // the version that was taken; empty: the call's secrets have but one
	outcome  transport.Outcome
	read     reading          // of the answer that was read last
	final    transport.Answer // what is returned, as its outputs are read
	attempts []Attempt
	answered *answered // whose attempts they are; nil: nobody's, or its Result is made
	traced   traced
	lasting  context.Context // of the call without its end, for those who are told of it; nil: nobody was

	idempotencyKey string
	rendered       *staleKey // digest of the call, if Request.Fallback asks for one

	drawn   render.Room    // the first request that is rendered
	sending transport.Room // the first attempt

	stay    stay   // among the calls that Close waits for, and cancels
	ticket  ticket // its place among the calls
	passage passage
}

// run takes a call down the road.
func (t *Tenant) run(ctx context.Context, r *run) (res *Result, err error) {
	if err := t.arrive(&r.stay); err != nil {
		return nil, err
	}
	defer t.life.leave(&r.stay)
	r.begun = t.opts.now()
	ctx = r.trace(ctx)
	defer func() { err = r.report(ctx, res, err) }()
	defer r.forget()
	defer func() { res, err = r.substitute(ended(res, err)) }()

	if err := r.find(ctx, r.begun); err != nil {
		return nil, err
	}
	admitted, err := r.admit(ctx)
	if err != nil {
		return nil, err
	}
	defer r.release()
	ctx = admitted
	if err := r.validate(); err != nil {
		return nil, err
	}
	if r.req.nothing {
		return &Result{Branch: OnSuccess, Header: http.Header{}}, nil
	}
	if r.req == r.plan.auth {
		return r.renewed(ctx)
	}
	for {
		err := r.once(ctx)
		if err == nil && r.tokenRefused() || r.otherVersion(err) {
			r.now = t.opts.now()
			continue
		}
		if err != nil {
			return r.last(), err
		}
		break
	}
	if r.outcome.Err == nil && !r.credentialsRefused(nil) {
		r.took()
	}
	res, err = r.judge()
	if r.paging != nil {
		err = r.paging.read(r, err)
	}
	r.scrub(res)
	if r.stream != nil {
		return res, r.deliver(res, err)
	}
	return res, r.mapOutputs(res, err)
}

// clock is what the clock said when it was last read.
func (r *run) clock() time.Time {
	if r.now.IsZero() {
		r.now = r.opts.now()
	}
	return r.now
}

// ended is how a call ended; with neither result nor error it did not, but something of the
// caller's panicked, which is not held up.
func ended(res *Result, err error) (*Result, error) {
	if res == nil && err == nil {
		err = failure(Aborted, "what the caller handed over panicked")
	}
	return res, err
}

// once sends the call. An error tells why it could not be.
func (r *run) once(ctx context.Context) error {
	if err := r.render(ctx); err != nil {
		return err
	}
	if err := r.guard(); err != nil {
		return err
	}
	if err := r.authorize(ctx); err != nil {
		return err
	}
	if err := r.announce(ctx); err != nil {
		return err
	}
	r.send(ctx)
	return nil
}

// last is the answer of a call that could not be sent again: the one before. It is nil if
// none came.
func (r *run) last() *Result {
	res := r.result()
	r.scrub(res)
	return res
}

// find is the step that looks up the compiled plan.
func (r *run) find(ctx context.Context, now time.Time) (err error) {
	r.plan, r.found, err = r.Tenant.find(ctx, r.call.Connector, now)
	if r.now = r.found; err != nil {
		return err
	}
	r.plan = r.versions.preferred(r.plan)
	r.req, err = r.pick(r, r.plan)
	return err
}

// named picks the request that the call names.
func named(r *run, p *connectorPlan) (*requestPlan, error) {
	if req := p.request(r.call.Request); req != nil {
		return req, nil
	}
	return nil, failure(NotFound, "there is no request "+quote(r.call.Request)+" in the connector")
}

// validate is the step that checks the payload before anything reads it.
func (r *run) validate() error {
	if r.paging != nil {
		if err := r.paging.enter(r); err != nil {
			return err
		}
	}
	if err := r.checkFiles(); err != nil {
		return err
	}
	if r.sample && len(r.call.Payload) == 0 {
		r.call.Payload = r.req.def.Sample
	}
	if r.req.def.Trigger != TriggerStudio {
		if len(r.call.Payload) > 0 {
			return invalid("payload", "trigger", "a manual request takes no payload")
		}
		return nil
	}
	r.index, _ = r.documents.Get().(*payload.Document)
	if r.index == nil {
		r.index = new(payload.Document)
	}
	if broken := r.checkPayload(r.req, r.index, r.call.Payload); len(broken) > 0 {
		return &Error{Code: Invalid, Fields: broken}
	}
	return nil
}

// forget lets another call read its payload into the memory of this one's.
func (r *run) forget() {
	if r.index != nil {
		r.index.Reset()
		r.documents.Put(r.index)
		r.index = nil
	}
}

// scrub is the step that masks known secrets in what came back.
func (r *run) scrub(res *Result) {
	if res == nil {
		return
	}
	res.Header = r.scrubbers().Header(res.Header)
	res.Body = r.masked(res.Body, res.json || res.deep)
}

// masked is a body without known secrets. What is too deep to be read is still written as JSON is.
func (r *run) masked(body []byte, json bool) []byte {
	if json {
		return r.scrubbers().JSON(body)
	}
	return r.scrubbers().Bytes(body)
}

// readable reports whether a body is JSON that a parser may see, or too deep for one: deep
// nesting kills a recursive parser.
func readable(body []byte, depth int) (ok, deep bool) {
	if payload.Valid(body, depth) {
		return true, false
	}
	trimmed := trimSpace(body)
	deep = len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') && payload.CheckDepth(body, depth) != nil
	return false, deep
}
