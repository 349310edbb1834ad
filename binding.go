package hub

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/render"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/sealed"
)

// secretPlan is a secret as calls use it.
type secretPlan struct {
	name     string
	value    secrets.Value
	hosts    egress.Rules // bound to
	reach    egress.Rules // bound are the tokens that it fetches
	places   []string
	narrower egress.Rules // declared since; nil: no narrower
	declared []string
	err      error // why the value cannot be had
}

// secretPlans are the secrets of a connector that are set, ordered by name.
type secretPlans []*secretPlan

// get returns the secret of a name, nil if it is not set.
func (list secretPlans) get(name string) *secretPlan {
	for _, s := range list {
		if s.name == name {
			return s
		}
	}
	return nil
}

// with returns the list with another secret in the place of the one of that name.
func (list secretPlans) with(other *secretPlan) secretPlans {
	list = slices.Clone(list)
	for i, s := range list {
		if s.name == other.name {
			list[i] = other
		}
	}
	return list
}

// unite lets rules that are the same be one: most secrets are bound to the connector's hosts.
func (list secretPlans) unite(hosts egress.Rules) {
	for _, s := range list {
		s.hosts = oneOf(s.hosts, hosts)
		s.reach = oneOf(s.reach, s.hosts)
	}
}

// oneOf returns other if it has the same rules, in whatever order, or else rules.
func oneOf(rules, other egress.Rules) egress.Rules {
	lacks := func(list egress.Rules) func(egress.Rule) bool {
		return func(r egress.Rule) bool { return !slices.Contains(list, r) }
	}
	if slices.ContainsFunc(rules, lacks(other)) || slices.ContainsFunc(other, lacks(rules)) {
		return rules
	}
	return other
}

// allows reports whether the secret may go to a URL.
func (s *secretPlan) allows(u *url.URL) bool {
	return s.hosts.AllowsURL(u) && (s.narrower == nil || s.narrower.AllowsURL(u))
}

// stands reports whether the secret may stand at a place of a request.
func (s *secretPlan) stands(place render.Place, auth bool) bool {
	return allowsPlace(s.places, place, auth) && allowsPlace(s.declared, place, auth)
}

// named reports whether a secret's binding names a place; of one that is not set yet it is
// the declaration, which it will be bound to.
func (p *connectorPlan) named(name string, place render.Place) bool {
	s := p.secrets.get(name)
	if s == nil {
		s = &secretPlan{places: p.def.secret(name).Places}
	}
	return s.named(place)
}

// named reports whether the binding itself names a place, as text of a script demands: a
// header or a query key, for the rest of a call holds what customers typed.
func (s *secretPlan) named(place render.Place) bool {
	kind, _, _ := strings.Cut(string(place), ":")
	return len(s.places) > 0 && (kind == "header" || kind == "query") && s.stands(place, false)
}

// openSecret opens a secret's descriptor and gets its value.
func (t *Tenant) openSecret(ctx context.Context, rec *connectorRecord, name string) *secretPlan {
	set := rec.Secrets[name]
	return t.openVersion(ctx, &rec.Connector, name, &set)
}

// openVersion opens one version of a secret.
func (t *Tenant) openVersion(ctx context.Context, con *Connector, name string, set *secretRecord) *secretPlan {
	d, err := t.openDescriptor(ctx, con.ID, name, set)
	if err != nil {
		return &secretPlan{name: name, err: err}
	}
	s := &secretPlan{name: name, places: d.Places, declared: con.secret(name).Places}
	if s.hosts, s.err = egress.ParseRules(d.Hosts...); s.err != nil {
		return s
	}
	if s.reach, s.err = egress.ParseRules(d.Reach...); s.err != nil {
		return s
	}
	if declared := con.secret(name).Hosts; len(declared) > 0 {
		if s.narrower, s.err = egress.ParseRules(declared...); s.err != nil {
			return s
		}
	}
	s.value, s.err = t.fetchSecret(ctx, t.secretRef(con.ID, name, d), &d)
	if errors.Is(s.err, Timeout) { // of reading the definition, not of a call
		s.err = &Error{Code: Unavailable, Retryable: true, detail: "where the secret is kept does not answer in time"}
	}
	return s
}

func (t *Tenant) openDescriptor(ctx context.Context, connector, name string, set *secretRecord) (d descriptor, err error) {
	plain, err := sealed.Open(ctx, t.keeper, set.Box, t.descriptorAAD(connector, name)...)
	if err != nil {
		return d, kept(err)
	}
	if err := json.Unmarshal(plain, &d); err != nil {
		return d, caused(Unavailable, "a sealed descriptor cannot be read", err)
	}
	return d, nil
}

func (t *Tenant) secretRef(connector, name string, d descriptor) secrets.Ref {
	return secrets.Ref{Tenant: t.name, Connector: connector, Name: name, Generation: d.Generation, Binding: string(d.encode())}
}

func (t *Tenant) descriptorAAD(connector, name string) []string {
	return []string{"secret descriptor", t.name, connector, name}
}

func (d descriptor) encode() []byte {
	data, err := json.Marshal(d)
	if err != nil { // strings and a number: cannot happen
		return nil
	}
	return data
}

// checkPlaces notes places that name no part of a request.
func checkPlaces(p *problems, path string, places []string) {
	p.count(path, len(places), maxHosts)
	for i, place := range places {
		kind, name, named := strings.Cut(place, ":")
		var ok bool
		switch kind {
		case "auth", "path":
			ok = !named
		case "body":
			ok = !named || strings.HasPrefix(name, "/")
		case "header", "query", "form":
			ok = name != ""
		}
		if !ok || len(place) > maxName {
			p.add(at(path, i), "place", "must be header:NAME, query:NAME, path, body, body:/json/pointer, form:NAME or auth")
		}
	}
}

// allowsPlace reports whether a list of places admits one; an empty list admits all.
func allowsPlace(places []string, place render.Place, auth bool) bool {
	if len(places) == 0 {
		return true
	}
	for _, p := range places {
		switch {
		case p == "auth":
			if auth {
				return true
			}
		case strings.EqualFold(p, string(place)) && strings.HasPrefix(p, "header:"), p == string(place):
			return true
		case p == "body" && (strings.HasPrefix(string(place), "body") || strings.HasPrefix(string(place), "form:")):
			return true
		}
	}
	return false
}
