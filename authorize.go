package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/scrub"
)

// authorize is the step that puts the connector's token on the call: from its grant, or
// from a new one. A token goes only where the secrets that fetched it may go.
func (r *run) authorize(ctx context.Context) error {
	if r.req.auth {
		return nil
	}
	if r.plan.auth == nil {
		return r.attach()
	}
	if r.grant == nil {
		g, err := r.grants.get(ctx, r)
		if err != nil {
			return err
		}
		r.grant = g
	}
	if r.wire == nil { // only the answer was wanted, for rendering
		return nil
	}
	if !r.grant.allows(r.wire.URL) {
		return failure(Forbidden, "the token is not bound to host "+quote(egress.RuleFor(r.wire.URL).String())+
			", which was not among the hosts of the secrets that fetched it: set their values again to send it there")
	}
	return r.attach()
}

// grant is what an authentication yielded. It does not change.
type grant struct {
	key      grantKey
	authKey  string // what it was fetched with
	token    string // the access token, or the session
	refresh  string // the refresh token to use next; empty: there is none
	extra    map[string]string
	expires  time.Time // when to fetch another
	reach    []egress.Rules
	answer   []byte // the whole answer, JSON
	scrubber *scrub.Scrubber
}

type grantKey struct{ tenant, connector string }

// grants keeps the tokens of connectors.
type grants struct {
	mu      sync.Mutex
	current map[grantKey]*grant
	last    map[grantKey]*grant // also those that ended or were refused
	flights map[grantKey]*flight
}

// flight is one authentication on its way, for all calls that wait for it.
type flight struct {
	done  chan struct{}
	with  string // authKey of the definition that it is made with
	grant *grant
	err   error
}

// maxGrants bounds the tokens kept; beyond it, one is dropped and fetched again when needed.
const maxGrants = 20_000

func newGrants() *grants {
	return &grants{current: map[grantKey]*grant{}, last: map[grantKey]*grant{}, flights: map[grantKey]*flight{}}
}

// held returns the grant that a call would use if it began now, nil if it had to fetch one.
func (g *grants) held(r *run) *grant {
	g.mu.Lock()
	defer g.mu.Unlock()
	if held := g.current[grantKey{r.name, r.plan.def.ID}]; held != nil && held.good(r.plan, r.opts.now()) {
		return held
	}
	return nil
}

// before returns the last grant, whatever has become of it; nil if there is none.
func (g *grants) before(r *run) *grant {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.last[grantKey{r.name, r.plan.def.ID}]
}

// get returns a grant that is good for now. However many calls ask, one authentication
// request is under way; a caller that gives up does not disturb the others.
func (g *grants) get(ctx context.Context, r *run) (*grant, error) {
	key := grantKey{r.name, r.plan.def.ID}
	g.mu.Lock()
	if held := g.current[key]; held != nil && held.good(r.plan, r.opts.now()) {
		g.mu.Unlock()
		return held, nil
	}
	f := g.flights[key]
	if f == nil || f.with != r.plan.authKey {
		f = &flight{done: make(chan struct{}), with: r.plan.authKey}
		g.flights[key] = f
		g.fetch(r, key, f)
	}
	g.mu.Unlock()
	select {
	case <-f.done:
		return f.grant, unauthenticated(f.err)
	case <-ctx.Done():
		return nil, unauthenticated(ended(ctx))
	}
}

// unauthenticated is the error of a call whose authentication failed: one for each caller
// that waited, and without what was counted for the authentication.
func unauthenticated(err error) error {
	if err == nil {
		return nil
	}
	e := *asError(err)
	e.Attempts, e.Sent = 0, false
	switch e.Code {
	case Timeout, Unreachable, BadAnswer:
		e.detail = "the connector's authentication: " + e.detail
	}
	return &e
}

// fetch starts an authentication that lives as long as the hub lets it, not as the caller.
func (g *grants) fetch(r *run, key grantKey, f *flight) {
	ctx, leave, err := r.life.begin(context.Background())
	if err != nil {
		f.err = err
		delete(g.flights, key)
		close(f.done)
		return
	}
	plan, tenant, prev := r.plan, r.Tenant, g.last[key]
	go func() {
		defer leave()
		f.grant, f.err = tenant.authenticate(ctx, plan, prev, nil)
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.flights[key] == f {
			delete(g.flights, key)
		}
		close(f.done)
	}()
}

// hold keeps a grant; g.mu is held.
func (g *grants) hold(key grantKey, held *grant) {
	if held == nil {
		return
	}
	if len(g.current) >= maxGrants {
		for other := range g.current {
			delete(g.current, other)
			delete(g.last, other)
			break
		}
	}
	g.current[key], g.last[key] = held, held
}

// put replaces the grant of a connector.
func (g *grants) put(held *grant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hold(held.key, held)
}

// refuse drops a grant that the third party refused, unless another one has taken its place.
func (g *grants) refuse(refused *grant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.current[refused.key] == refused {
		delete(g.current, refused.key)
	}
}

// forget drops what a connector holds, and what is on its way for it.
func (g *grants) forget(tenant, connector string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := grantKey{tenant, connector}
	delete(g.current, key)
	delete(g.last, key)
	delete(g.flights, key)
}

// good reports whether a grant can be used by a plan now.
func (g *grant) good(p *connectorPlan, now time.Time) bool {
	return g.authKey == p.authKey && now.Before(g.expires)
}

// allows reports whether the token may go to a URL.
func (g *grant) allows(u *url.URL) bool {
	for _, rules := range g.reach {
		if !rules.AllowsURL(u) {
			return false
		}
	}
	return true
}

// authenticate sends the authentication request down the same road as every call, and
// reads the token from its answer.
// It renews the grant before, if there is one that can be, or exchanges a code.
func (t *Tenant) authenticate(ctx context.Context, plan *connectorPlan, prev *grant, code *exchangeCode) (_ *grant, err error) {
	a := &run{Tenant: t, op: "Authenticate", plan: plan, req: plan.auth, begun: t.opts.now(), prev: prev, code: code}
	if code != nil {
		a.proof = code.proof
	}
	var res *Result
	defer func() { err = a.report(ctx, res, err) }()
	ctx, cancel := context.WithTimeout(ctx, a.req.timeout)
	defer cancel()
	if err := a.render(ctx); err != nil {
		return nil, err
	}
	if err := a.guard(); err != nil {
		return nil, err
	}
	a.send(ctx)
	res, err = a.judge()
	err = a.granted(res, err)
	return a.grant, err
}

// granted reads the token from the answer to an authentication request, and keeps it for the
// calls to come. Other calls pass.
func (r *run) granted(res *Result, err error) error {
	if !r.req.auth || res == nil {
		return err
	}
	r.tokens = scrub.New(tokensIn(res))
	if err != nil {
		return r.refusedWith(res, err)
	}
	if r.grant, err = r.readGrant(res); err == nil {
		r.grants.put(r.grant)
	}
	return err
}

// refusedWith says what the token endpoint's answer says: its error code, and no more.
func (r *run) refusedWith(res *Result, err error) error {
	e := asError(err)
	if res == nil || e.Code != Rejected && e.Code != Unauthorized {
		return err
	}
	e.Code = Unauthorized
	e.detail = "the authentication request was answered with " + statusText(res.Status)
	if code := res.Get("error"); code.Type == gjson.String && code.Str != "" {
		text, _ := r.plan.scrubber.String(code.Str)
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

// Life of a token whose answer does not say: it is refreshed when refused anyway.
const (
	defaultLife = 10 * time.Minute
	longestLife = 30 * 24 * time.Hour
	lifeMargin  = 30 * time.Second // at most a tenth of the life
)

// readGrant reads what the answer to an authentication request yields.
func (r *run) readGrant(res *Result) (*grant, error) {
	o, err := r.plan.scheme.read(r, res)
	if err != nil {
		return nil, r.explained(asError(err))
	}
	r.tokens = scrub.New(append(tokensIn(res), scrub.Secret{Name: "@auth", Value: o.access}))
	g := &grant{
		key: grantKey{r.name, r.plan.def.ID}, authKey: r.plan.authKey, token: o.access, refresh: o.refresh, extra: o.extra,
		expires: r.asked().Add(o.life(r.asked())), answer: o.answer, scrubber: r.tokens,
	}
	g.reach = append(g.reach, r.plan.hosts)
	for _, name := range r.plan.fetchers() {
		g.reach = append(g.reach, r.plan.secrets[name].reach)
	}
	return g, nil
}

// fetchers names the secrets that are set and that fetch a token. The key of a client
// certificate is none: where it is not bound to, the guard lets nothing go.
func (p *connectorPlan) fetchers() []string {
	names := map[string]bool{}
	for _, sink := range append(p.auth.program.Secrets(), p.schemeSinks(p.auth)...) {
		if p.secrets[sink.Secret] != nil {
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

// life is how long a token is used, from when it was asked for.
func (o *obtained) life(asked time.Time) time.Duration {
	if o.ends.IsZero() {
		return lifeOf(o.expiresIn)
	}
	life := min(max(0, o.ends.Sub(asked)), longestLife)
	return life - min(lifeMargin, life/10)
}

// lifeOf reads expires_in: seconds, as a number or, as some write it, as a string.
func lifeOf(text string) time.Duration {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || seconds != seconds {
		return defaultLife
	}
	life := longestLife
	if seconds < longestLife.Seconds() {
		life = max(0, time.Duration(seconds*float64(time.Second)))
	}
	return life - min(lifeMargin, life/10)
}

// tokensIn lists the tokens of an authentication answer, however deep they lie. Some
// endpoints answer with a form instead of JSON: it yields no grant, and shows no token.
func tokensIn(res *Result) []scrub.Secret {
	var list []scrub.Secret
	note := func(name, value string) {
		if isToken(name) {
			list = append(list, scrub.Secret{Name: "@auth." + name, Value: strings.Clone(value)})
		}
	}
	if res.json {
		eachText(gjson.ParseBytes(res.Body), "", note)
		return list
	}
	form, _ := url.ParseQuery(string(trimSpace(res.Body))) // what cannot be read is left out
	for name, values := range form {
		for _, value := range values {
			note(name, value)
		}
	}
	return list
}

// eachText calls f for every string of a document, with the name of the member that holds it
// or the list that it stands in.
func eachText(v gjson.Result, name string, f func(name, value string)) {
	switch {
	case v.Type == gjson.String:
		f(name, v.Str)
	case v.IsObject():
		v.ForEach(func(member, value gjson.Result) bool { eachText(value, member.Str, f); return true })
	case v.IsArray():
		v.ForEach(func(_, value gjson.Result) bool { eachText(value, name, f); return true })
	}
}

// scrubbers mask what is known as secret.
func (r *run) scrubbers() []*scrub.Scrubber {
	list := []*scrub.Scrubber{r.plan.scrubber, r.tokens}
	if r.grant != nil {
		list = append(list, r.grant.scrubber)
	}
	return list
}

// authKey is a digest of all that a token depends on: another request, variable or secret
// means another token.
func authKey(rec *connectorRecord) string {
	con := &rec.Connector
	data, err := json.Marshal(struct {
		Auth      Auth
		Hosts     []string
		Variables map[string]string
		TLS       *TLS
	}{con.Auth, con.Hosts, con.Variables, con.TLS})
	if err != nil { // decoded from JSON: cannot happen
		return ""
	}
	h := sha256.New()
	h.Write(data)
	for _, name := range sortedKeys(rec.Secrets) {
		fmt.Fprintf(h, "\n%s %d", name, rec.Secrets[name].Generation)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Authenticate authenticates with a connector: a new token is fetched and kept for the calls
// to come. The result is the authentication's answer, its tokens masked. A kind that fetches
// nothing, as an API key, succeeds once its credentials are set, with a result that has
// no Status.
func (t *Tenant) Authenticate(ctx context.Context, connector string) (_ *Result, err error) {
	defer finish(&err, "Authenticate", connector, "")
	return t.run(ctx, &run{Tenant: t, op: "Authenticate", call: Call{Connector: connector}, pick: authRequest})
}

func authRequest(p *connectorPlan) (*requestPlan, error) {
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
