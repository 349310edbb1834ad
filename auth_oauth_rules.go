package hub

import (
	"net/url"
	"slices"

	"github.com/integrationhub/hub/internal/oauth"
)

// clientAuths lists the ways to authenticate a client.
var clientAuths = []ClientAuth{ClientNone, ClientBasic, ClientPost, ClientPrivateKeyJWT, ClientTLS}

// reserved are parameters that the hub sets itself.
var reserved = []string{
	"grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type", "code", "code_verifier",
	"code_challenge", "code_challenge_method", "redirect_uri", "refresh_token", "scope", "state", "device_code",
	"response_type", "assertion", "subject_token", "actor_token", "username", "password", "dpop_jkt",
}

func (o *OAuth) check(p *problems, path string, kind AuthKind) {
	among(p, in(path, "clientAuth"), o.ClientAuth, clientAuths...)
	o.checkEndpoints(p, path, kind)
	o.checkUnused(p, path, kind)
	if !oauth.IsScope(o.Scope) {
		p.add(in(path, "scope"), "scope", "must be words of printable ASCII without quotes, separated by spaces (RFC 6749)")
	}
	p.headers(in(path, "headers"), o.Headers)
	o.checkLists(p, path)
	if o.ClientKey != nil {
		o.ClientKey.check(p, in(path, "clientKey"))
	}
	if a := o.Assertion; a != nil {
		a.Key.check(p, in(path, "assertion.key"))
		p.within(in(path, "assertion.life"), a.Life, 1, 3600, "seconds")
		p.count(in(path, "assertion.claims"), len(a.Claims), maxParams)
		for _, name := range sortedKeys(a.Claims) {
			if slices.Contains([]string{"iss", "sub", "aud", "exp", "iat", "nbf", "jti"}, name) {
				p.add(in(path, "assertion.claims."+name), "reserved", "is set by the other fields of the assertion")
			}
		}
	}
	if e := o.Exchange; e != nil && (e.ActorToken == "") != (e.ActorTokenType == "") {
		p.add(in(path, "exchange.actorTokenType"), "required", "actorToken and actorTokenType go together")
	}
	p.within(in(path, "grace"), o.Grace, 0, 24*3600, "seconds")
}

// checkEndpoints notes endpoints that are missing or cannot be read. Those that the hub calls
// are compiled and held against the hosts later.
func (o *OAuth) checkEndpoints(p *problems, path string, kind AuthKind) {
	need := func(name, value string) {
		if value == "" && o.Issuer == "" {
			p.add(in(path, name), "required", "must not be empty, or else issuer names the server to discover it from")
		}
	}
	need("tokenUrl", o.TokenURL)
	p.browserURL(in(path, "issuer"), o.Issuer)
	switch kind {
	case AuthAuthorizationCode:
		need("authorizationUrl", o.AuthorizationURL)
		p.browserURL(in(path, "authorizationUrl"), o.AuthorizationURL)
		p.browserURL(in(path, "redirectUrl"), o.RedirectURL)
		if o.RedirectURL == "" {
			p.add(in(path, "redirectUrl"), "required", "must not be empty: the page that the server sends the browser back to")
		}
	case AuthDeviceCode:
		need("deviceUrl", o.DeviceURL)
	}
}

// browserURL checks an absolute URL that holds no references.
func (p *problems) browserURL(path, text string) {
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		p.add(path, "url", "must be an absolute http or https URL without user and fragment")
	}
	p.line(path, text, maxText)
}

// checkUnused notes fields that the kind does not use: what has no effect misleads.
func (o *OAuth) checkUnused(p *problems, path string, kind AuthKind) {
	code, secret := kind == AuthAuthorizationCode, o.ClientAuth == ClientBasic || o.ClientAuth == ClientPost
	for _, f := range []struct {
		name       string
		given, use bool
	}{
		{"authorizationUrl", o.AuthorizationURL != "", code},
		{"redirectUrl", o.RedirectURL != "", code},
		{"authorizationParams", len(o.AuthorizationParams) > 0, code},
		{"deviceUrl", o.DeviceURL != "", kind == AuthDeviceCode},
		{"refreshToken", o.RefreshToken != "", kind == AuthRefreshToken},
		{"username", o.Username != "", kind == AuthPassword},
		{"password", o.Password != "", kind == AuthPassword},
		{"assertion", o.Assertion != nil, kind == AuthJWTBearer},
		{"exchange", o.Exchange != nil, kind == AuthTokenExchange},
		{"clientSecret", o.ClientSecret != "", secret},
		{"clientKey", o.ClientKey != nil, o.ClientAuth == ClientPrivateKeyJWT},
		{"clientAudience", o.ClientAudience != "", o.ClientAuth == ClientPrivateKeyJWT},
	} {
		if f.given && !f.use {
			p.add(in(path, f.name), "auth", "has no effect with this authType and clientAuth")
		}
	}
}

func (o *OAuth) checkLists(p *problems, path string) {
	p.count(in(path, "audience"), len(o.Audience), maxParams)
	p.count(in(path, "resource"), len(o.Resource), maxParams)
	for _, list := range []struct {
		name   string
		params []Param
	}{{"authorizationParams", o.AuthorizationParams}, {"tokenParams", o.TokenParams}} {
		p.count(in(path, list.name), len(list.params), maxParams)
		for i, param := range list.params {
			at := in(at(in(path, list.name), i), "name")
			p.name(at, param.Name)
			if slices.Contains(reserved, param.Name) {
				p.add(at, "reserved", "is set by the authentication itself")
			}
		}
	}
}

func (k *SigningKey) check(p *problems, path string) {
	p.line(in(path, "id"), k.ID, maxName)
	if k.Algorithm != "" {
		among(p, in(path, "algorithm"), k.Algorithm, oauth.Algorithms...)
	}
}
