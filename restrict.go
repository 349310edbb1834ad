package hub

import (
	"context"
	"errors"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/storage"
)

// RestrictTemplate narrows the hosts that connectors of a template may call, whatever their
// version, from now on and for good: a bad host must be revocable. Each of hosts must be
// allowed now; an empty list allows none. Connectors that name other hosts keep running
// towards those that are left. It takes effect at once in this hub, and within the freshness
// bound in others on the same store.
//
// The hosts of a system template can be restricted only by the [Hub] itself, for all tenants.
func (t *Tenant) RestrictTemplate(ctx context.Context, id string, hosts []string) (err error) {
	defer finish(&err, "RestrictTemplate", "", "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if t.system.has(id) && t.name != "" {
		return errSystemTemplate()
	}
	var p problems
	rules := checkHosts(&p, "hosts", hosts)
	now, before, err := t.allowedNow(ctx, id)
	if err != nil {
		return err
	}
	for i, r := range rules {
		if now != nil && !now.Covers(r) {
			p.add(at("hosts", i), "host", "is not among the hosts allowed now: they can only be narrowed")
		}
	}
	if err := p.err(); err != nil {
		return err
	}
	err = t.writeRestriction(ctx, id, rules, before)
	t.plans.forgetTemplate(id)
	return err
}

func (t *Tenant) writeRestriction(ctx context.Context, id string, rules egress.Rules, before int64) error {
	data, err := encodeRecord(hostsRecord{Hosts: rules.Strings()})
	if err != nil {
		return err
	}
	now := t.opts.now().UTC()
	rec := storage.Record{Key: t.key(kindHosts, id), Revision: nextRevision(before, now), Updated: now, Data: data}
	change := storage.Create(rec)
	if before != 0 {
		change = storage.Update(rec, before)
	}
	return t.apply(ctx, change)
}

// allowedNow returns the hosts that a template allows, nil for any, and the revision of its
// restriction, zero if there is none.
func (t *Tenant) allowedNow(ctx context.Context, id string) (egress.Rules, int64, error) {
	r, err := t.restriction(ctx, id)
	if err != nil || r.revision != 0 {
		return r.hosts, r.revision, err
	}
	latest, ok := t.system.latest(id)
	if !ok {
		rec, err := t.newestVersion(ctx, id)
		if err != nil {
			return nil, 0, err
		}
		latest = rec.Template
	}
	if len(latest.AllowedHosts) == 0 {
		return nil, 0, nil
	}
	var p problems
	return checkHosts(&p, "", latest.AllowedHosts), 0, nil
}

// newestVersion reads the highest version of a template, also of one that is no longer in
// the library.
func (t *Tenant) newestVersion(ctx context.Context, id string) (templateRecord, error) {
	rec, err := t.template(ctx, id)
	if err == nil || asError(err).Code != NotFound || !idPattern.MatchString(id) {
		return rec, err
	}
	query := storage.Query{Tenant: t.name, Kind: kindVersion, Parent: id}
	for {
		page, lerr := t.store.List(ctx, query)
		if lerr != nil {
			return rec, stored(lerr)
		}
		if n := len(page.Records); n > 0 {
			rec, err = decodeRecord[templateRecord](page.Records[n-1])
		}
		if page.Next == "" || err != nil && asError(err).Code != NotFound {
			return rec, err
		}
		query.After = page.Next
	}
}

// restriction is what RestrictTemplate left of a template's hosts.
type restriction struct {
	hosts    egress.Rules
	revision int64 // zero: there is none
}

// restriction reads a template's restriction.
func (t *Tenant) restriction(ctx context.Context, id string) (restriction, error) {
	rec, err := t.get(ctx, t.restrictionKey(id), "restriction of the template")
	if errors.Is(err, NotFound) {
		return restriction{}, nil
	}
	if err != nil {
		return restriction{}, err
	}
	body, err := decodeRecord[hostsRecord](rec)
	if err != nil {
		return restriction{}, err
	}
	rules, err := egress.ParseRules(body.Hosts...)
	if err != nil {
		return restriction{}, caused(Unavailable, "the store holds a damaged record: "+rec.Key.String(), err)
	}
	if rules == nil {
		rules = egress.Rules{}
	}
	return restriction{rules, rec.Revision}, nil
}

// restrictionKey is where a template's restriction lies: that of a system template holds for
// all tenants.
func (t *Tenant) restrictionKey(template string) storage.Key {
	if t.system.has(template) {
		return storage.Key{Kind: kindHosts, ID: template}
	}
	return t.key(kindHosts, template)
}

// bounds returns the hosts that a template's connectors may name now; nil: any.
func (t *Tenant) bounds(ctx context.Context, tpl *Template) (*egress.Rules, error) {
	r, err := t.restriction(ctx, tpl.ID)
	if err != nil {
		return nil, err
	}
	return r.bounds(tpl)
}

func (r restriction) bounds(tpl *Template) (*egress.Rules, error) {
	allowed, err := egress.ParseRules(tpl.AllowedHosts...)
	switch {
	case err != nil:
		return nil, caused(Unavailable, "the template's hosts cannot be read", err)
	case r.revision == 0 && len(allowed) == 0:
		return nil, nil
	case r.revision == 0:
		return &allowed, nil
	case len(allowed) == 0:
		return &r.hosts, nil
	}
	both := allowed.Intersect(r.hosts)
	return &both, nil
}
