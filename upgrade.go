package hub

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/secrets"
)

// Break is one thing that a connector's move to another version of its template would break.
type Break struct {
	// ID names the break for UpgradeConnector: the rule and the path, as "host:hosts[1]".
	ID string `json:"id"`
	FieldError
	// Effect is what UpgradeConnector does about it once it is accepted. Empty: it does
	// nothing, and refuses the move; the definition must be changed first.
	Effect string `json:"effect"`
}

// UpgradePlan is what a connector's move to another version would mean.
type UpgradePlan struct {
	Connector string `json:"connector"` // the id
	// Revision is the connector's that the plan was made for.
	Revision int64 `json:"revision"`
	From     int   `json:"from"`
	To       int   `json:"to"`
	// Breaks must be accepted one by one.
	Breaks []Break `json:"breaks"`
	// Missing lists what the connector would lack before it can run.
	Missing []FieldError `json:"missing"`
}

// PlanUpgrade reports what moving a connector to another version of its template would
// break; version 0 is the latest in the library. It changes nothing.
func (t *Tenant) PlanUpgrade(ctx context.Context, connector string, version int) (_ UpgradePlan, err error) {
	defer finish(&err, "PlanUpgrade", connector, "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return UpgradePlan{}, err
	}
	defer leave()
	rec, err := t.connector(ctx, connector)
	if err != nil {
		return UpgradePlan{}, err
	}
	u, err := t.upgrade(ctx, rec, version)
	if err != nil {
		return UpgradePlan{}, err
	}
	return u.plan, nil
}

// UpgradeConnector moves a connector to another version of its template and returns it as
// saved. revision is the one last read. accept lists the ids of the breaks that PlanUpgrade
// reported and that the caller accepts; any other break is an Invalid.
func (t *Tenant) UpgradeConnector(ctx context.Context, connector string, revision int64, version int, accept ...string) (_ Connector, err error) {
	defer finish(&err, "UpgradeConnector", connector, "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Connector{}, err
	}
	defer leave()
	var dropped []string
	con, err := t.edit(ctx, connector, revisionOf(revision), func(rec *connectorRecord) error {
		u, err := t.upgrade(ctx, rec, version)
		if err != nil {
			return err
		}
		var p problems
		for _, b := range u.plan.Breaks {
			switch {
			case b.Effect == "":
				p.add(b.Path, b.Rule, "%s", b.Message)
			case !slices.Contains(accept, b.ID):
				p.add(b.Path, "not-accepted", "%s; accept %s to have it %s", b.Message, quote(b.ID), b.Effect)
			}
		}
		if err := p.err(); err != nil {
			return err
		}
		rec.Connector, rec.Template, dropped = u.moved, u.tpl, u.dropped
		for _, name := range u.dropped {
			delete(rec.Secrets, name)
		}
		return nil
	})
	if err != nil || len(dropped) == 0 {
		return con, err
	}
	return con, t.forgetSecrets(ctx, con.ID, func(ref secrets.Ref) bool { return !slices.Contains(dropped, ref.Name) })
}

// upgrade is a move in the making: the connector as it would be, and what broke.
type upgrade struct {
	plan    UpgradePlan
	tpl     Template
	moved   Connector
	dropped []string // secrets whose values go
}

func (t *Tenant) upgrade(ctx context.Context, rec *connectorRecord, version int) (*upgrade, error) {
	con := &rec.Connector
	target, err := t.templateVersion(ctx, con.Template, version)
	if err != nil {
		return nil, err
	}
	u := &upgrade{tpl: target.Template, moved: cloned(*con)}
	u.tpl.Icon, u.tpl.Description = nil, ""
	u.moved.TemplateVersion = u.tpl.Version
	u.plan = UpgradePlan{
		Connector: con.ID, Revision: con.Revision, From: con.TemplateVersion, To: u.tpl.Version, Breaks: []Break{},
	}
	bounds, err := t.bounds(ctx, &u.tpl)
	if err != nil {
		return nil, err
	}
	before := t.compile(t.name, con, &rec.Template, nil)
	u.keepFields(rec)
	u.auth()
	u.hosts(bounds, before)
	u.methods()
	u.timeouts()
	u.attempts()
	u.variables()
	u.secrets(rec)
	after := t.compile(t.name, &u.moved, &u.tpl, bounds)
	u.rest(after)
	u.plan.Missing = distinct(slices.Concat(after.missingFieldsBut(rec.Secrets), after.missingHeaders()))
	return u, nil
}

// breaks notes a break.
func (u *upgrade) breaks(path, rule, effect, format string, args ...any) {
	u.plan.Breaks = append(u.plan.Breaks, Break{
		ID: rule + ":" + path, Effect: effect,
		FieldError: FieldError{Path: path, Rule: rule, Message: fmt.Sprintf(format, args...)},
	})
}

// keepFields keeps what the version before gave by its fields and this one does not have:
// requests may refer to it.
func (u *upgrade) keepFields(rec *connectorRecord) {
	for _, f := range rec.Template.Fields {
		if slices.ContainsFunc(u.tpl.Fields, func(g Field) bool { return g.Key == f.Key }) {
			continue
		}
		_, given := u.moved.Variables[f.Key]
		switch {
		case f.Secret && !slices.ContainsFunc(u.moved.Secrets, func(s Secret) bool { return s.Name == f.Key }):
			u.moved.Secrets = append(u.moved.Secrets, Secret{Name: f.Key})
		case !f.Secret && !given && f.Default != "":
			if u.moved.Variables == nil {
				u.moved.Variables = map[string]string{}
			}
			u.moved.Variables[f.Key] = f.Default
		}
	}
}

// rest notes what else the version would break, which no acceptance mends.
func (u *upgrade) rest(after *connectorPlan) {
	for _, f := range after.broken() {
		u.breaks(f.Path, f.Rule, "", "%s", f.Message)
	}
}

func (u *upgrade) auth() {
	if u.moved.Auth.Kind == u.tpl.AuthType {
		return
	}
	u.breaks("auth.kind", "auth", "removed: define authentication anew", "the version authenticates by %q, the connector by %q", u.tpl.AuthType, u.moved.Auth.Kind)
	u.moved.Auth = Auth{Kind: u.tpl.AuthType}
}

// hosts drops hosts that the version does not allow, and what goes there.
func (u *upgrade) hosts(bounds *egress.Rules, before *connectorPlan) {
	if bounds == nil {
		return
	}
	var kept []string
	for i, h := range u.moved.Hosts {
		if r, err := egress.ParseRule(h); err == nil && bounds.Covers(r) {
			kept = append(kept, h)
			continue
		}
		u.breaks(at("hosts", i), "host", "removed from hosts", "the version does not allow host %s", quote(h))
	}
	u.moved.Hosts = kept
	if before.auth != nil && before.leaves(before.auth, *bounds) && u.moved.Auth.Request != nil {
		u.breaks("auth.request.url", "host", "removed: define the authentication request anew", "the version does not allow its host")
		u.moved.Auth.Request = nil
	}
	for i := range u.moved.Requests {
		r := &u.moved.Requests[i]
		if plan := before.request(r.Name); r.State != StateInactive && before.leaves(plan, *bounds) {
			u.breaks(in(at("requests", i), "url"), "host", "deactivated", "the version does not allow its host")
			r.State = StateInactive
		}
	}
}

// leaves reports whether a call goes to a host outside of bounds.
func (p *connectorPlan) leaves(call *requestPlan, bounds egress.Rules) bool {
	if call == nil || call.program == nil || call.def.URL == "" && !call.auth {
		return false
	}
	for _, origin := range call.program.Origins(p.variable) {
		if u, err := egress.ParseURL(origin); err != nil || !bounds.AllowsURL(u) {
			return true
		}
	}
	return false
}

func (u *upgrade) methods() {
	for i := range u.moved.Requests {
		r := &u.moved.Requests[i]
		if r.Method == "" || r.State == StateInactive || slices.Contains(u.tpl.Methods, r.Method) {
			continue
		}
		u.breaks(in(at("requests", i), "method"), "method", "deactivated", "the version does not allow %s", r.Method)
		r.State = StateInactive
	}
}

func (u *upgrade) timeouts() {
	most := u.tpl.Limits.Timeout
	if most == 0 || u.moved.Timeout <= most {
		return
	}
	u.breaks("timeout", "timeout", fmt.Sprintf("lowered to %d", most), "the version allows %d milliseconds", most)
	u.moved.Timeout = most
	for i := range u.moved.Requests {
		u.moved.Requests[i].Timeout = min(u.moved.Requests[i].Timeout, most)
	}
}

func (u *upgrade) attempts() {
	most := u.tpl.Limits.Attempts
	for i := range u.moved.Requests {
		r := u.moved.Requests[i].Retry
		if most == 0 || r == nil || r.Attempts <= most {
			continue
		}
		u.breaks(in(at("requests", i), "retry.attempts"), "attempts", fmt.Sprintf("lowered to %d", most), "the version allows %d attempts", most)
		r.Attempts = most
	}
}

// variables notes values that no longer fit their fields.
func (u *upgrade) variables() {
	for i := range u.tpl.Fields {
		f := &u.tpl.Fields[i]
		value, set := u.moved.Variables[f.Key]
		if !set {
			continue
		}
		path := in("variables", f.Key)
		if f.Secret {
			u.breaks(path, "secret", "removed: set it as a secret", "is a secret in the version")
			delete(u.moved.Variables, f.Key)
			continue
		}
		var p problems
		if f.checkValue(&p, path, value); len(p.list) > 0 {
			u.breaks(path, p.list[0].Rule, "removed: give it another value", "%s", p.list[0].Message)
			delete(u.moved.Variables, f.Key)
		}
	}
}

// secrets notes secrets, declared or set, that the version makes variables.
func (u *upgrade) secrets(rec *connectorRecord) {
	for _, f := range u.tpl.Fields {
		i := slices.IndexFunc(u.moved.Secrets, func(s Secret) bool { return s.Name == f.Key })
		_, set := rec.Secrets[f.Key]
		if f.Secret || i < 0 && !set {
			continue
		}
		u.breaks("secrets."+f.Key, "variable", "removed with its value: set it as a variable", "is a variable in the version")
		u.dropped = append(u.dropped, f.Key)
		if i >= 0 {
			u.moved.Secrets = slices.Delete(u.moved.Secrets, i, i+1)
		}
	}
}

// missingFieldsBut lists required fields without a value, given the secrets that are set.
func (p *connectorPlan) missingFieldsBut(set map[string]secretRecord) []FieldError {
	return slices.DeleteFunc(p.missingFields(), func(f FieldError) bool {
		name, ok := strings.CutPrefix(f.Path, "secrets.")
		_, isSet := set[name]
		return ok && isSet
	})
}
