package hub

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/payload"
)

// Fallback is what stands in for an answer that does not come, so that a call flow which cannot
// wait goes on: OnSuccess, and marked as what it is ([Result].Substitute).
//
// It stands in for a call that timed out, could not reach its host, found no place, a circuit
// open or a rate used up, or was answered 5xx, by what is to be retried or by what cannot be
// used. It never does for a rule that the call breaks, for credentials that are refused, or for
// a caller that gave up. Execute and the actions for Studio alone have it: nothing stands in for
// what is written by ExecuteTo, for a page of a list, or in a batch.
type Fallback struct {
	// StaleFor is how many seconds the last successful answer to the same call may stand in,
	// at most 604800, a week: of this definition, with the same secrets, rendered to the
	// same bytes. Answers are kept in memory (Limits.StaleBytes), those of GET, HEAD and
	// OPTIONS alone, and of calls that are declared Retry.Idempotent and carry no
	// Retry.IdempotencyHeader. A request that takes files has none, and none has a
	// connector that a person consents to (AuthAuthorizationCode, AuthDeviceCode): it may be
	// another person's. Zero: none does.
	StaleFor int `json:"staleFor,omitempty"`
	// Outputs stand in where no answer does: a JSON object that meets the types of the
	// request's outputs and OutputSchema.
	Outputs json.RawMessage `json:"outputs,omitempty"`
}

// Substitute tells what stands in for an answer.
type Substitute string

// The substitutes.
const (
	// SubstituteStale: an earlier answer to the same call; Result.Age tells how old it is.
	SubstituteStale Substitute = "stale"
	// SubstituteOutputs: Fallback.Outputs. They are the Body too; there is no Status.
	SubstituteOutputs Substitute = "outputs"
)

// maxStaleFor bounds Fallback.StaleFor.
const maxStaleFor = 7 * 24 * 60 * 60

// standIn checks the fallback of a request.
func (p *problems) standIn(plan *requestPlan, kind AuthKind) {
	f, at := plan.def.Fallback, in(plan.path, "fallback")
	if f == nil {
		return
	}
	p.within(in(at, "staleFor"), f.StaleFor, 0, maxStaleFor, "seconds")
	if f.StaleFor == 0 && len(f.Outputs) == 0 {
		p.add(at, "required", "must have staleFor or outputs: nothing could stand in")
	}
	if f.StaleFor > 0 {
		p.staleFor(in(at, "staleFor"), plan, kind)
	}
	p.fallbackOutputs(in(at, "outputs"), plan)
}

// staleFor checks that an earlier answer would be one to the same call.
func (p *problems) staleFor(at string, plan *requestPlan, kind AuthKind) {
	switch method := plan.def.Method; {
	case kind == AuthAuthorizationCode || kind == AuthDeviceCode:
		p.add(at, "consent", "an earlier answer may be another person's: a connector that a person consents to has none")
	case len(plan.def.files()) > 0:
		p.add(at, "files", "an earlier answer may be that to other files: a request that takes files has none")
	case method == "" || safe(method):
	case plan.idempotencyHeader() != "":
		p.add(at, "idempotency-key", "an earlier answer is that to another key: what carries one (retry.idempotencyHeader) has none")
	case !plan.mayRepeatAnswer(method):
		p.add(at, "unsafe", "an earlier answer would hide that %s did nothing: only a GET, HEAD or OPTIONS has one, or what is declared idempotent (retry)", method)
	}
}

func (p *problems) fallbackOutputs(at string, plan *requestPlan) {
	source := plan.def.Fallback.Outputs
	if len(source) == 0 {
		return
	}
	object := gjson.ParseBytes(source)
	if payload.Check(source, definitionLimits) != nil || !object.IsObject() {
		p.add(at, "json", "must be a JSON object")
		return
	}
	for _, o := range plan.outputs {
		if v := object.Get(gjson.Escape(o.name)); v.Exists() && v.Type != gjson.Null {
			if _, ok := o.Type.of(v, nil); !ok {
				p.add(in(at, o.name), "default-type", "must be of the output's type, or null")
			}
		}
	}
	if plan.contract != nil {
		for _, f := range schemaFields(at, plan.contract.Validate(source)) {
			p.add(f.Path, f.Rule, "%s", f.Message)
		}
	}
}

// mayRepeatAnswer reports whether an earlier answer to a call by this method tells what another
// call would.
func (p *requestPlan) mayRepeatAnswer(method string) bool {
	return safe(method) || p.def.Retry != nil && p.def.Retry.Idempotent && p.def.Retry.IdempotencyHeader == ""
}

// substitute is the step that lets something stand in for the answer of a call that failed, and
// keeps the answer of one that did not.
func (r *run) substitute(res *Result, err error) (*Result, error) {
	if r.req == nil || r.req.def.Fallback == nil || !r.substitutes {
		return res, err
	}
	if err == nil {
		r.keep(res)
		return res, nil
	}
	cause := asError(subject(err, r.op, r.call.Connector, r.call.Request))
	if !cause.passes() || r.wire == nil && r.validate() != nil { // it did not get so far
		return res, err
	}
	if stale := r.stale(); stale != nil {
		return r.marked(stale, SubstituteStale, cause), nil
	}
	if outputs := r.req.def.Fallback.Outputs; len(outputs) > 0 {
		out := &Result{Header: http.Header{}, Body: bytes.Clone(outputs), json: true}
		out.Outputs, _ = decodeAny(outputs).(map[string]any)
		return r.marked(out, SubstituteOutputs, cause), nil
	}
	return res, err
}

func (r *run) marked(res *Result, s Substitute, cause *Error) *Result {
	cause.Attempts, cause.Sent = max(cause.Attempts, len(r.attempts)), cause.Sent || r.sent()
	res.Branch, res.Substitute, res.Cause, res.Attempts = OnSuccess, s, cause, slices.Clone(r.attempts)
	return res
}

// passes reports whether a failure speaks of the moment, and not of the call.
func (e *Error) passes() bool {
	switch e.Code {
	case Timeout, Unreachable, Busy, CircuitOpen, RateLimited, BadAnswer:
		return true
	case Rejected:
		return e.Retryable || e.Status >= http.StatusInternalServerError
	}
	return false
}

// keep remembers a successful answer, to stand in for a later one.
func (r *run) keep(res *Result) {
	if key, ok := r.staleKey(); ok && res.Branch == OnSuccess && !r.ruled().says(VerdictIgnore) {
		r.answers.put(key, &staleAnswer{
			owner: gateKey{r.name, r.plan.def.ID}, at: r.opts.now(), life: r.staleFor(),
			status: res.Status, header: res.Header.Clone(), body: bytes.Clone(res.Body),
		})
	}
}

// stale is the last successful answer to the same call, nil if there is none that is young
// enough.
func (r *run) stale() *Result {
	if r.wire == nil && r.write() != nil {
		return nil
	}
	key, ok := r.staleKey()
	if !ok {
		return nil
	}
	kept := r.answers.get(key, r.opts.now())
	if kept == nil {
		return nil
	}
	res := &Result{Status: kept.status, Header: kept.header.Clone(), Body: bytes.Clone(kept.body), Age: kept.age(r.opts.now())}
	res.json, res.deep = readable(res.Body, r.limits.AnswerDepth)
	var broken []FieldError
	if res.Outputs, broken = r.req.take(r.readResult(res)); len(broken) > 0 {
		return nil
	}
	return res
}

func (r *run) staleFor() time.Duration {
	return time.Duration(r.req.def.Fallback.StaleFor) * time.Second
}
