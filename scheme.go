package hub

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/integrationhub/hub/internal/render"
	"github.com/integrationhub/hub/internal/scrub"
)

// scheme is a connector's kind of authentication, compiled: what it does to calls and, if it
// fetches tokens, to the authentication request. It does not change.
type scheme struct {
	credentials []*credential // for calls
	fetching    []*credential // for the authentication request
	headers     []string      // of calls that it sets, canonical

	// attach puts the credential or the token on a call, and returns what signs each
	// attempt; nil: nothing does.
	attach func(*run, *purse) (signer, error)
	// compose completes the authentication request; nil: it is complete.
	compose func(context.Context, *run, *purse) error
	// read reads the token from the authentication's answer.
	read func(*run, *Result) (*obtained, error)
	// endpoints are further calls that the kind can make.
	discovery, device *requestPlan
	// Of an authorization request: the client's id, and the values of AuthorizationParams.
	clientID      *credential
	authorization []*credential
}

// signer signs one attempt, as it is about to be sent.
type signer func(ctx context.Context, attempt int, r *http.Request) error

// credential compiles one of the credentials for calls.
func (s *scheme) credential(k *compiler, path, source string, place render.Place) *credential {
	c := k.credential(path, source, place)
	if c != nil {
		s.credentials = append(s.credentials, c)
	}
	return c
}

// fetcher compiles one of the credentials for the authentication request.
func (s *scheme) fetcher(k *compiler, path, source string, place render.Place) *credential {
	c := k.credential(path, source, place)
	if c != nil {
		s.fetching = append(s.fetching, c)
	}
	return c
}

// sets reports whether the authentication sets a header of calls.
func (s *scheme) sets(header string) bool {
	return s != nil && slices.Contains(s.headers, http.CanonicalHeaderKey(header))
}

// scheme compiles the kind of authentication.
func (k *compiler) scheme() *scheme {
	a := &k.con.Auth
	a.checkMembers(&k.problems)
	if len(a.undefined()) > 0 {
		return nil
	}
	switch {
	case a.Kind == AuthOAuth2:
		return bearerScheme(readOAuth)
	case a.Kind == AuthAPIKey:
		return k.apiKey(a.APIKey)
	case a.Kind == AuthBasic:
		return k.basic(a.Basic)
	case a.Kind == AuthBearer:
		return k.bearer(a.Bearer)
	case a.Kind == AuthSession:
		return k.session(a.Session)
	case a.Kind == AuthHMAC:
		return k.hmac(a.HMAC)
	case a.Kind == AuthAWS:
		return k.aws(a.AWS)
	case a.Kind.grants():
		return k.oauth(a.OAuth)
	default:
		return nil
	}
}

// bearerScheme sends the token that a request fetched.
func bearerScheme(read func(*run, *Result) (*obtained, error)) *scheme {
	return &scheme{
		headers: []string{"Authorization"},
		read:    read,
		attach: func(r *run, p *purse) (signer, error) {
			r.bearer(p)
			return nil, nil
		},
	}
}

func (k *compiler) apiKey(a *APIKey) *scheme {
	k.carrier("auth.apiKey", a.In, a.Name)
	s := &scheme{}
	if a.In == InHeader {
		s.headers = []string{http.CanonicalHeaderKey(a.Name)}
	}
	value := s.credential(k, "auth.apiKey.value", a.Value, placeOf(a.In, a.Name))
	s.attach = func(r *run, p *purse) (signer, error) {
		text := p.header(value)
		if p.err != nil {
			return nil, p.err
		}
		return nil, carry(r.wire, a.In, a.Name, text)
	}
	return s
}

const atAuthorization render.Place = "header:Authorization"

func (k *compiler) basic(b *Basic) *scheme {
	s := &scheme{headers: []string{"Authorization"}}
	username := s.credential(k, "auth.basic.username", b.Username, atAuthorization)
	password := s.credential(k, "auth.basic.password", b.Password, atAuthorization)
	s.attach = func(r *run, p *purse) (signer, error) {
		pair, err := basicPair(p, username, password)
		if err != nil {
			return nil, err
		}
		if !p.mask {
			pair = base64.StdEncoding.EncodeToString([]byte(pair))
		}
		r.wire.Set("Authorization", "Basic "+pair)
		return nil, nil
	}
	return s
}

// basicPair is user name and password as RFC 7617 section 2 joins them.
func basicPair(p *purse, username, password *credential) (string, error) {
	user, pass := p.header(username), p.header(password)
	if p.err != nil {
		return "", p.err
	}
	if strings.Contains(user, ":") {
		return "", invalid(username.path, "colon", "a user name cannot hold a colon (RFC 7617)")
	}
	return user + ":" + pass, nil
}

func (k *compiler) bearer(b *Bearer) *scheme {
	s := &scheme{headers: []string{"Authorization"}}
	token := s.credential(k, "auth.bearer.token", b.Token, atAuthorization)
	s.attach = func(r *run, p *purse) (signer, error) {
		r.wire.Set("Authorization", "Bearer "+p.header(token))
		return nil, p.err
	}
	return s
}

// attach is the part of authorizing that puts the credential or token on the call. Secrets go
// where they are bound to, and nowhere else.
func (r *run) attach() error {
	s := r.plan.scheme
	if s == nil || s.attach == nil {
		return nil
	}
	r.purse = purse{plan: r.plan}
	p := &r.purse
	if len(s.credentials) > 0 {
		p.scratch = r.scratch()
	}
	sign, err := s.attach(r, p)
	if p.scratch != nil {
		r.scratches.Put(p.scratch)
		p.scratch = nil
	}
	if err != nil {
		return err
	}
	for _, sink := range p.sinks {
		if err := r.plan.mayCarry(sink, r.wire.URL, true); err != nil {
			return err
		}
	}
	r.sign = sign
	return nil
}

// bearer puts the token on the call, in the text that all calls share.
func (r *run) bearer(p *purse) {
	if p.mask {
		r.wire.Header.Set("Authorization", "Bearer "+r.token(p))
		return
	}
	r.wire.Header["Authorization"] = r.grant.bearer
}

// token is the one that calls carry; in a plan it is a reference.
func (r *run) token(p *purse) string {
	if p.mask {
		return "[[@auth." + r.answerName() + "]]"
	}
	return r.grant.Access
}

// nothing is the authentication of a kind that fetches nothing.
func (p *connectorPlan) nothing() *requestPlan {
	return &requestPlan{
		def: Request{Name: "authentication", Trigger: TriggerManual, State: StateActive}, path: "auth",
		timeout: duration(p.def.Timeout), auth: true, nothing: true,
	}
}

// composed lists texts that hold a secret and are sent as one: whoever echoes user name and
// password in base64 shows nothing of them, not even the letters at their edges.
func (p *connectorPlan) composed() []scrub.Secret {
	b := p.def.Auth.Basic
	if p.scheme == nil || b == nil || len(p.scheme.credentials) != 2 {
		return nil
	}
	purse := &purse{plan: p}
	pair, err := basicPair(purse, p.scheme.credentials[0], p.scheme.credentials[1])
	if err != nil || len(purse.sinks) == 0 {
		return nil // it is not sent
	}
	return []scrub.Secret{{Name: "auth.basic", Value: base64.StdEncoding.EncodeToString([]byte(pair))}}
}
