package hub

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/integrationhub/hub/secrets"
)

// defaultSecretLife is [Options.SecretLife] if it is zero.
const defaultSecretLife = time.Minute

// schemePattern is what the keys of [Options.Resolvers] look like.
var schemePattern = regexp.MustCompile(`^[a-z][a-z0-9+.-]{0,31}$`)

// SetSecretRef makes a secret a reference to a value that is kept elsewhere, written as a
// scheme of [Options.Resolvers] and a locator: "vault:kv/crm#token". In all else it is
// SetSecret: the secret is bound to the same hosts and places, the name is declared, and the
// reference takes effect at once. The value is fetched now, to see that it is there, and
// again for calls, never older than [Options.SecretLife] and what the resolver caches. It
// may be changed where it is kept without being bound again.
//
// Errors: Invalid for a text that is no reference, names no resolver, or points at nothing;
// Forbidden for a locator that the tenant may not use; Unavailable while the resolver does
// not answer. Whoever may call SetSecretRef can bind all that the tenant's locators reach to
// hosts of their choosing.
func (t *Tenant) SetSecretRef(ctx context.Context, connector, name, reference string) (err error) {
	defer finish(&err, "SetSecretRef", connector, "")
	if err := t.checkReference(name, reference); err != nil {
		return err
	}
	return t.setSecret(ctx, connector, name, given{reference: reference})
}

func (t *Tenant) checkReference(name, reference string) error {
	var p problems
	p.refName("name", name)
	scheme, locator, ok := strings.Cut(reference, ":")
	switch {
	case !ok:
		p.add("reference", "reference", "must be a scheme, a colon and a locator")
	case t.opts.Resolvers[scheme] == nil:
		p.add("reference", "unknown-reference", "must begin with a scheme that the host application resolves (Options.Resolvers): %s", joinWords(sortedKeys(t.opts.Resolvers)))
	case secrets.CheckLocator(locator) != nil:
		p.add("reference", "reference", "must have a locator of segments with slashes between, and perhaps a # and a field, made of ASCII letters, digits and -_.~@:+=!,")
	}
	return p.err()
}

// given is what a secret is set to: a value, or a reference to one.
type given struct {
	value     secrets.Value
	reference string
}

// keepSecret stores what a secret is set to under ref, and returns how long its value is.
func (t *Tenant) keepSecret(ctx context.Context, ref secrets.Ref, g given) (length int, err error) {
	if g.reference == "" {
		return g.value.Len(), t.putSecret(ctx, ref, g.value)
	}
	v, err := t.resolve(ctx, g.reference)
	if errors.Is(err, NotReady) {
		return 0, invalid("reference", "unknown-reference", asError(err).Detail())
	}
	if err != nil {
		return 0, err
	}
	return v.Len(), kept(t.references.Put(ctx, ref, secrets.New(g.reference)))
}

// fetchSecret returns the value of a secret, wherever it is kept.
func (t *Tenant) fetchSecret(ctx context.Context, ref secrets.Ref, d *descriptor) (secrets.Value, error) {
	if !d.Reference {
		v, err := t.vault.Get(ctx, ref)
		return v, kept(err)
	}
	reference, err := t.references.Get(ctx, ref)
	if err != nil {
		return secrets.Value{}, kept(err)
	}
	return t.resolve(ctx, reference.Reveal())
}

// resolve fetches what a reference points at.
func (t *Tenant) resolve(ctx context.Context, reference string) (secrets.Value, error) {
	scheme, locator, _ := strings.Cut(reference, ":")
	resolver := t.opts.Resolvers[scheme]
	if resolver == nil {
		return secrets.Value{}, failure(NotReady, "the host application no longer resolves references of scheme "+quote(scheme)+" (Options.Resolvers)")
	}
	v, err := resolver.Resolve(ctx, t.name, locator)
	if err != nil {
		return secrets.Value{}, resolved(err)
	}
	if v.IsZero() || v.Len() > t.limits.ValueBytes {
		return secrets.Value{}, failure(NotReady, fmt.Sprintf("the value that a reference points at is empty, or longer than %d bytes", t.limits.ValueBytes))
	}
	return v, nil
}

// resolved translates an error of a resolver, of which only the sentinels speak.
func resolved(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return asError(err)
	case errors.Is(err, secrets.ErrForbidden):
		return caused(Forbidden, "the reference is outside of what the tenant may use: the host application decides what that is (Options.Resolvers)", err)
	case errors.Is(err, secrets.ErrNotFound):
		return caused(NotReady, "the reference points at nothing: store the secret there, or set it anew", err)
	case errors.Is(err, secrets.ErrInvalid):
		return caused(NotReady, "the reference cannot be resolved, or its value cannot be used: set it anew", err)
	}
	e := caused(Unavailable, "where the reference points does not answer", err)
	e.Retryable = true
	return e
}

// openings bounds how many secrets of one connector are fetched at once from outside.
const openings = 8

// openSecrets opens all secrets of a connector: side by side, where each can mean asking
// somebody outside.
func (t *Tenant) openSecrets(ctx context.Context, rec *connectorRecord) secretPlans {
	names := sortedKeys(rec.Secrets)
	list := make(secretPlans, len(names))
	var group errgroup.Group
	group.SetLimit(1)
	if t.outside(rec) {
		group.SetLimit(openings)
	}
	for i, name := range names {
		group.Go(func() error {
			list[i] = t.openSecret(ctx, rec, name)
			return nil
		})
	}
	_ = group.Wait() // what went wrong stands in each secretPlan
	return list
}

// outside reports whether a connector has secrets that others may change or take away.
func (t *Tenant) outside(rec *connectorRecord) bool {
	if t.opts.Vault != nil {
		return len(rec.Secrets) > 0
	}
	for _, s := range rec.Secrets {
		if s.Reference != "" {
			return true
		}
	}
	return false
}

// expiry returns when the secrets of a connector, read at now, are to be read again; zero:
// when the connector changes.
func (t *Tenant) expiry(rec *connectorRecord, now time.Time) time.Time {
	life := t.opts.SecretLife
	if life == 0 {
		life = defaultSecretLife
	}
	if life < 0 || !t.outside(rec) {
		return time.Time{}
	}
	return now.Add(life)
}

// spent reports whether a plan must be made anew though its definition has not changed: a
// secret could not be had, or has lived its time.
func (p *connectorPlan) spent(now time.Time) bool {
	return p.stale || !p.until.IsZero() && !now.Before(p.until)
}

// checkResolvers refuses schemes that no reference can name.
func (o *Options) checkResolvers() error {
	for scheme, r := range o.Resolvers {
		if !schemePattern.MatchString(scheme) {
			return fmt.Errorf("hub: Options.Resolvers: %q is not a scheme: a letter, then letters, digits, +, . and -, all lower case, at most 32", scheme)
		}
		if r == nil {
			return fmt.Errorf("hub: Options.Resolvers: nobody resolves scheme %q", scheme)
		}
	}
	return nil
}
