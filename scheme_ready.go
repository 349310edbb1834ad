package hub

import (
	"net/http"

	"github.com/integrationhub/hub/internal/render"
)

// endpoints lists the calls of the authentication itself.
func (p *connectorPlan) endpoints() []*requestPlan {
	var list []*requestPlan
	if p.auth != nil {
		list = append(list, p.auth)
	}
	if s := p.scheme; s != nil {
		for _, call := range []*requestPlan{s.discovery, s.device} {
			if call != nil {
				list = append(list, call)
			}
		}
	}
	return list
}

// schemeSinks lists the secrets that the authentication adds to a call, and where.
func (p *connectorPlan) schemeSinks(req *requestPlan) []render.Sink {
	s := p.scheme
	if s == nil || req == s.discovery {
		return nil
	}
	credentials := s.credentials
	if req.auth {
		credentials = s.fetching
	}
	var list []render.Sink
	for _, c := range credentials {
		list = append(list, c.sinks()...)
	}
	return list
}

// missingForAuth lists what the authentication lacks before it can run.
func (p *connectorPlan) missingForAuth() []FieldError {
	var list []FieldError
	for _, call := range p.endpoints() {
		list = append(list, p.requestMissing(call)...)
	}
	if p.auth == nil && p.scheme != nil { // each call carries the credential itself
		for _, sink := range p.schemeSinks(&requestPlan{}) {
			if p.secrets.get(sink.Secret) == nil {
				list = append(list, unsetSecret(sink.Secret))
			}
		}
	}
	if o := p.def.Auth.OAuth; o != nil && o.ClientAuth == ClientTLS && (p.def.TLS == nil || p.def.TLS.Certificate == "") {
		list = append(list, FieldError{Path: "tls.certificate", Rule: "required", Message: "the client authenticates by its certificate, and has none yet"})
	}
	return distinct(list)
}

// headers returns where the headers of the authentication are defined, and which are.
func (a *Auth) headers() (string, []Header) {
	switch {
	case a.OAuth != nil:
		return "auth.oauth.headers", a.OAuth.Headers
	case a.Request != nil:
		return "auth.request.headers", a.Request.Headers
	default:
		return "auth.request.headers", nil
	}
}

// warnings list what is unfortunate about an authentication.
func (a *Auth) warnings() []FieldError {
	var list []FieldError
	if a.Kind == AuthPassword {
		list = append(list, FieldError{Path: "auth.kind", Rule: "discouraged",
			Message: "the password grant must not be used any more (RFC 9700 section 2.4): use another kind where the application offers one"})
	}
	if a.APIKey != nil && a.APIKey.In == InQuery {
		list = append(list, FieldError{Path: "auth.apiKey.in", Rule: "discouraged",
			Message: "a key in the query ends up in logs of servers and proxies: use a header where the application offers one"})
	}
	return list
}

// showAuth adds to a plan what the authentication puts on a call.
func (r *run) showAuth() error {
	s := r.plan.scheme
	if s == nil || s.attach == nil {
		return nil
	}
	before, query := r.wire.Header.Clone(), r.wire.URL.RawQuery
	p := &purse{plan: r.plan, mask: true}
	if _, err := s.attach(r, p); err != nil {
		return err
	}
	r.wire.Sinks = append(r.wire.Sinks, p.sinks...)
	for _, name := range sortedKeys(r.wire.Header) {
		if value := r.wire.Header.Get(name); value != before.Get(name) {
			r.wire.Parts = append(r.wire.Parts, r.authPart("header:"+http.CanonicalHeaderKey(name), value, p))
		}
	}
	if r.wire.URL.RawQuery != query {
		r.wire.Parts = append(r.wire.Parts, r.authPart("query:"+r.carrierName(), shownURL(r.wire.URL), p))
	}
	return nil
}

// authPart says that a part comes from the authentication: from the secrets it took, or its
// last answer.
func (r *run) authPart(place, value string, p *purse) render.Part {
	part := render.Part{Place: place, Value: value}
	for _, sink := range p.sinks {
		if string(sink.Place) == place {
			part.Sources = append(part.Sources, render.Source{Kind: "secret", Name: sink.Secret})
		}
	}
	if len(part.Sources) == 0 {
		part.Sources = []render.Source{{Kind: "auth", Name: r.answerName()}}
	}
	return part
}

// answerName is what a token is called in the authentication's answer.
func (r *run) answerName() string {
	if s := r.plan.def.Auth.Session; s != nil {
		return s.Path + s.AnswerHeader + s.AnswerCookie
	}
	if r.plan.auth == nil {
		return ""
	}
	return "access_token"
}

// carrierName is the query parameter that the authentication sets.
func (r *run) carrierName() string {
	a := &r.plan.def.Auth
	switch {
	case a.APIKey != nil:
		return a.APIKey.Name
	case a.Session != nil:
		return a.Session.Name
	case a.HMAC != nil && len(a.HMAC.Query) > 0:
		return a.HMAC.Query[0].Name
	default:
		return ""
	}
}
