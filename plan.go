package hub

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/integrationhub/hub/internal/render"
)

// CallPlan is the exact request that a call would send, and where every part of it comes
// from.
type CallPlan struct {
	Method string `json:"method"`
	// URL, Header and Body are as they would be sent, but that a secret is shown as its
	// name, [[name]], and what the authentication brings as [[@auth.access_token]].
	URL    string      `json:"url"`
	Header http.Header `json:"header"`
	Body   string      `json:"body,omitempty"`
	// Timeout and Attempts are the bounds in force.
	Timeout  time.Duration `json:"timeout"`
	Attempts int           `json:"attempts"`
	// Parts lists every part of the request with its sources.
	Parts []Part `json:"parts"`
	// Hosts are those the connector may call; Secrets those that the call would carry.
	Hosts   []string `json:"hosts"`
	Secrets []string `json:"secrets,omitempty"`
}

// Part is one part of a request: origin, path, query:NAME, header:NAME or body.
type Part struct {
	Place   string   `json:"place"`
	Value   string   `json:"value"` // secrets as [[name]]
	Sources []Source `json:"sources"`
}

// Source is where a part comes from.
type Source struct {
	// Kind is definition, variable, secret, payload, default, auth or file.
	Kind string `json:"kind"`
	// Name is the variable or secret, or the path into payload or answer. Of a
	// definition it is the path of the field, as far as it is known.
	Name string `json:"name,omitempty"`
}

// Plan returns what Execute would send, without taking a place among the calls and without
// touching a third party. It needs no secret to be set, and opens none. What a call takes
// from the authentication's answer is shown as its name until there is one.
func (t *Tenant) Plan(ctx context.Context, call Call) (_ *CallPlan, err error) {
	defer finish(&err, "Plan", call.Connector, call.Request)
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	r := &run{Tenant: t, op: "Plan", call: call, pick: named, sample: true}
	if err := r.find(ctx, t.opts.now()); err != nil {
		return nil, err
	}
	if err := r.validate(); err != nil {
		return nil, err
	}
	if len(r.plan.problems)+len(r.req.problems) > 0 {
		return nil, &Error{Code: NotReady, Fields: slices.Concat(r.plan.problems, r.req.problems)}
	}
	if g := r.grants.Held(r.plan.grantKey()); g != nil {
		r.grant = grantOf(g)
	}
	values := r.values()
	values.Mask, values.Trace = true, true
	if r.wire, err = r.expand(values); err != nil {
		return nil, err
	}
	r.req.complete(r.wire)
	if err := r.guard(); err != nil {
		return nil, err
	}
	if err := r.showAuth(); err != nil {
		return nil, err
	}
	return r.planned(), nil
}

// planned describes the rendered call.
func (r *run) planned() *CallPlan {
	p := &CallPlan{
		Method: r.wire.Method, URL: shownURL(r.wire.URL), Header: r.wire.Header.Clone(), Body: string(r.wire.Body),
		Timeout: r.req.timeout, Attempts: r.req.policy.Attempts, Hosts: r.plan.hosts.Strings(),
	}
	for _, part := range r.wire.Parts {
		p.Parts = append(p.Parts, r.part(part))
	}
	seen := map[string]bool{}
	for _, sink := range r.wire.Sinks {
		if !seen[sink.Secret] {
			seen[sink.Secret] = true
			p.Secrets = append(p.Secrets, sink.Secret)
		}
	}
	return p
}

// part describes one part of the rendered call.
func (r *run) part(p render.Part) Part {
	out := Part{Place: p.Place, Value: p.Value}
	if path := r.req.definedAt(p.Place); path != "" && r.req.def.PayloadMode != PayloadDynamic && !literal(p) {
		out.Sources = append(out.Sources, Source{"definition", path})
	}
	for _, s := range p.Sources {
		source := Source{Kind: s.Kind, Name: s.Name}
		if s.Kind == "definition" {
			source.Name = r.req.definedAt(p.Place)
		}
		out.Sources = append(out.Sources, source)
	}
	return out
}

// literal reports whether a part has text of the definition itself, beside its references.
func literal(p render.Part) bool {
	return slices.ContainsFunc(p.Sources, func(s render.Source) bool { return s.Kind == "definition" })
}

// definedAt returns the path of the field that defines a place, empty if the payload does.
func (p *requestPlan) definedAt(place string) string {
	kind, name, _ := strings.Cut(place, ":")
	switch kind {
	case "header":
		for i, h := range p.headers {
			if strings.EqualFold(h.Name, name) {
				return p.headerPaths[i]
			}
		}
		return ""
	case "query":
		for i, q := range p.def.Query {
			if q.Name == name {
				return at(in(p.path, "query"), i)
			}
		}
		return in(p.path, "url")
	case "origin", "path":
		return in(p.path, "url")
	default:
		return in(p.path, "body")
	}
}

// shownURL is the URL with masked secrets left readable.
func shownURL(u *url.URL) string {
	return strings.NewReplacer("%5B%5B", "[[", "%5D%5D", "]]").Replace(u.String())
}
