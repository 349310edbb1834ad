package hub

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"time"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/oauth"
	"github.com/integrationhub/hub/internal/render"
)

// oauthScheme is an OAuth 2.0 grant, compiled.
type oauthScheme struct {
	kind AuthKind
	def  *OAuth

	clientID, clientSecret, clientKey  *credential
	refreshToken                       *credential
	username, password                 *credential
	assertionKey, issuer, subject      *credential
	subjectToken, actorToken           *credential
	params                             []*credential // :: position in TokenParams
	claims                             map[string]*credential
	clientAudience, assertionRecipient string // empty: issuer or token endpoint
}

// oauth compiles a grant, and the calls to the server's endpoints.
func (k *compiler) oauth(o *OAuth) *scheme {
	const path = "auth.oauth"
	kind := k.con.Auth.Kind
	before := len(k.list)
	o.check(&k.problems, path, kind)
	s := &scheme{headers: []string{"Authorization"}}
	c := &oauthScheme{kind: kind, def: o, clientAudience: o.ClientAudience}
	if o.DPoP {
		s.headers = append(s.headers, "Dpop")
	}
	c.client(k, s, path)
	c.grant(k, s, path)
	for i, param := range o.AuthorizationParams {
		at := in(at(in(path, "authorizationParams"), i), "value")
		s.authorization = append(s.authorization, s.fetcher(k, at, param.Value, render.Place("query:"+param.Name)))
	}
	s.clientID = c.clientID
	k.plan.auth = k.endpoint(in(path, "tokenUrl"), o.TokenURL, "POST", "authentication")
	if kind == AuthDeviceCode {
		s.device = k.endpoint(in(path, "deviceUrl"), o.DeviceURL, "POST", "device authorization")
	}
	if o.Issuer != "" {
		s.discovery = k.endpoint(in(path, "issuer"), o.Issuer, "GET", "discovery")
	}
	if len(loadable(k.list[before:])) > 0 {
		return s
	}
	s.compose, s.attach, s.read = c.compose, c.attach, c.read
	return s
}

// client compiles the credentials of the client.
func (c *oauthScheme) client(k *compiler, s *scheme, path string) {
	o := c.def
	at := render.Place("form:client_id")
	if o.ClientAuth == ClientBasic {
		at = atAuthorization
	}
	if o.ClientID != "" {
		c.clientID = s.fetcher(k, in(path, "clientId"), o.ClientID, at)
	}
	switch o.ClientAuth {
	case ClientBasic:
		c.clientSecret = s.fetcher(k, in(path, "clientSecret"), o.ClientSecret, atAuthorization)
	case ClientPost:
		c.clientSecret = s.fetcher(k, in(path, "clientSecret"), o.ClientSecret, "form:client_secret")
	case ClientPrivateKeyJWT:
		c.clientKey = s.fetcher(k, in(path, "clientKey.key"), o.ClientKey.Key, signs)
	}
}

// grant compiles the credentials of the grant.
func (c *oauthScheme) grant(k *compiler, s *scheme, path string) {
	o := c.def
	for i, param := range o.TokenParams {
		c.params = append(c.params, s.fetcher(k, in(at(in(path, "tokenParams"), i), "value"), param.Value, render.Place("form:"+param.Name)))
	}
	switch c.kind {
	case AuthRefreshToken:
		c.refreshToken = s.fetcher(k, in(path, "refreshToken"), o.RefreshToken, "form:refresh_token")
	case AuthPassword:
		c.username = s.fetcher(k, in(path, "username"), o.Username, "form:username")
		c.password = s.fetcher(k, in(path, "password"), o.Password, "form:password")
	case AuthTokenExchange:
		c.subjectToken = s.fetcher(k, in(path, "exchange.subjectToken"), o.Exchange.SubjectToken, "form:subject_token")
		if o.Exchange.ActorToken != "" {
			c.actorToken = s.fetcher(k, in(path, "exchange.actorToken"), o.Exchange.ActorToken, "form:actor_token")
		}
	case AuthJWTBearer:
		a, at := o.Assertion, in(path, "assertion")
		c.assertionKey = s.fetcher(k, in(at, "key.key"), a.Key.Key, signs)
		c.issuer = s.fetcher(k, in(at, "issuer"), a.Issuer, "form:assertion")
		c.subject = s.fetcher(k, in(at, "subject"), a.Subject, "form:assertion")
		c.assertionRecipient = a.Audience
		c.claims = map[string]*credential{}
		for _, name := range sortedKeys(a.Claims) {
			c.claims[name] = s.fetcher(k, in(at, "claims."+shorten(name)), a.Claims[name], "form:assertion")
		}
	}
}

// endpoint compiles a call to an endpoint of the server. Without a URL it is discovered when
// the call is made, and the issuer's stands in.
func (k *compiler) endpoint(path, target, method, name string) *requestPlan {
	o := k.con.Auth.OAuth
	plan := k.extra(path, name)
	plan.auth = true
	plan.policy.Limits.DecodedBytes = min(plan.policy.Limits.DecodedBytes, k.core.limits.TokenBytes)
	plan.policy.Limits.WireBytes = min(plan.policy.Limits.WireBytes, k.core.limits.TokenBytes)
	d := render.Definition{Method: method, URL: orDefault(target, o.Issuer)}
	if d.URL == "" { // noted as missing
		return plan
	}
	if method == "POST" {
		d.Headers, plan.headerPaths = k.mergeHeaders(OnAuth, o.Headers, "auth.oauth.headers")
	}
	program, found := render.Compile(d, k.scope(false, false))
	for _, f := range found {
		at := path
		if f.Path != "url" {
			at = definitionPath(path, f.Path, plan.headerPaths)
		}
		k.add(at, f.Rule, "%s", f.Message)
	}
	if len(found) > 0 {
		return plan
	}
	plan.program = program
	k.origins(&k.problems, path, program)
	k.places(&k.problems, plan)
	return plan
}

// discovers reports whether an endpoint is left to discovery.
func (p *requestPlan) discovers(o *OAuth) bool {
	switch p.path {
	case "auth.oauth.tokenUrl":
		return o.TokenURL == ""
	case "auth.oauth.deviceUrl":
		return o.DeviceURL == ""
	default:
		return false
	}
}

// compose makes the token request, or the device authorization request, of what the run
// brings: a code, a device code, the last grant.
func (c *oauthScheme) compose(ctx context.Context, r *run, p *purse) error {
	if err := r.discovered(ctx, c.def); err != nil {
		return err
	}
	var form url.Values
	var err error
	if r.req == r.plan.scheme.device {
		form = oauth.Form("", c.def.Scope, c.def.Audience, c.def.Resource)
		form.Del("grant_type")
	} else if form, err = c.form(r, p); err != nil {
		return err
	}
	for i, param := range c.def.TokenParams {
		form.Add(param.Name, p.take(c.params[i]))
	}
	client, err := c.newClient(r, p)
	if err != nil {
		return err
	}
	authorization, err := client.Authenticate(form, rand.Text(), r.opts.now())
	if err != nil || p.err != nil {
		return orError(p.err, caused(Unauthorized, "the client's assertion cannot be signed", err))
	}
	if authorization != "" {
		_, pair, _ := strings.Cut(authorization, " ")
		r.sends("auth.oauth.client", pair)
		r.wire.Header.Set("Authorization", authorization)
	}
	r.wire.Header.Set("Content-Type", mediaForm)
	r.wire.Header.Set("Accept", "application/json")
	r.wire.Body = []byte(form.Encode())
	return c.prove(r)
}

// orError returns the first error that there is.
func orError(err error, otherwise *Error) error {
	if err != nil {
		return err
	}
	return otherwise
}

func (c *oauthScheme) newClient(r *run, p *purse) (*oauth.Client, error) {
	client := &oauth.Client{
		Method: oauth.Method(c.def.ClientAuth), ID: p.take(c.clientID), Secret: p.take(c.clientSecret),
		Audience: orDefault(c.clientAudience, orDefault(c.def.Issuer, r.wire.URL.String())),
	}
	if c.clientKey == nil {
		return client, p.err
	}
	var err error
	client.Key, err = parseKey(p, c.clientKey, c.def.ClientKey)
	return client, err
}

// parseKey reads a signing key. What the parser says may show the key: it is not told.
func parseKey(p *purse, c *credential, def *SigningKey) (*oauth.Key, error) {
	text := p.take(c)
	if p.err != nil {
		return nil, p.err
	}
	key, err := oauth.ParseKey(text, def.Algorithm, def.ID)
	if err != nil {
		return nil, invalid(c.path, "key", err.Error())
	}
	return key, nil
}

// form makes the form of a token request: with a refresh token, if the last grant has one.
func (c *oauthScheme) form(r *run, p *purse) (url.Values, error) {
	start := func(grant string) url.Values {
		return oauth.Form(grant, c.def.Scope, c.def.Audience, c.def.Resource)
	}
	switch {
	case r.code != nil:
		return r.code.form(), nil
	case c.renews(r, p):
		form := oauth.Form(oauth.RefreshToken, c.def.Scope, nil, c.def.Resource)
		form.Set("refresh_token", r.prev.Refresh)
		return form, nil
	}
	switch c.kind {
	case AuthClientCredentials:
		return start(oauth.ClientCredentials), nil
	case AuthRefreshToken:
		form := oauth.Form(oauth.RefreshToken, c.def.Scope, nil, c.def.Resource)
		form.Set("refresh_token", p.take(c.refreshToken))
		return form, nil
	case AuthPassword:
		form := start(oauth.Password)
		form.Set("username", p.take(c.username))
		form.Set("password", p.take(c.password))
		return form, nil
	case AuthTokenExchange:
		return c.exchange(start(oauth.TokenExchange), p), nil
	case AuthJWTBearer:
		form := start(oauth.JWTBearer)
		assertion, err := c.assertion(r, p)
		form.Set("assertion", assertion)
		return form, err
	default:
		e := failure(Unauthorized, "nobody has consented yet, or the consent has ended: authorize the connector")
		e.refusal = consentRequired
		return nil, e
	}
}

// renews reports whether the request uses the refresh token of the last grant: it goes only
// where that grant may go, and not if its owner has brought another one since.
func (c *oauthScheme) renews(r *run, p *purse) bool {
	if r.prev == nil || r.prev.Refresh == "" || !r.prev.allows(r.wire.URL) {
		r.prev = nil
		return false
	}
	if c.refreshToken != nil && r.prev.Extra[extraSeed] != c.seed(&purse{plan: r.plan}) {
		r.prev = nil
		return false
	}
	return true
}

// extraSeed names the fingerprint of the refresh token that a grant descends from.
const extraSeed = "seed"

func (c *oauthScheme) seed(p *purse) string { return fingerprint(p.take(c.refreshToken)) }

// consentRequired is the refusal of a grant that only a person can give.
const consentRequired = "consent_required"

func (c *oauthScheme) exchange(form url.Values, p *purse) url.Values {
	e := c.def.Exchange
	form.Set("subject_token", p.take(c.subjectToken))
	form.Set("subject_token_type", e.SubjectTokenType)
	if c.actorToken != nil {
		form.Set("actor_token", p.take(c.actorToken))
		form.Set("actor_token_type", e.ActorTokenType)
	}
	if e.RequestedTokenType != "" {
		form.Set("requested_token_type", e.RequestedTokenType)
	}
	return form
}

// assertion signs the token of an AuthJWTBearer.
func (c *oauthScheme) assertion(r *run, p *purse) (string, error) {
	now, def := r.opts.now(), c.def.Assertion
	claims := map[string]any{
		"iss": p.take(c.issuer), "sub": p.take(c.subject), "jti": rand.Text(),
		"aud": orDefault(c.assertionRecipient, orDefault(c.def.Issuer, r.wire.URL.String())),
		"iat": now.Unix(), "exp": now.Add(time.Duration(def.Life) * time.Second).Unix(),
	}
	for name, claim := range c.claims {
		claims[name] = p.take(claim)
	}
	key, err := parseKey(p, c.assertionKey, &def.Key)
	if err != nil {
		return "", err
	}
	text, err := key.Sign(nil, claims)
	if err != nil {
		return "", failure(Unauthorized, "the assertion cannot be signed")
	}
	return text, nil
}

// tokenType is what the answer must say.
func (c *oauthScheme) tokenType() string {
	if c.def.DPoP {
		return "DPoP"
	}
	return "Bearer"
}

// read reads the token, and keeps what its renewal needs.
func (c *oauthScheme) read(r *run, res *Result) (*obtained, error) {
	o, err := readToken(r, res, c.tokenType())
	if err != nil {
		return nil, err
	}
	if o.refresh == "" && r.prev != nil && r.code == nil { // RFC 6749 section 6: the old one stays good
		o.refresh = r.prev.Refresh
	}
	o.extra = map[string]string{}
	if c.def.DPoP {
		o.extra[extraProof] = r.proof
	}
	if c.refreshToken != nil {
		o.extra[extraSeed] = c.seed(&purse{plan: r.plan})
	}
	return o, nil
}

// attach sends the token, with a proof of possession if it is bound to a key.
func (c *oauthScheme) attach(r *run, p *purse) (signer, error) {
	if !c.def.DPoP {
		r.bearer(p)
		return nil, nil
	}
	r.wire.Header.Set("Authorization", "DPoP "+r.token(p))
	if p.mask {
		return nil, nil
	}
	return r.prover(r.grant.Extra[extraProof], r.grant.Access)
}

// discovered puts the endpoint that the server's metadata names in place of the issuer.
func (r *run) discovered(ctx context.Context, o *OAuth) error {
	if !r.req.discovers(o) {
		return nil
	}
	m, err := r.metadata(ctx)
	if err != nil {
		return err
	}
	if tls := r.plan.def.TLS; tls != nil && tls.Certificate != "" {
		m = m.ForTLS()
	}
	endpoint := m.TokenEndpoint
	if r.req == r.plan.scheme.device {
		endpoint = m.DeviceEndpoint
	}
	u, err := egress.ParseURL(endpoint)
	if err != nil {
		return failure(Unauthorized, "the server's metadata does not name the endpoint that is needed")
	}
	r.wire.URL = u
	return nil
}
