package hub

import (
	"context"
	"slices"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/storage"
)

// settle makes a changed connector ready to be stored: it fills in defaults, lets hosts join
// while no secret is set, and checks every rule.
func (t *Tenant) settle(ctx context.Context, rec *connectorRecord) error {
	bounds, err := t.bounds(ctx, &rec.Template)
	if err != nil {
		return err
	}
	con := &rec.Connector
	con.normalize(&rec.Template)
	if len(rec.Secrets) == 0 {
		t.joinHosts(con, &rec.Template, bounds)
	}
	if broken := t.compile(t.name, con, &rec.Template, bounds).broken(); len(broken) > 0 {
		return &Error{Code: Invalid, Fields: broken}
	}
	return nil
}

// normalize gives a connector's empty members their defaults.
func (c *Connector) normalize(tpl *Template) {
	if c.Auth.Kind == "" {
		c.Auth.Kind = tpl.AuthType
	}
	if c.Auth.Request != nil {
		c.Auth.Request.normalize()
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
		if most := tpl.Limits.Timeout; most > 0 {
			c.Timeout = min(c.Timeout, most)
		}
	}
	c.Hosts = canonicalHosts(c.Hosts)
	for i := range c.Requests {
		c.Requests[i].normalize()
	}
}

// defaultTimeout is a connector's timeout if it names none, in milliseconds.
const defaultTimeout = 10_000

func (r *Request) normalize() {
	if r.ID == "" {
		r.ID = newID("req")
	}
	if r.Trigger == "" {
		r.Trigger = TriggerManual
	}
	if r.State == "" {
		r.State = StateActive
	}
}

// canonicalHosts writes each host rule in its one form; what cannot be read stays, and is
// refused later.
func canonicalHosts(hosts []string) []string {
	var out []string
	for _, h := range hosts {
		if r, err := egress.ParseRule(h); err == nil {
			h = r.String()
		}
		if !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	return out
}

// joinHosts adds the hosts that the connector's URLs name to its Hosts, as far as the
// template allows them.
func (t *Tenant) joinHosts(con *Connector, tpl *Template, bounds *egress.Rules) {
	plan := t.compile(t.name, con, tpl, bounds)
	calls := []*requestPlan{plan.auth, plan.verify}
	for i := range con.Requests {
		calls = append(calls, plan.requests[con.Requests[i].Name])
	}
	for _, call := range calls {
		if call == nil || call.program == nil {
			continue
		}
		for _, origin := range call.program.Origins(plan.variable) {
			con.join(origin, bounds)
		}
	}
}

// join adds the host of an origin, unless it is there or may not be.
func (c *Connector) join(origin string, bounds *egress.Rules) {
	u, err := egress.ParseURL(origin)
	if err != nil {
		return
	}
	rule := egress.RuleFor(u)
	rules, err := egress.ParseRules(c.Hosts...)
	if err != nil || rules.Covers(rule) || bounds != nil && !bounds.Covers(rule) {
		return
	}
	c.Hosts = append(c.Hosts, rule.String())
}

// restriction is what RestrictTemplate left of a template's hosts.
type restriction struct {
	hosts    egress.Rules
	revision int64 // zero: there is none
}

// restriction reads a template's restriction.
func (t *Tenant) restriction(ctx context.Context, id string) (restriction, error) {
	rec, err := t.store.Get(ctx, t.restrictionKey(id))
	if isNotFound(err) {
		return restriction{}, nil
	}
	if err != nil {
		return restriction{}, stored(err)
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
