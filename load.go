package hub

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/scrub"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/storage"
)

// load compiles a stored connector and opens its secrets.
func (t *Tenant) load(ctx context.Context, stored storage.Record, limit restriction) (*connectorPlan, error) {
	rec, err := decodeConnector(stored)
	if err != nil {
		return nil, err
	}
	bounds, err := limit.bounds(&rec.Template)
	if err != nil {
		return nil, err
	}
	plan := t.compile(t.name, &rec.Connector, &rec.Template, bounds)
	t.shares.share(plan)
	plan.revision = rec.revision
	plan.problems = loadable(plan.problems)
	if rec.Deleting {
		plan.problems = append(plan.problems, FieldError{Path: "connector", Rule: "deleting", Message: "is being deleted"})
	}
	plan.until = t.expiry(rec, t.opts.now())
	plan.secrets = t.openSecrets(ctx, rec)
	plan.secrets.unite(plan.hosts)
	for _, s := range plan.secrets {
		plan.stale = plan.stale || s.err != nil
	}
	plan.identify(t.way)
	plan.scrubber = scrub.New(append(plan.known(), plan.composed()...))
	plan.authKey = authKey(rec)
	t.follow(ctx, plan, rec)
	plan.size = planSize(plan)
	return plan, nil
}

// loadable leaves out problems that the guard judges at each call: hosts that the template
// no longer allows take nothing from the others.
func loadable(list []FieldError) []FieldError {
	var out []FieldError
	for _, f := range list {
		if f.Rule != "host" {
			out = append(out, f)
		}
	}
	return out
}

// known lists what must not come back in an answer.
func (p *connectorPlan) known() []scrub.Secret {
	var list []scrub.Secret
	for _, s := range p.secrets {
		if s.err == nil {
			list = append(list, scrub.Secret{Name: s.name, Value: s.value.Reveal()})
		}
	}
	return list
}

// planSize estimates the memory of a plan without its parts, in bytes: also that of what the
// hub keeps for a connector in use beside its plan, its token and its circuits.
func planSize(p *connectorPlan) int64 {
	const fixed = 5 << 10 // as bench measures it
	size := fixed + p.scrubber.Size() + len(p.def.Name)
	for _, r := range p.hosts.Strings() {
		size += 64 + len(r)
	}
	for _, v := range p.vars {
		size += 64 + len(v.name) + len(v.value)
	}
	for _, s := range p.secrets {
		size += 256 + len(s.name) + s.value.Len()
	}
	return int64(size)
}

// secret returns the value of a secret for rendering.
func (p *connectorPlan) secret(name string) (string, error) {
	s := p.secrets.get(name)
	if s == nil {
		return "", failure(NotReady, "secret "+quote(name)+" has no value: set it")
	}
	if s.err != nil {
		return "", own(s.err)
	}
	return s.value.Reveal(), nil
}

func (p *connectorPlan) variable(name string) (string, bool) {
	return p.vars.get(name)
}

// identify builds the TLS identity, takes the way out that belongs to it, and binds what finds
// the values of this plan.
func (p *connectorPlan) identify(way func(*egress.Identity) http.RoundTripper) {
	if p.def.TLS != nil {
		id, err := p.tlsIdentity()
		if err != nil {
			p.problems = append(p.problems, FieldError{Path: "tls", Rule: "certificate", Message: err.Error()})
		}
		p.identity = id
	}
	p.way = way(p.identity)
	p.lookUp = lookUp{p.variable, p.secret, p.allowsOrigin}
}

func (p *connectorPlan) tlsIdentity() (*egress.Identity, error) {
	t := p.def.TLS
	opts := egress.IdentityOptions{Scope: p.tenant + "\x00" + p.def.ID, CAPEM: []byte(t.CA), MinVersion: tls.VersionTLS12}
	if t.MinVersion == "1.3" {
		opts.MinVersion = tls.VersionTLS13
	}
	if t.Certificate != "" {
		s := p.secrets.get(t.Key)
		if s == nil || s.err != nil {
			return nil, errors.New("the private key of the client certificate is not set: set secret " + quote(t.Key))
		}
		cert, err := keyPair(t.Certificate, s.value)
		if err != nil {
			return nil, err
		}
		opts.Certificate = cert
	}
	return egress.NewIdentity(opts)
}

// keyPair never lets the parser's error out: it may quote the key.
func keyPair(certificate string, key secrets.Value) (*tls.Certificate, error) {
	cert, err := tls.X509KeyPair([]byte(certificate), []byte(key.Reveal()))
	if err != nil {
		return nil, errors.New("the private key is not PEM, or does not belong to the client certificate")
	}
	return &cert, nil
}

// certificates parses a PEM chain.
func certificates(text string) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for rest := []byte(text); len(bytes.TrimSpace(rest)) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" {
			return nil, errors.New("must be PEM blocks of type CERTIFICATE and nothing else")
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d is not valid X.509", len(chain)+1)
		}
		chain = append(chain, cert)
	}
	return chain, nil
}
