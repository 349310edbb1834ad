package hub

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	"github.com/integrationhub/hub/internal/oauth"
)

// Lives of what waits for a person.
const (
	consentLife = 15 * time.Minute // from AuthorizeURL to CompleteAuthorization
	maxWaiting  = 20               // of one connector; beyond it the oldest is dropped
)

// AuthorizeURL returns where to send a person's browser so that they consent to what an
// AuthAuthorizationCode connector may do in their name. The server sends the browser back to
// the connector's RedirectURL, whose page calls [Tenant.CompleteAuthorization].
//
// userAgent is a value that only this browser will bring again, such as the id of its
// session with the host application, of at least 16 bytes: it keeps others from slipping in
// a consent of their own. The URL is good for 15 minutes, and once.
func (t *Tenant) AuthorizeURL(ctx context.Context, connector, userAgent string) (_ string, err error) {
	defer finish(&err, "AuthorizeURL", connector, "")
	ctx, r, leave, err := t.consent(ctx, connector, "AuthorizeURL", AuthAuthorizationCode)
	if err != nil {
		return "", err
	}
	defer leave()
	if err := checkUserAgent(userAgent); err != nil {
		return "", err
	}
	w := waiting{
		ID: rand.Text(), Until: t.opts.now().UTC().Add(consentLife), AuthKey: r.plan.authKey,
		UserAgent: fingerprint(userAgent), Verifier: oauth.Verifier(), Redirect: r.plan.def.Auth.OAuth.RedirectURL,
	}
	target, err := r.authorizationURL(ctx, &w)
	if err != nil {
		return "", err
	}
	return target, t.wait(ctx, r.plan.def.ID, w)
}

// minUserAgent keeps host applications from binding to what everybody has.
const minUserAgent = 16

func checkUserAgent(userAgent string) error {
	if len(userAgent) < minUserAgent {
		return invalid("userAgent", "too-short", "must be a value that only this browser has, of at least 16 bytes")
	}
	return nil
}

// fingerprint stands for a text that is compared and not kept.
func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// consent begins a method about a person's consent, for the connectors of one kind.
func (t *Tenant) consent(ctx context.Context, connector, op string, kind AuthKind) (_ context.Context, _ *run, leave func(), err error) {
	ctx, leave, err = t.enter(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	r := &run{Tenant: t, op: op, call: Call{Connector: connector}, pick: authRequest, begun: t.opts.now()}
	switch err = r.find(ctx, r.begun); {
	case err != nil:
	case r.plan.def.Auth.Kind != kind:
		err = failure(Invalid, "the connector authenticates by "+quote(string(r.plan.def.Auth.Kind))+", not "+quote(string(kind)))
	case r.plan.def.Paused:
		err = failure(Inactive, "the connector is paused")
	default:
		if missing := r.plan.missing(r.req); len(missing) > 0 {
			err = &Error{Code: NotReady, Fields: missing}
		}
	}
	if err != nil {
		leave()
		return nil, nil, nil, err
	}
	return ctx, r, leave, nil
}

// authorizationURL is the authorization request (RFC 6749 section 4.1.1).
func (r *run) authorizationURL(ctx context.Context, w *waiting) (string, error) {
	o := r.plan.def.Auth.OAuth
	target := o.AuthorizationURL
	if target == "" {
		m, err := r.metadata(ctx)
		if err != nil {
			return "", err
		}
		target, w.SaysIssuer = m.AuthorizationEndpoint, m.SaysIssuer
	}
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !r.opts.Egress.AllowHTTP) {
		return "", failure(Unauthorized, "the authorization endpoint is not an https URL")
	}
	p := &purse{plan: r.plan}
	params := url.Values{
		"response_type": {"code"}, "redirect_uri": {w.Redirect}, "state": {r.plan.def.ID + "." + w.ID},
		"code_challenge": {oauth.Challenge(w.Verifier)}, "code_challenge_method": {"S256"},
		"client_id": {p.take(r.plan.scheme.clientID)},
	}
	if o.Scope != "" {
		params.Set("scope", o.Scope)
	}
	for _, resource := range o.Resource {
		params.Add("resource", resource)
	}
	for i, param := range o.AuthorizationParams {
		params.Add(param.Name, p.take(r.plan.scheme.authorization[i]))
	}
	if o.DPoP {
		prover, err := newProof(w)
		if err != nil {
			return "", err
		}
		params.Set("dpop_jkt", prover.Thumbprint()) // RFC 9449 section 10
	}
	if p.err == nil && len(p.sinks) > 0 {
		return "", failure(Forbidden, "secret "+quote(p.sinks[0].Secret)+" cannot stand in a URL that a browser opens: make it a variable")
	}
	return oauth.AuthorizationURL(u, params), p.err
}

// newProof makes the key that the tokens will be bound to.
func newProof(w *waiting) (*oauth.Prover, error) {
	key, err := oauth.NewProofKey()
	if err != nil {
		return nil, failure(Unauthorized, "no key could be made")
	}
	w.Proof = key
	return oauth.NewProver(key)
}

// CompleteAuthorization takes what the server sent the browser back with, the query of the
// request to the connector's RedirectURL, and exchanges the code in it for tokens. It returns
// the id of the connector. userAgent is the value that AuthorizeURL was called with.
//
// The state must be one that AuthorizeURL made for this tenant and this browser, no longer
// than 15 minutes ago, and not used before: otherwise it is Forbidden. If the server names
// itself (RFC 9207), it must be the connector's Issuer. A person who refused is an
// Unauthorized.
func (t *Tenant) CompleteAuthorization(ctx context.Context, answer url.Values, userAgent string) (connector string, err error) {
	connector, id, ok := strings.Cut(answer.Get("state"), ".")
	if !ok || !idPattern.MatchString(connector) || len(answer["state"]) != 1 {
		connector = ""
	}
	defer finish(&err, "CompleteAuthorization", connector, "")
	if connector == "" {
		return "", errState()
	}
	ctx, r, leave, err := t.consent(ctx, connector, "CompleteAuthorization", AuthAuthorizationCode)
	if err != nil {
		return "", err
	}
	defer leave()
	w, err := t.taken(ctx, connector, id, fingerprint(userAgent))
	if err != nil {
		return "", err
	}
	if err := r.checkAnswer(answer, w); err != nil {
		return "", err
	}
	code := &exchangeCode{code: answer.Get("code"), redirect: w.Redirect, verifier: w.Verifier, proof: w.Proof}
	return connector, t.exchange(ctx, r.plan, code)
}

func errState() error {
	return failure(Forbidden, "the state is not one that was made for this tenant and browser, is too old, or was used before: begin anew")
}

// checkAnswer holds the server's answer against what was asked.
func (r *run) checkAnswer(answer url.Values, w *waiting) error {
	issuer, said := r.plan.def.Auth.OAuth.Issuer, answer["iss"]
	if issuer != "" && (len(said) > 0 || w.SaysIssuer) && (len(said) != 1 || said[0] != issuer) {
		return failure(Forbidden, "the answer does not come from the connector's issuer (RFC 9207)")
	}
	if w.AuthKey != r.plan.authKey {
		return failure(Conflict, "the connector has been changed since the consent was asked for: begin anew")
	}
	if code := answer.Get("error"); code != "" {
		e := failure(Unauthorized, "the server answered the request for consent with error "+quote(code))
		e.refusal = knownRefusal(code)
		return e
	}
	if len(answer["code"]) != 1 || answer.Get("code") == "" {
		return failure(Unauthorized, "the answer carries no code")
	}
	return nil
}

// exchange fetches tokens for a consent, and keeps them.
func (t *Tenant) exchange(ctx context.Context, plan *connectorPlan, code *exchangeCode) error {
	src := &authSource{tenant: t, plan: plan}
	asking, cancel := context.WithTimeout(ctx, src.Timeout())
	defer cancel()
	g, err := src.fetch(asking, nil, code)
	if err != nil {
		return unauthenticated(asError(err))
	}
	if err := t.grants.Put(ctx, plan.grantKey(), g); err != nil {
		return (&run{Tenant: t, plan: plan}).notGranted(ctx, err)
	}
	return nil
}
