package hub

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/integrationhub/hub/internal/egress"
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
	var p problems
	p.encodable("", con)
	p.list = append(p.list, t.compile(t.name, con, &rec.Template, bounds).broken()...)
	if err := p.err(); err != nil {
		return err
	}
	return t.nameIsNoID(ctx, con)
}

// nameIsNoID refuses a name that is the id of another connector: whatever takes either would
// not know which is meant.
func (t *Tenant) nameIsNoID(ctx context.Context, con *Connector) error {
	if con.Name == con.ID {
		return nil
	}
	_, err := t.connectorByID(ctx, con.Name)
	if errors.Is(err, NotFound) {
		return nil
	}
	return cmp.Or(err, error(failure(Exists, "the name is the id of another connector")))
}

// idIsNoName refuses an id that is the name of another connector.
func (t *Tenant) idIsNoName(ctx context.Context, con *Connector) error {
	if con.Name == con.ID {
		return nil
	}
	_, err := t.findRecord(ctx, t.name, kindConnector, con.ID, "connector")
	if errors.Is(err, NotFound) {
		return nil
	}
	return cmp.Or(err, error(failure(Exists, "the id is the name of another connector")))
}

// normalize gives a connector's empty members their defaults.
func (c *Connector) normalize(tpl *Template) {
	c.Auth.normalize(tpl)
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
	calls := append(plan.endpoints(), plan.verify)
	calls = append(calls, plan.requests...)
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
