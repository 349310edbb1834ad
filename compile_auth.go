package hub

import (
	"net/http"
	"slices"

	"github.com/integrationhub/hub/internal/render"
)

// mediaForm is the media type of an authentication request that names none.
const mediaForm = "application/x-www-form-urlencoded"

// auth compiles the authentication.
func (k *compiler) auth() {
	a := &k.con.Auth
	if a.Kind != k.tpl.AuthType {
		k.add("auth.kind", "enum", "must be the template's authType, %q", k.tpl.AuthType)
		return
	}
	k.plan.scheme = k.scheme()
	if a.Request != nil && (a.Kind == AuthOAuth2 || a.Kind == AuthSession) {
		k.authRequest(a.Request)
	}
}

// authRequest compiles the authentication request that a connector describes itself.
func (k *compiler) authRequest(r *AuthRequest) {
	k.problems.headers("auth.request.headers", r.Headers)
	among(&k.problems, "auth.request.method", r.Method, verbs...)
	k.params("auth.request.query", r.Query)
	plan := k.extra("auth.request", "authentication")
	plan.auth = true
	k.plan.auth = plan
	if s := k.con.Auth.Session; s != nil && s.Success != nil {
		plan.success = k.problems.success("auth.session", s.Success)
	}
	d := render.Definition{
		Method: r.Method, URL: r.URL, Query: pairs(r.Query), MediaType: r.MediaType, Body: r.Body,
	}
	d.Headers, plan.headerPaths = k.mergeHeaders(OnAuth, r.Headers, "auth.request.headers")
	plan.program = k.program(&k.problems, plan.path, d, plan.headerPaths, k.scope(false, false))
	plan.policy.Limits.DecodedBytes = min(plan.policy.Limits.DecodedBytes, k.core.limits.TokenBytes)
	plan.policy.Limits.WireBytes = min(plan.policy.Limits.WireBytes, k.core.limits.TokenBytes)
	if plan.program == nil {
		return
	}
	k.origins(&k.problems, "auth.request.url", plan.program)
	k.places(&k.problems, plan)
}

// verify compiles the template's request that proves a credential. Its hosts are left to the
// guard: a connector need not name them to run.
func (k *compiler) verify() {
	v := k.tpl.Verify
	if v == nil {
		return
	}
	plan := k.extra("template.verify", "verify")
	var p problems
	if v.Success != nil {
		plan.success = p.statuses("template.verify.success.statuses", v.Success.Statuses)
	}
	d := v.definition()
	d.Headers, plan.headerPaths = k.mergeHeaders(OnRequest, v.Headers, "template.verify.headers")
	plan.program = k.program(&p, plan.path, d, plan.headerPaths, k.scope(false, true))
	plan.problems = p.list
	k.plan.verify = plan
}

// extra is the plan of a call that is not one of the connector's requests.
func (k *compiler) extra(path, name string) *requestPlan {
	return &requestPlan{
		def:     Request{Name: name, Trigger: TriggerManual, State: StateActive},
		path:    path,
		success: success2xx,
		policy:  k.policy(),
		timeout: duration(k.con.Timeout),
	}
}

func (v *Verify) definition() render.Definition {
	return render.Definition{
		Method: v.Method, URL: v.URL, Query: pairs(v.Query), MediaType: v.MediaType, Body: v.Body,
	}
}

// checkVerify compiles the request of a template for its problems: it can refer to the
// template's fields.
func (t *Template) checkVerify(p *problems, limits *Limits) {
	v := t.Verify
	if v == nil {
		return
	}
	p.headers("verify.headers", v.Headers)
	p.params("verify.query", v.Query)
	p.success("verify", v.Success)
	d := v.definition()
	if d.Method == "" {
		p.add("verify.method", "required", "must be one of %s", joinWords(verbs))
		d.Method = http.MethodPost
	}
	for _, h := range v.Headers {
		d.Headers = append(d.Headers, render.Pair(h))
	}
	_, found := render.Compile(d, t.scope(limits))
	for _, f := range found {
		p.add(in("verify", f.Path), f.Rule, "%s", f.Message)
	}
}

// scope is what a template itself can refer to: its fields.
func (t *Template) scope(limits *Limits) render.Scope {
	field := func(name string, secret bool) bool {
		return slices.ContainsFunc(t.Fields, func(f Field) bool { return f.Key == name && f.Secret == secret })
	}
	return render.Scope{
		Variable: func(name string) (string, bool) { return "x", field(name, false) },
		Secret:   func(name string) bool { return field(name, true) },
		Auth:     t.AuthType != AuthNone,
		MaxBytes: limits.RequestBytes,
	}
}

// checkDefaults compiles the defaults of a template's headers for their problems.
func (t *Template) checkDefaults(p *problems, limits *Limits) {
	for i, h := range t.Headers {
		d := render.Definition{Method: http.MethodGet, URL: "https://example.com", Headers: []render.Pair{{Name: "X-Default", Value: h.Default}}}
		_, found := render.Compile(d, t.scope(limits))
		for _, f := range found {
			p.add(in(at("headers", i), "default"), f.Rule, "%s", f.Message)
		}
	}
}
