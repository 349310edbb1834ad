package hub

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/oauth"
	"github.com/integrationhub/hub/internal/scrub"
	"github.com/integrationhub/hub/internal/token"
)

// Authenticate authenticates with a connector: a new token is fetched and kept for the calls
// to come. The result is the authentication's answer, its tokens masked; when
// several ask at once, one request is sent, and all get its answer. A kind that fetches
// nothing, as an API key, succeeds once its credentials are set, with a result that has
// no Status.
func (t *Tenant) Authenticate(ctx context.Context, connector string) (_ *Result, err error) {
	defer finish(&err, "Authenticate", connector, "")
	return t.run(ctx, &run{Tenant: t, op: "Authenticate", call: Call{Connector: connector}, pick: authRequest})
}

func authRequest(_ *run, p *connectorPlan) (*requestPlan, error) {
	if p.auth != nil {
		return p.auth, nil
	}
	if p.scheme != nil {
		return p.nothing(), nil
	}
	if p.def.Auth.Kind == AuthNone {
		return nil, failure(Invalid, "the connector's template has no authentication")
	}
	return nil, &Error{Code: NotReady, Fields: []FieldError{{Path: "auth.request", Rule: "required", Message: "the authentication request is not defined yet"}}}
}

// renewed renews with the version of the secrets that is taken.
func (r *run) renewed(ctx context.Context) (*Result, error) {
	res, err := r.renew(ctx)
	if err != nil && r.otherVersion(err) {
		res, err = r.renew(ctx)
	}
	if err == nil {
		r.took()
	}
	return res, err
}

// renew is the way of a call that is the authentication itself: through the grants, like the
// authentication of every other call.
func (r *run) renew(ctx context.Context) (*Result, error) {
	src := r.source(ctx)
	src.quiet = true // this call is reported, not the fetch
	renew := r.grants.Renew
	if r.script {
		renew = r.grants.Repeat
	}
	g, err := renew(ctx, r.plan.grantKey(), src)
	if err != nil {
		e := r.notGranted(ctx, err)
		return r.fetched(fetchOf(err)), e
	}
	f, ok := g.Detail.(*fetch)
	if !ok { // another instance fetched it: the answer is all that is known
		f = &fetch{answer: &Result{Status: http.StatusOK, Header: http.Header{}, Body: g.Answer}}
		f.answer.json, f.answer.deep = readable(g.Answer, r.limits.AnswerDepth)
	}
	r.grant = grantOf(g)
	res := r.fetched(f)
	return res, r.mapOutputs(res, nil)
}

// fetched makes what a fetch yielded this call's own: several may wait for one.
func (r *run) fetched(f *fetch) *Result {
	if f == nil {
		return nil
	}
	r.attempts = slices.Clip(f.attempts)
	if f.answer == nil {
		return nil
	}
	res := *f.answer
	res.Header, res.Body, res.Attempts = res.Header.Clone(), bytes.Clone(res.Body), slices.Clone(res.Attempts)
	r.tokens = f.tokens
	r.scrub(&res)
	return &res
}

// authSource fetches the grants of a connector by its authentication request.
type authSource struct {
	tenant *Tenant
	plan   *connectorPlan
	quiet  bool            // whoever asked reports the fetch
	caller context.Context // of the call that set the fetch off, for the Tracer; nil: nobody follows
}

// fetch is how one authentication request went: the answer, nil if none came.
type fetch struct {
	answer   *Result
	attempts []Attempt
	tokens   *scrub.Scrubber
}

// fetchError is the error of a failed fetch.
type fetchError struct {
	err   *Error
	fetch *fetch
}

func (e *fetchError) Error() string { return e.err.Error() }
func (e *fetchError) Unwrap() error { return e.err }

// fetchOf returns how the fetch went that err comes from, nil if nothing was sent.
func fetchOf(err error) *fetch {
	var e *fetchError
	if errors.As(err, &e) {
		return e.fetch
	}
	return nil
}

// Rotating implements token.Source: only a person can replace the refresh token of some kinds.
func (s *authSource) Rotating() bool {
	o := s.plan.def.Auth.OAuth
	return s.plan.def.Auth.Kind.persists() && o != nil && !o.KeepsRefreshToken
}

// Grace implements token.Source.
func (s *authSource) Grace() time.Duration {
	if o := s.plan.def.Auth.OAuth; o != nil {
		return time.Duration(o.Grace) * time.Second
	}
	return 0
}

// Timeout implements token.Bounded.
func (s *authSource) Timeout() time.Duration { return s.plan.auth.timeout }

// persists reports whether a kind lives by its refresh token: there is nothing else to
// authenticate with.
func (kind AuthKind) persists() bool {
	return kind == AuthAuthorizationCode || kind == AuthDeviceCode || kind == AuthRefreshToken
}

// Fetch implements token.Source. A refresh token that is refused is given up where the
// credentials themselves are at hand.
func (s *authSource) Fetch(ctx context.Context, last *token.Grant) (*token.Grant, error) {
	g, err := s.fetch(ctx, s.renewable(last), nil)
	if err != nil && last != nil && !s.plan.def.Auth.Kind.persists() && asError(err).refusal == "invalid_grant" {
		g, err = s.fetch(ctx, nil, nil)
	}
	if err != nil {
		return nil, s.verdict(err)
	}
	return g, nil
}

// renewable returns the last grant, if a renewal may start from it: the consent of a person
// outlives edits of the connector, every other grant belongs to the definition it was made by.
func (s *authSource) renewable(last *token.Grant) *grant {
	if last == nil || last.Refresh == "" {
		return nil
	}
	if !s.plan.def.Auth.Kind.persists() && last.AuthKey != s.plan.authKey {
		return nil
	}
	return deriveGrant(last).(*grant)
}

// fetch sends the authentication request down the same road as every call, and reads the
// token from its answer. It renews the grant before, if there is one that can be, or
// exchanges a code.
func (s *authSource) fetch(ctx context.Context, prev *grant, code *exchangeCode) (*token.Grant, error) {
	t := s.tenant
	a := &run{Tenant: t, op: "Authenticate", plan: s.plan, req: s.plan.auth, begun: t.opts.now(), prev: prev, code: code}
	if code != nil {
		a.proof = code.proof
	}
	if s.caller != nil {
		ctx = withValues{ctx, s.caller}
	}
	if !s.quiet {
		ctx = a.trace(ctx)
	}
	g, res, err := a.fetch(ctx)
	if !s.quiet {
		err = a.report(ctx, res, err)
	}
	f := &fetch{answer: res, attempts: a.attempts, tokens: a.tokens}
	if err != nil {
		return nil, &fetchError{asError(err), f}
	}
	g.Detail = f
	return g, nil
}

// fetch sends the authentication request.
func (r *run) fetch(ctx context.Context) (*token.Grant, *Result, error) {
	if err := r.render(ctx); err != nil {
		return nil, nil, err
	}
	if err := r.guard(); err != nil {
		return nil, nil, err
	}
	r.send(ctx)
	res, err := r.judge()
	if res != nil {
		r.tokens = scrub.New(append(tokensIn(res), r.given()...))
	}
	if err != nil {
		return nil, res, r.refusedWith(res, err)
	}
	g, err := r.readGrant(res)
	return g, res, err
}

// refusedWith says what the token endpoint's answer says: its error code, and no more.
func (r *run) refusedWith(res *Result, err error) error {
	e := asError(err)
	switch {
	case res == nil, e.Code != Rejected && e.Code != Unauthorized && e.Code != RateLimited:
		return err
	case e.Code == RateLimited:
		e.Retryable = true
	case passing(res.Status):
		e.Code, e.Retryable = Rejected, true
	default:
		e.Code = Unauthorized
	}
	e.detail = "the authentication request was answered with " + statusText(res.Status)
	if code := res.Get("error"); code.Type == gjson.String && code.Str != "" {
		text, _ := r.plan.scrubber.String(code.Str)
		text, _ = r.tokens.String(text)
		e.detail += ", error " + quote(text)
		e.refusal = knownRefusal(code.Str)
	}
	return e
}

// refusals are the error codes of authentications that mean something to the hub (RFC 6749
// section 5.2, RFC 8628 section 3.5).
var refusals = []string{
	"invalid_grant", "invalid_client", "unauthorized_client", "access_denied",
	"authorization_pending", "slow_down", "expired_token",
}

// knownRefusal returns a code that means something, and nothing else that a server wrote.
func knownRefusal(code string) string {
	if slices.Contains(refusals, code) {
		return code
	}
	return ""
}

// verdict tells what a failed fetch means for the grant.
func (s *authSource) verdict(err error) error {
	e, verdict := asError(err), token.Temporary
	switch {
	case e.refusal == consentRequired, e.refusal == "invalid_grant" && s.plan.def.Auth.Kind.persists():
		verdict = token.Refused
	case e.Code == Unauthorized && !passing(e.Status):
		verdict = token.Rejected
	}
	return &token.Error{Verdict: verdict, Reason: e.Detail(), Err: err}
}

// passing reports whether a status speaks of the moment, and not of the credentials.
func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

// given lists what the authentication request gave away and no secret of the connector is: a
// refresh token, a code, an assertion in its form, and what was made for it. Servers that echo
// it show nothing.
func (r *run) given() []scrub.Secret {
	if r.wire == nil || r.wire.Header.Get("Content-Type") != mediaForm {
		return r.secrets().made
	}
	form, _ := url.ParseQuery(string(r.wire.Body)) // what cannot be read is left out
	list := slices.Clone(r.secrets().made)
	for _, name := range sortedKeys(form) {
		if !isToken(name) && !slices.Contains(grants, name) || strings.HasSuffix(name, "_type") {
			continue
		}
		for _, value := range form[name] {
			list = append(list, scrub.Secret{Name: "@auth." + name, Value: value})
		}
	}
	return list
}

// grants are parameters whose values are worth a token, though their names do not say so.
var grants = []string{"code", "code_verifier", "device_code"}

// readGrant reads what the answer to an authentication request yields.
func (r *run) readGrant(res *Result) (*token.Grant, error) {
	o, err := r.plan.scheme.read(r, res)
	if err != nil {
		return nil, r.explained(asError(err))
	}
	r.tokens = scrub.New(append(append(tokensIn(res), r.given()...), scrub.Secret{Name: "@auth", Value: o.access}))
	g := &token.Grant{
		Kind: string(r.plan.def.Auth.Kind), Access: strings.Clone(o.access), TokenType: o.kind, Refresh: strings.Clone(o.refresh),
		Obtained: r.asked(), Expires: o.ends, Answer: bytes.Clone(o.answer), Reach: r.reachOfGrant(), Extra: o.extra,
	}
	if o.ends.IsZero() {
		g.Expires, _ = oauth.End(o.expiresIn, oauth.Seconds, g.Obtained)
	}
	return g, nil
}

// reachOfGrant lists the hosts that the token may go to. One that a refresh token fetched goes
// no further than the grant before: a person consented to the hosts of that moment.
func (r *run) reachOfGrant() [][]string {
	reach := r.plan.reachOfGrant()
	if r.prev == nil || r.code != nil {
		return reach
	}
	for _, hosts := range r.prev.Reach {
		if !slices.ContainsFunc(reach, func(other []string) bool { return slices.Equal(hosts, other) }) {
			reach = append(reach, hosts)
		}
	}
	return reach
}

// reachOfGrant lists the hosts that a new token may go to: the connector's, and those of each
// secret that fetches it.
func (p *connectorPlan) reachOfGrant() [][]string {
	reach := [][]string{p.hosts.Strings()}
	for _, name := range p.fetchers() {
		hosts := p.secrets.get(name).reach.Strings()
		if !slices.ContainsFunc(reach, func(other []string) bool { return slices.Equal(hosts, other) }) {
			reach = append(reach, hosts)
		}
	}
	return reach
}

// fetchers names the secrets that are set and that fetch a token. The key of a client
// certificate is none: where it is not bound to, the guard lets nothing go.
func (p *connectorPlan) fetchers() []string {
	names := map[string]bool{}
	for _, sink := range append(p.auth.program.Secrets(), p.schemeSinks(p.auth)...) {
		if p.secrets.get(sink.Secret) != nil {
			names[sink.Secret] = true
		}
	}
	return sortedKeys(names)
}

// asked is when the request was sent that was answered: a token's life begins no later.
func (r *run) asked() time.Time {
	if n := len(r.attempts); n > 0 {
		return r.attempts[n-1].Start
	}
	return r.begun
}
