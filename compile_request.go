package hub

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/integrationhub/hub/internal/path"
	"github.com/integrationhub/hub/internal/payload"
	"github.com/integrationhub/hub/internal/render"
	"github.com/integrationhub/hub/internal/schema"
	"github.com/integrationhub/hub/internal/transport"
	"github.com/integrationhub/hub/internal/xmlpath"
)

// requestPlan is a request compiled.
type requestPlan struct {
	portion
	def         Request
	path        string        // of the definition: requests[2], auth.request
	headers     []render.Pair // of the request, its connector and its template
	headerPaths []string      // where each of them is defined
	program     *render.Program
	schema      *schema.Schema // nil: any payload
	outputs     []outputPlan
	paths       path.Set       // of outputs: those that can be followed together
	xpaths      xmlpath.Set    // of outputs and responses
	contract    *schema.Schema // of all outputs; nil: none
	success     statusSet
	responses   []responsePlan
	policy      transport.Policy
	files       []string // that a call hands over
	timeout     time.Duration
	rates       rates
	auth        bool // of the authentication itself: it carries no token
	nothing     bool // there is nothing to send
	problems    []FieldError
}

// Counts of lists in a request.
const (
	maxOutputs = 100
	maxForm    = 100
)

func (k *compiler) requests() {
	active, inactive := 0, 0
	ids := map[string]bool{}
	for i := range k.con.Requests {
		r := &k.con.Requests[i]
		plan := k.request(at("requests", i), r)
		if k.plan.request(r.Name) != nil {
			k.add(in(plan.path, "name"), "duplicate", "is the name of another request of the connector")
			k.list = append(k.list, plan.problems...) // no name leads to it
		} else {
			k.plan.requests = append(k.plan.requests, plan)
		}
		if ids[r.ID] {
			k.add(in(plan.path, "id"), "duplicate", "is the id of another request of the connector")
		}
		ids[r.ID] = true
		if r.State == StateInactive {
			inactive++
		} else {
			active++
		}
	}
	limits := &k.core.limits
	if active > limits.ActiveRequests {
		k.add("requests", "too-many-active", "at most %d requests can be active: deactivate one, or swap two", limits.ActiveRequests)
	}
	if inactive > limits.InactiveRequests {
		k.add("requests", "too-many-inactive", "at most %d requests can be inactive: delete one, or swap two", limits.InactiveRequests)
	}
}

// request compiles one request of the connector.
func (k *compiler) request(at string, r *Request) *requestPlan {
	var p problems
	plan := &requestPlan{def: *r, path: at}
	p.id(in(at, "id"), r.ID)
	p.name(in(at, "name"), r.Name)
	p.text(in(at, "description"), r.Description, maxText)
	among(&p, in(at, "trigger"), r.Trigger, TriggerManual, TriggerStudio)
	among(&p, in(at, "state"), r.State, StateActive, StateInactive)
	k.payloadRules(&p, plan)
	k.sendRules(&p, plan)
	k.answerRules(&p, plan)
	p.pagination(plan)
	k.files(&p, plan)
	if r.PayloadMode == PayloadDynamic {
		k.dynamicDefaults(&p, plan)
	} else {
		k.fixedCall(&p, plan)
	}
	plan.problems = p.list
	if r.State == StateInactive {
		plan.problems = settled(p.list)
	}
	return plan
}

// settled leaves out what an inactive request may wait with: an upgrade of the template
// deactivates requests whose verb or host it no longer allows, and loses none.
func settled(list []FieldError) []FieldError {
	return slices.DeleteFunc(list, func(f FieldError) bool { return f.Rule == "host" || f.Rule == "method" })
}

// payloadRules checks what a request says of its payload.
func (k *compiler) payloadRules(p *problems, plan *requestPlan) {
	r, at := &plan.def, plan.path
	if r.Trigger != TriggerStudio {
		if r.PayloadMode != "" {
			p.add(in(at, "payloadMode"), "trigger", "only a Studio request has a payload")
		}
		if len(r.PayloadSchema) > 0 {
			p.add(in(at, "payloadSchema"), "trigger", "only a Studio request has a payload")
		}
		if len(r.Sample) > 0 {
			p.add(in(at, "sample"), "trigger", "only a Studio request has a payload")
		}
		return
	}
	if r.PayloadMode == "" {
		p.add(in(at, "payloadMode"), "required", `must be "mapped" (the payload fills {{path}}) or "dynamic" (the payload describes the call)`)
	} else {
		among(p, in(at, "payloadMode"), r.PayloadMode, PayloadMapped, PayloadDynamic)
	}
	plan.schema = k.schema(p, in(at, "payloadSchema"), r.PayloadSchema)
	if len(r.Sample) > 0 {
		for _, f := range k.core.checkPayload(plan, &payload.Document{}, r.Sample) {
			p.add(in(at, "sample")+strings.TrimPrefix(f.Path, "payload"), f.Rule, "%s", f.Message)
		}
	}
}

func (k *compiler) schema(p *problems, at string, source json.RawMessage) *schema.Schema {
	if len(source) == 0 {
		return nil
	}
	limits := schema.Limits{
		Bytes: k.core.limits.SchemaBytes, Depth: k.core.limits.SchemaDepth, Payload: k.core.payloadLimits(),
	}
	compiled, err := k.core.shares.schema(source, limits)
	if err != nil {
		f := schemaField(at, err)
		p.add(f.Path, f.Rule, "%s", f.Message)
		return nil
	}
	return compiled
}

// sendRules checks timeout and retries.
func (k *compiler) sendRules(p *problems, plan *requestPlan) {
	r, at := &plan.def, plan.path
	if k.con.Timeout > 0 || r.Timeout < 0 { // otherwise it is the connector's that is wrong
		p.within(in(at, "timeout"), r.Timeout, 0, max(k.con.Timeout, 0), "milliseconds, the connector's timeout")
	}
	plan.timeout = duration(k.con.Timeout)
	if r.Timeout > 0 {
		plan.timeout = min(plan.timeout, duration(r.Timeout))
	}
	r.RateLimit.check(p, in(at, "rateLimit"))
	plan.rates = k.plan.rates.with(rateRequest+r.ID, r.RateLimit)
	plan.policy = k.policy()
	if r.Retry == nil {
		return
	}
	most := plan.policy.Attempts
	p.within(in(at, "retry.attempts"), r.Retry.Attempts, 0, most, "attempts")
	if r.Retry.Attempts > 0 {
		plan.policy.Attempts = min(most, r.Retry.Attempts)
	}
	plan.policy.Idempotent = r.Retry.Idempotent
	if len(r.Retry.Statuses) > 0 {
		plan.policy.Statuses = p.statuses(in(at, "retry.statuses"), r.Retry.Statuses).each()
	}
	if r.Retry.IdempotencyHeader != "" {
		p.headerName(in(at, "retry.idempotencyHeader"), r.Retry.IdempotencyHeader)
	}
}

// policy is how calls of the connector are sent, unless a request narrows it.
func (k *compiler) policy() transport.Policy {
	limits := &k.core.limits
	policy := transport.Policy{
		Attempts:      limits.Attempts,
		MaxRetryAfter: limits.RetryAfter,
		Budget:        k.core.budget,
		Limits: transport.Limits{
			HeaderBytes:  limits.HeaderBytes,
			WireBytes:    limits.WireBytes,
			DecodedBytes: limits.AnswerBytes,
			Ratio:        int64(limits.AnswerRatio),
		},
	}
	if n := k.tpl.Limits.Attempts; n > 0 {
		policy.Attempts = min(policy.Attempts, n)
	}
	if n := k.tpl.Limits.ResponseBytes; n > 0 {
		policy.Limits.DecodedBytes = min(policy.Limits.DecodedBytes, n)
	}
	return policy
}

// answerRules checks success and outputs.
func (k *compiler) answerRules(p *problems, plan *requestPlan) {
	r, at := &plan.def, plan.path
	p.responses(plan)
	plan.success = p.success(at, r.Success)
	p.outputs(plan)
	plan.contract = k.schema(p, in(at, "outputSchema"), r.OutputSchema)
	p.standIn(plan, k.con.Auth.Kind)
}

// fixedCall compiles a call that is configured whole.
func (k *compiler) fixedCall(p *problems, plan *requestPlan) {
	r, at := &plan.def, plan.path
	if r.Method == "" {
		p.add(in(at, "method"), "required", "must be one of %s", joinWords(k.tpl.Methods))
	}
	k.listRules(p, at, r)
	if r.URL == "" {
		p.add(in(at, "url"), "required", "must not be empty")
	}
	d := render.Definition{
		Method: r.Method, URL: r.URL, Query: pairs(r.Query),
		MediaType: r.MediaType, Body: r.Body, Form: fields(r.Form), BodyFile: r.BodyFile,
	}
	k.requestHeaders(p, plan)
	d.Headers = plan.headers
	incomplete := d.URL == "" || d.Method == ""
	if incomplete { // the rest is judged all the same
		d.URL, d.Method = orDefault(d.URL, "https://example.com"), orDefault(d.Method, http.MethodPost)
	}
	plan.program = k.program(p, at, d, plan.headerPaths, k.scope(r.PayloadMode == PayloadMapped, true))
	if incomplete {
		plan.program = nil
	}
	if plan.program == nil {
		return
	}
	k.origins(p, in(at, "url"), plan.program)
	k.places(p, plan)
}

// listRules checks what fixed and dynamic requests share.
func (k *compiler) listRules(p *problems, at string, r *Request) {
	if r.Method != "" && !slices.Contains(k.tpl.Methods, r.Method) {
		p.add(in(at, "method"), "method", "must be one of the template's verbs: %s", joinWords(k.tpl.Methods))
	}
	p.headers(in(at, "headers"), r.Headers)
	p.params(in(at, "query"), r.Query)
	p.form(in(at, "form"), r.Form)
	for i, h := range r.Headers {
		if k.plan.scheme.sets(h.Name) {
			p.add(in(headerAt(at, i), "name"), "auth", "is set by the connector's authentication")
		}
	}
}

// params checks the names of a list of query parameters; values are checked when compiled.
func (p *problems) params(path string, list []Param) {
	p.count(path, len(list), maxParams)
	for i, param := range list {
		p.given(in(at(path, i), "name"), param.Name)
	}
}

func (p *problems) form(path string, list []FormField) {
	p.count(path, len(list), maxForm)
	for i, f := range list {
		p.given(in(at(path, i), "name"), f.Name)
	}
}

func headerAt(path string, i int) string { return at(in(path, "headers"), i) }

// places holds the places where a request puts secrets against their declarations.
func (k *compiler) places(p *problems, plan *requestPlan) {
	for _, sink := range plan.program.Secrets() {
		places := k.con.secret(sink.Secret).Places
		if !allowsPlace(places, sink.Place, plan.auth) {
			p.add(plan.path, "secret-place", "secret %s may not stand at %s: its places do not list it", quote(sink.Secret), quote(string(sink.Place)))
		}
	}
}

func fields(list []FormField) []render.Field {
	out := make([]render.Field, len(list))
	for i, f := range list {
		out[i] = render.Field(f)
	}
	return out
}

// dynamicDefaults compiles what a dynamic request brings itself, for its problems: the
// payload completes it at each call.
func (k *compiler) dynamicDefaults(p *problems, plan *requestPlan) {
	r, at := &plan.def, plan.path
	k.listRules(p, at, r)
	if len(r.Form) > 0 {
		p.add(in(at, "form"), "payload-mode", "a dynamic request takes its form from the payload")
	}
	d := render.Definition{Method: r.Method, URL: r.URL, Query: pairs(r.Query), MediaType: r.MediaType, Body: r.Body}
	k.requestHeaders(p, plan)
	d.Headers = plan.headers
	if d.Method == "" {
		d.Method = http.MethodPost
	}
	if d.URL == "" {
		d.URL = "https://named.by.the.payload.example"
	}
	plan.program = k.program(p, at, d, plan.headerPaths, k.scope(false, false))
	if plan.program == nil {
		return
	}
	if r.URL != "" {
		k.origins(p, in(at, "url"), plan.program)
	}
	k.places(p, plan)
}
