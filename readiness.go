package hub

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/render"
)

// Readiness says what a connector lacks before it can run.
type Readiness struct {
	// Ready tells that nothing is missing.
	Ready bool `json:"ready"`
	// Missing lists what is, field by field.
	Missing []FieldError `json:"missing"`
	// Warnings list what is unfortunate, but keeps nothing from running.
	Warnings []FieldError `json:"warnings,omitempty"`
}

// Readiness reports what a connector lacks before all its active requests can run: values of
// required fields, headers and secrets, and secrets that must be set again because a host
// was added since. It reads the store, and calls nobody.
func (t *Tenant) Readiness(ctx context.Context, connector string) (_ Readiness, err error) {
	defer finish(&err, "Readiness", connector, "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Readiness{}, err
	}
	defer leave()
	plan, err := t.plan(ctx, connector)
	if err != nil {
		return Readiness{}, err
	}
	var r Readiness
	r.Missing = append(r.Missing, plan.missing(nil)...)
	for _, req := range plan.requests {
		if req.def.State != StateInactive {
			r.Missing = append(r.Missing, plan.requestMissing(req)...)
			r.Missing = append(r.Missing, plan.unbound(req)...)
		}
	}
	for _, endpoint := range plan.endpoints() {
		r.Missing = append(r.Missing, plan.unbound(endpoint)...)
	}
	r.Warnings = plan.warnings(t.opts.now())
	r.Missing = distinct(r.Missing)
	r.Ready = len(r.Missing) == 0
	return r, nil
}

// plan reads and compiles a connector as it is stored now.
func (t *Tenant) plan(ctx context.Context, connector string) (*connectorPlan, error) {
	rec, err := t.connectorByID(ctx, connector)
	if errors.Is(err, NotFound) {
		rec, err = t.findRecord(ctx, t.name, kindConnector, connector, "connector "+quote(connector))
	}
	if err != nil {
		return nil, err
	}
	limit, err := t.restriction(ctx, templateOf(rec))
	if err != nil {
		return nil, err
	}
	return t.loadWhole(ctx, rec, limit)
}

// missing lists what keeps a request from running: what its connector lacks, and what it
// lacks itself. Without a request it is the connector's alone.
func (p *connectorPlan) missing(req *requestPlan) []FieldError {
	list := append([]FieldError(nil), p.problems...)
	list = append(list, p.missingFields()...)
	list = append(list, p.missingHeaders()...)
	list = append(list, p.def.Auth.undefined()...)
	list = append(list, p.missingForAuth()...)
	if req != nil && !req.auth {
		list = append(list, p.requestMissing(req)...)
	}
	return list
}

// missingFields lists the template's required fields that have no value.
func (p *connectorPlan) missingFields() []FieldError {
	var list []FieldError
	for i := range p.tpl.Fields {
		f := &p.tpl.Fields[i]
		if !f.Required || !f.visible(p.variable) {
			continue
		}
		if f.Secret && p.secrets.get(f.Key) == nil {
			list = append(list, unsetSecret(f.Key))
		}
		if value, _ := p.variable(f.Key); !f.Secret && value == "" {
			list = append(list, FieldError{Path: "variables." + f.Key, Rule: "required", Message: "the template's field has no value yet"})
		}
	}
	return list
}

// missingHeaders lists the template's required headers that have no value.
func (p *connectorPlan) missingHeaders() []FieldError {
	var list []FieldError
	for _, h := range p.tpl.Headers {
		if !h.Required || h.Default != "" {
			continue
		}
		path, given := "headers", p.def.Headers
		if h.On == OnAuth {
			path, given = p.def.Auth.headers()
		}
		if !hasHeader(given, h.Name) {
			list = append(list, FieldError{Path: path, Rule: "required", Message: "the template's header " + quote(h.Name) + " has no value yet"})
		}
	}
	return list
}

// requestMissing lists what a request lacks itself.
func (p *connectorPlan) requestMissing(req *requestPlan) []FieldError {
	list := loadable(req.problems)
	if req.program == nil {
		return list
	}
	for _, sink := range append(req.program.Secrets(), p.schemeSinks(req)...) {
		s := p.secrets.get(sink.Secret)
		switch {
		case s == nil:
			list = append(list, unsetSecret(sink.Secret))
		case s.err != nil:
			e := asError(s.err)
			list = append(list, FieldError{Path: "secrets." + sink.Secret, Rule: string(e.Code), Message: e.Detail()})
		}
	}
	return distinct(list)
}

func unsetSecret(name string) FieldError {
	return FieldError{Path: "secrets." + name, Rule: "required", Message: "the secret has no value yet: set it"}
}

// unbound lists the hosts of a request that were taken away since, and its secrets that are
// not bound to where it goes, or to where they stand in it.
func (p *connectorPlan) unbound(req *requestPlan) []FieldError {
	if req.program == nil || req.def.PayloadMode == PayloadDynamic && req.def.URL == "" {
		return nil // only the payload knows where it goes
	}
	var list []FieldError
	for _, origin := range req.program.Origins(p.variable) {
		u, err := egress.ParseURL(origin)
		if err != nil {
			continue
		}
		if !p.hosts.AllowsURL(u) && req.def.State != StateInactive {
			list = append(list, FieldError{Path: in(req.path, "url"), Rule: "host",
				Message: "goes to " + quote(egress.RuleFor(u).String()) + ", which the template does not allow any more"})
		}
		list = append(list, p.unboundTo(req, u)...)
	}
	return list
}

// unboundTo is unbound for one of the request's origins.
func (p *connectorPlan) unboundTo(req *requestPlan, u *url.URL) (list []FieldError) {
	note := func(secret, rule, message string) {
		list = append(list, FieldError{Path: "secrets." + secret, Rule: rule, Message: message})
	}
	host := egress.RuleFor(u).String()
	check := func(sinks []render.Sink, auth bool) {
		for _, sink := range sinks {
			s := p.secrets.get(sink.Secret)
			if s == nil || s.err != nil {
				continue
			}
			if !s.allows(u) {
				note(sink.Secret, "secret-binding", s.unbound(sink.Secret, u))
			}
			if !s.stands(sink.Place, auth) {
				note(sink.Secret, "secret-place", misplacedText(sink))
			}
		}
	}
	check(req.program.Secrets(), req.auth)
	check(p.schemeSinks(req), true)
	if key := p.certificateKey(); key != "" && !p.secrets.get(key).allows(u) {
		note(key, "secret-binding", p.secrets.get(key).unbound(key, u))
	}
	if p.auth == nil || p.auth.program == nil || req.auth {
		return list
	}
	for _, name := range p.fetchers() {
		if s := p.secrets.get(name); s.err == nil && !s.reach.AllowsURL(u) {
			note(name, "secret-binding", unboundText(name, host))
		}
	}
	return list
}

// warnings list what a person should look at.
func (p *connectorPlan) warnings(now time.Time) []FieldError {
	var list []FieldError
	for _, s := range p.secrets {
		if s.err == nil && s.value.Len() < minScrub {
			list = append(list, FieldError{Path: "secrets." + s.name, Rule: "short",
				Message: fmt.Sprintf("is shorter than %d bytes: in answers it is masked only where it is a whole value", minScrub)})
		}
	}
	list = append(list, p.def.Auth.warnings()...)
	if p.def.TLS == nil {
		return list
	}
	list = append(list, expiring("tls.certificate", "a client certificate", p.def.TLS.Certificate, now)...)
	return append(list, expiring("tls.ca", "a certificate of the private authority", p.def.TLS.CA, now)...)
}

// expiryNotice is how long before its end Readiness tells of a certificate.
const expiryNotice = 30 * 24 * time.Hour

// expiring lists the certificates of a PEM text that end soon, or have ended.
func expiring(path, what, text string, now time.Time) []FieldError {
	var list []FieldError
	chain, _ := certificates(text) // checked when it was saved
	for _, cert := range chain {
		if cert.NotAfter.Sub(now) < expiryNotice {
			list = append(list, FieldError{Path: path, Rule: "expiry",
				Message: what + " expires at " + cert.NotAfter.UTC().Format(time.RFC3339)})
		}
	}
	return list
}

func hasHeader(list []Header, name string) bool {
	for _, h := range list {
		if strings.EqualFold(h.Name, name) {
			return true
		}
	}
	return false
}

func distinct(list []FieldError) []FieldError {
	seen := map[FieldError]bool{}
	out := []FieldError{}
	for _, f := range list {
		if !seen[f] {
			seen[f] = true
			out = append(out, f)
		}
	}
	return out
}
