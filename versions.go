package hub

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/integrationhub/hub/internal/scrub"
	"github.com/integrationhub/hub/secrets"
)

// SecretVersion tells which of the two values of a secret is meant.
type SecretVersion string

// The versions.
const (
	SecretCurrent SecretVersion = "current"
	SecretNext    SecretVersion = "next"
)

// SetNextSecret stores a second value of a secret that is set, bound as SetSecret would bind
// it now, for a change of the value at the third party that no call notices: set the next
// value here, change it there, and PromoteSecret. In between, a call whose credentials are
// refused (by status 401 or 403, by an answer that Auth.Refused describes, or by the
// authentication request) is sent once more with the next value of each secret that has one,
// within the same deadline. From then on this process begins with the values that were
// taken last, and ListSecrets and the events of calls say which these are. Requests of
// HTTPClient are sent once: after a refusal the next one takes the other values.
//
// A next value that is there already is replaced; SetSecret removes it. NotFound if the
// secret is not set. A vault that keeps one value for all generations cannot serve two.
func (t *Tenant) SetNextSecret(ctx context.Context, connector, name string, value secrets.Value) (err error) {
	defer finish(&err, "SetNextSecret", connector, "")
	if err := t.checkSecret(name, value); err != nil {
		return err
	}
	if value.IsZero() {
		return invalid("value", "required", "must not be empty")
	}
	return t.changeVersions(ctx, connector, name, func(ctx context.Context, rec *connectorRecord, set *secretRecord) error {
		next, err := t.bindSecret(ctx, rec, name, given{value: value})
		set.Next = &next
		return err
	})
}

// PromoteSecret makes the next value of a secret the current one, and deletes the one before.
// Tokens that the next value fetched stay in use. NotFound if there is no next value.
func (t *Tenant) PromoteSecret(ctx context.Context, connector, name string) (err error) {
	defer finish(&err, "PromoteSecret", connector, "")
	return t.changeVersions(ctx, connector, name, func(_ context.Context, _ *connectorRecord, set *secretRecord) error {
		if set.Next == nil {
			return failure(NotFound, "secret "+quote(name)+" has no next value")
		}
		*set = *set.Next
		return nil
	})
}

// changeVersions changes the versions of a secret that is set, and deletes the values that
// are in neither.
func (t *Tenant) changeVersions(ctx context.Context, connector, name string, f func(context.Context, *connectorRecord, *secretRecord) error) error {
	var left secretRecord
	con, err := t.change(ctx, connector, anyRevision, func(ctx context.Context, rec *connectorRecord) error {
		set, ok := rec.Secrets[name]
		if !ok {
			return failure(NotFound, "no value is set for secret "+quote(name))
		}
		err := f(ctx, rec, &set)
		rec.Secrets[name], left = set, set
		return err
	})
	if err != nil {
		return err
	}
	t.forgetOlder(ctx, con.ID, name, left.generations()...)
	return nil
}

// generations lists those of the current and the next version.
func (s *secretRecord) generations() []int64 {
	var list []int64
	for at := s; at != nil; at = at.Next {
		list = append(list, at.Generation)
	}
	return list
}

// following returns the record as it will be when every next version is promoted; nil if
// there is none.
func (rec *connectorRecord) following() *connectorRecord {
	next := *rec
	next.Secrets = maps.Clone(rec.Secrets)
	found := false
	for name, s := range rec.Secrets {
		if s.Next != nil {
			next.Secrets[name], found = *s.Next, true
		}
	}
	if !found {
		return nil
	}
	return &next
}

// follow makes the plan of the next versions, which differs from the plan in these alone.
func (t *Tenant) follow(ctx context.Context, plan *connectorPlan, rec *connectorRecord) {
	following := rec.following()
	if following == nil {
		return
	}
	next := *plan
	next.states = make([]requestState, len(plan.states))
	next.authKey, next.version = authKey(following), SecretNext
	for name, s := range rec.Secrets {
		if s.Next == nil {
			continue
		}
		opened := t.openVersion(ctx, &rec.Connector, name, s.Next)
		if opened.err != nil { // looked for again when the plan is; the current value serves
			plan.stale = true
			return
		}
		next.secrets = next.secrets.with(opened)
	}
	next.problems = slices.Clone(plan.problems)
	next.identify(t.way)
	plan.version, plan.sibling, next.sibling = SecretCurrent, &next, plan
	plan.scrubber = scrub.New(slices.Concat(plan.known(), plan.composed(), next.known(), next.composed()))
	next.scrubber = plan.scrubber
}

// otherVersion turns a call whose credentials were refused to the other version of them,
// once. err is what kept it from being sent, nil if it was.
func (r *run) otherVersion(err error) bool {
	other := r.plan.sibling
	if other == nil || r.switched || r.spent.Load() || len(r.doubled()) == 0 || !r.credentialsRefused(err) {
		return false
	}
	if r.grant != nil {
		r.giveUpGrant()
	}
	r.switched, r.plan, r.wire, r.sign = true, other, nil, nil
	return true
}

func (r *run) credentialsRefused(err error) bool {
	if err != nil {
		return asError(err).Code == Unauthorized
	}
	answer := r.outcome.Answer
	if answer == nil || r.outcome.Err != nil {
		return false
	}
	if rule := r.ruled(); rule != nil {
		return rule.then == VerdictRefreshToken
	}
	return answer.Status == http.StatusForbidden || r.plan.refuses(r.reading())
}

// doubled names the secrets of the call that have two versions.
func (r *run) doubled() []string {
	p, used := r.plan, map[string]bool{}
	if p.sibling == nil {
		return nil
	}
	note := func(name string) {
		if s := p.secrets.get(name); s != nil && s != p.sibling.secrets.get(name) {
			used[name] = true
		}
	}
	if r.wire != nil {
		for _, sink := range r.wire.Sinks {
			note(sink.Secret)
		}
	}
	for _, sink := range p.schemeSinks(r.req) {
		note(sink.Secret)
	}
	if p.auth != nil {
		for _, name := range p.fetchers() {
			note(name)
		}
	}
	if p.def.TLS != nil {
		note(p.def.TLS.Key)
	}
	return sortedKeys(used)
}

// took notes that the credentials of a call were taken, if they have two versions.
func (r *run) took() {
	if names := r.doubled(); len(names) > 0 {
		r.taken = r.plan.version
		r.versions.note(r.plan, r.plan.version, names)
	}
}

// versions remembers which version of doubled secrets third parties took last.
type versions struct {
	mu   sync.Mutex
	last map[planKey]*lastTaken // :: tenant and id of a connector → …
}

type lastTaken struct {
	authKey string // of the plan of the next versions: another one, and nothing is known
	names   map[string]SecretVersion
}

// maxVersions bounds the connectors of which something is remembered.
const maxVersions = 10_000

func (p *connectorPlan) following() *connectorPlan {
	if p.version == SecretNext {
		return p
	}
	return p.sibling
}

func (v *versions) note(p *connectorPlan, version SecretVersion, names []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key, with := planKey{p.tenant, p.def.ID}, p.following().authKey
	last := v.last[key]
	if last == nil || last.authKey != with {
		if v.last == nil || len(v.last) >= maxVersions {
			v.last = map[planKey]*lastTaken{}
		}
		last = &lastTaken{authKey: with, names: map[string]SecretVersion{}}
		v.last[key] = last
	}
	for _, name := range names {
		last.names[name] = version
	}
}

// taken returns which version of a secret was taken last, empty if that is not known.
func (v *versions) taken(key planKey, authKey, name string) SecretVersion {
	v.mu.Lock()
	defer v.mu.Unlock()
	if last := v.last[key]; last != nil && last.authKey == authKey {
		return last.names[name]
	}
	return ""
}

// preferred returns the plan to begin with.
func (v *versions) preferred(p *connectorPlan) *connectorPlan {
	if p.sibling == nil {
		return p
	}
	for _, s := range p.secrets {
		if v.taken(planKey{p.tenant, p.def.ID}, p.following().authKey, s.name) == SecretNext {
			return p.following()
		}
	}
	return p
}
