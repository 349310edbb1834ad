package hub

import (
	"errors"
	"net/url"
	"slices"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/render"
)

// guard is the step that holds the final URL against the hosts of the connector, and every
// secret against the hosts and places that it is bound to. Where the address of the host
// lies is decided later, at the moment of connecting.
//
// What passed is remembered: most requests go to one origin with the same secrets in the same places.
func (r *run) guard() error {
	state := r.plan.state(r.req)
	last := state.passed.Load()
	if last.admits(r.wire) {
		return nil
	}
	if err := r.plan.guard(&r.core.opts.Egress, r.req, r.wire); err != nil {
		return err
	}
	if last == nil {
		state.passed.Store(&passed{scheme: r.wire.URL.Scheme, host: r.wire.URL.Host, sinks: r.wire.Sinks, rule: r.plan.hostRule(r.wire.URL)})
	}
	return nil
}

// hostRule is the one of the connector's Hosts that the call goes to, empty if none is.
func (r *run) hostRule() string {
	if last := r.plan.state(r.req).passed.Load(); last.goes(r.wire.URL) {
		return last.rule
	}
	return r.plan.hostRule(r.wire.URL)
}

func (p *connectorPlan) hostRule(u *url.URL) string {
	if rule, ok := p.hosts.For(u); ok {
		return rule.String()
	}
	return ""
}

// passed is all of a call that the guard looks at, of one of the same plan that it let pass.
type passed struct {
	scheme, host string
	sinks        []render.Sink
	rule         string // the one of the connector's Hosts that allows it
}

// admits reports whether the guard would look at the same again.
func (p *passed) admits(wire *render.Request) bool {
	return p.goes(wire.URL) && wire.URL.User == nil && wire.URL.Opaque == "" && slices.Equal(p.sinks, wire.Sinks)
}

// goes reports whether a call goes to the same origin.
func (p *passed) goes(u *url.URL) bool {
	return p != nil && p.host == u.Host && p.scheme == u.Scheme
}

func (p *connectorPlan) guard(open *Egress, req *requestPlan, wire *render.Request) error {
	if err := p.mayGo(open, wire.URL); err != nil {
		return err
	}
	for _, sink := range wire.Sinks {
		if err := p.mayCarry(sink, wire.URL, req.auth); err != nil {
			return err
		}
	}
	return p.mayIdentify(wire.URL)
}

// mayIdentify refuses to show the client certificate to a host that the secret with its key
// is not bound to: what the key proves there was not its owner's intention.
func (p *connectorPlan) mayIdentify(u *url.URL) error {
	if key := p.certificateKey(); key != "" && !p.secrets.get(key).allows(u) {
		return failure(Forbidden, p.secrets.get(key).unbound(key, u))
	}
	return nil
}

// certificateKey names the secret that holds the private key of the client certificate,
// empty if there is none or it is not set.
func (p *connectorPlan) certificateKey() string {
	if p.def.TLS == nil {
		return ""
	}
	if s := p.secrets.get(p.def.TLS.Key); s == nil || s.err != nil {
		return ""
	}
	return p.def.TLS.Key
}

// mayGo refuses a URL that the host application or the connector's Hosts do not allow.
func (p *connectorPlan) mayGo(open *Egress, u *url.URL) error {
	if err := open.policy().CheckURL(u); err != nil {
		var refusal *egress.Refusal
		if errors.As(err, &refusal) && refusal.Reason == egress.RefusedScheme {
			return failure(Forbidden, "only https is open here")
		}
		return failure(Forbidden, "port and host of the URL are not open here: the host application decides what is (Options.Egress)")
	}
	if !p.hosts.AllowsURL(u) {
		return failure(Forbidden, "host "+quote(egress.RuleFor(u).String())+" is not among those the connector may call")
	}
	return nil
}

// mayCarry refuses a secret on its way to a host or place that it is not bound to.
func (p *connectorPlan) mayCarry(sink render.Sink, u *url.URL, auth bool) error {
	s := p.secrets.get(sink.Secret)
	if s == nil { // a value of the authentication's answer: the grant's own hosts hold
		return nil
	}
	if !s.allows(u) {
		return failure(Forbidden, s.unbound(sink.Secret, u))
	}
	if !s.stands(sink.Place, auth) {
		return failure(Forbidden, misplacedText(sink))
	}
	return nil
}

// unbound says why a secret may not go to a URL: by its binding, or by a declaration that has
// become narrower since, which no setting mends.
func (s *secretPlan) unbound(name string, u *url.URL) string {
	host := egress.RuleFor(u).String()
	if s.hosts.AllowsURL(u) && s.narrower != nil && !s.narrower.AllowsURL(u) {
		return "secret " + quote(name) + " may not go to host " + quote(host) + ", which its declaration does not list: add it to the secret's hosts"
	}
	return unboundText(name, host)
}

func unboundText(secret, host string) string {
	return "secret " + quote(secret) + " is not bound to host " + quote(host) + ", which was not among its hosts when it was set: set its value again to send it there"
}

func misplacedText(sink render.Sink) string {
	return "secret " + quote(sink.Secret) + " is not bound to " + quote(string(sink.Place)) + ": list the place in its declaration and set its value again"
}

// allowsOrigin admits an origin that an authentication's answer names.
func (p *connectorPlan) allowsOrigin(origin string) bool {
	u, err := egress.ParseURL(origin)
	return err == nil && p.hosts.AllowsURL(u)
}

// policy is what the host application opened.
func (e *Egress) policy() egress.Policy {
	return egress.Policy{
		AllowLoopback: e.AllowLoopback, AllowPrivate: e.AllowPrivate, AllowHTTP: e.AllowHTTP,
		AllowPorts: e.AllowPorts, AllowAnyPort: e.AllowAnyPort,
	}
}

func (c *core) policy() egress.Policy { return c.opts.Egress.policy() }

func (c *core) egressConfig() egress.Config {
	return egress.Config{
		Policy:         c.policy(),
		RootCAs:        c.opts.Egress.RootCAs,
		Resolver:       c.opts.Egress.Resolver,
		DialTimeout:    c.limits.DialTimeout,
		TLSTimeout:     c.limits.TLSTimeout,
		MaxHeaderBytes: c.limits.HeaderBytes,
	}
}
