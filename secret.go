package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/scrub"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/sealed"
)

// secretRecord is what a connector's record keeps of a secret that is set: the sealed
// descriptor, and in plain text what may be shown of it.
type secretRecord struct {
	Generation int64     `json:"generation"`
	SetAt      time.Time `json:"setAt"`
	Hosts      []string  `json:"hosts"`
	Places     []string  `json:"places,omitempty"`
	Short      bool      `json:"short,omitempty"`
	// Reference is where the value is kept if it is kept elsewhere.
	Reference string `json:"reference,omitempty"`
	// Box is the sealed descriptor; what it says goes, whatever stands above.
	Box []byte `json:"box"`
	// Next is the version that is to follow; nil: there is none.
	Next *secretRecord `json:"next,omitempty"`
}

// descriptor binds a secret. Its JSON is canonical: the same binding is the same text.
type descriptor struct {
	Hosts  []string `json:"hosts"`
	Places []string `json:"places"`
	// Reach are the connector's hosts when the value was set: where tokens may go that
	// the secret fetched, also if the secret itself is bound to fewer.
	Reach      []string `json:"reach"`
	Generation int64    `json:"generation"`
	// Reference tells that what is kept under the binding is no value, but a reference.
	Reference bool `json:"reference,omitempty"`
}

// SecretInfo is what can be known of a secret.
type SecretInfo struct {
	Name string `json:"name"`
	// Set tells that a value is stored.
	Set   bool      `json:"set"`
	SetAt time.Time `json:"setAt,omitzero"`
	// Hosts and Places are what the value is bound to.
	Hosts  []string `json:"hosts,omitempty"`
	Places []string `json:"places,omitempty"`
	// Reference is where the value is kept, as SetSecretRef was told; empty if the vault
	// keeps it.
	Reference string `json:"reference,omitempty"`
	// Next is the value that is to follow, set by SetNextSecret; nil if there is none.
	Next *SecretInfo `json:"next,omitempty"`
	// Taken tells, while there is a next value, which of the two the third party took last
	// from this process; empty if that is not known.
	Taken SecretVersion `json:"taken,omitempty"`
	// Warning says what is unfortunate about the value, empty if nothing is.
	Warning string `json:"warning,omitempty"`
}

// minScrub is the length in bytes from which secrets are found inside other text.
const minScrub = scrub.MinLength

// SetSecret stores the value of a secret and binds it: to the hosts that its declaration
// names or, if it names none, to those of the connector at this moment; and to the declared
// places. It is never sent anywhere else, and it can never be read back. A name that is not
// declared becomes so.
//
// The value takes effect at once. An empty one is an Invalid, and so is setting a secret of
// a connector without Hosts. With a read-only vault pass the zero Value: the hub then looks
// whether the vault has the secret, and binds it.
func (t *Tenant) SetSecret(ctx context.Context, connector, name string, value secrets.Value) (err error) {
	defer finish(&err, "SetSecret", connector, "")
	if err := t.checkSecret(name, value); err != nil {
		return err
	}
	return t.setSecret(ctx, connector, name, given{value: value})
}

func (t *Tenant) setSecret(ctx context.Context, connector, name string, g given) error {
	var generation int64
	con, err := t.change(ctx, connector, anyRevision, func(ctx context.Context, rec *connectorRecord) error {
		set, err := t.bindSecret(ctx, rec, name, g)
		if err != nil {
			return err
		}
		if rec.Secrets == nil {
			rec.Secrets = map[string]secretRecord{}
		}
		rec.Secrets[name], generation = set, set.Generation
		return nil
	})
	if err != nil {
		return err
	}
	t.grants.Drop(t.grantKey(con.ID))
	t.forgetOlder(ctx, con.ID, name, generation)
	return nil
}

func (t *Tenant) checkSecret(name string, value secrets.Value) error {
	var p problems
	p.refName("name", name)
	if value.Len() > t.limits.ValueBytes {
		p.add("value", "too-long", "must be at most %d bytes", t.limits.ValueBytes)
	}
	if !value.IsZero() && value.Len() == 0 {
		p.add("value", "required", "must not be empty")
	}
	return p.err()
}

// bindSecret stores what is given under its next generation and returns what the connector's
// record is to keep of it. The generations before stay until the record is written.
func (t *Tenant) bindSecret(ctx context.Context, rec *connectorRecord, name string, g given) (secretRecord, error) {
	con := &rec.Connector
	if err := rec.declare(name, t.limits.Names); err != nil {
		return secretRecord{}, err
	}
	d, err := rec.bindingOf(name)
	if err != nil {
		return secretRecord{}, err
	}
	now := t.opts.now().UTC()
	set := rec.Secrets[name]
	before := slices.Max(set.generations())
	d.Generation, d.Reference = nextGeneration(before, now), g.reference != ""
	length, err := t.keepSecret(ctx, t.secretRef(con.ID, name, d), g)
	if err != nil {
		return secretRecord{}, err
	}
	box, err := sealed.Seal(ctx, t.keeper, d.encode(), t.descriptorAAD(con.ID, name)...)
	if err != nil {
		return secretRecord{}, kept(err)
	}
	return secretRecord{
		Generation: d.Generation, SetAt: now, Hosts: d.Hosts, Places: d.Places,
		Short: length > 0 && length < minScrub, Reference: g.reference, Box: box,
	}, nil
}

// declare makes sure that a name is declared as a secret.
func (rec *connectorRecord) declare(name string, most int) error {
	con := &rec.Connector
	if _, taken := con.Variables[name]; taken {
		return invalid("name", "duplicate", "is the name of a variable")
	}
	for _, f := range rec.Template.Fields {
		if f.Key == name && !f.Secret {
			return invalid("name", "duplicate", "is a variable of the template")
		}
		if f.Key == name {
			return nil
		}
	}
	if slices.ContainsFunc(con.Secrets, func(s Secret) bool { return s.Name == name }) {
		return nil
	}
	if len(rec.secretNames())+len(con.Variables) >= most {
		return invalid("name", "too-many", fmt.Sprintf("a connector can have %d variables and secrets", most))
	}
	con.Secrets = append(con.Secrets, Secret{Name: name})
	return nil
}

// bindingOf returns where a secret set now may go.
func (rec *connectorRecord) bindingOf(name string) (descriptor, error) {
	con := &rec.Connector
	declared := con.secret(name)
	hosts := canonicalHosts(con.Hosts)
	slices.Sort(hosts)
	reach := hosts
	if len(hosts) == 0 {
		return descriptor{}, invalid("hosts", "required", "the connector names no hosts that a secret could be bound to: set its Hosts first")
	}
	if len(declared.Hosts) > 0 {
		wide, _ := egress.ParseRules(hosts...)
		hosts = canonicalHosts(declared.Hosts)
		for i, h := range hosts {
			if r, err := egress.ParseRule(h); err != nil || !wide.Covers(r) {
				return descriptor{}, invalid(at("secret.hosts", i), "host", "is not among the connector's hosts")
			}
		}
	}
	slices.Sort(hosts)
	places := slices.Clone(declared.Places)
	slices.Sort(places)
	return descriptor{Hosts: hosts, Places: places, Reach: reach}, nil
}

// putSecret stores a value or, given none, looks whether a read-only vault has one.
func (t *Tenant) putSecret(ctx context.Context, ref secrets.Ref, value secrets.Value) error {
	if value.IsZero() {
		_, err := t.vault.Get(ctx, ref)
		if errors.Is(err, secrets.ErrNotFound) {
			return invalid("value", "required", "must not be empty: the vault holds no such secret yet")
		}
		return kept(err)
	}
	return kept(t.vault.Put(ctx, ref, value))
}

// DeleteSecret removes the value of a secret. Its name stays declared; calls that need it
// are not ready until it is set again.
func (t *Tenant) DeleteSecret(ctx context.Context, connector, name string) (err error) {
	defer finish(&err, "DeleteSecret", connector, "")
	var last int64 // the newest generation that can be from before
	con, err := t.change(ctx, connector, anyRevision, func(_ context.Context, rec *connectorRecord) error {
		set, ok := rec.Secrets[name]
		if !ok {
			return failure(NotFound, "no value is set for secret "+quote(name))
		}
		last = nextRevision(slices.Max(set.generations()), t.opts.now())
		delete(rec.Secrets, name)
		return nil
	})
	if err != nil {
		return err
	}
	t.grants.Drop(t.grantKey(con.ID))
	return t.forgetSecrets(ctx, con.ID, func(ref secrets.Ref) bool { return ref.Name != name || ref.Generation > last })
}

// ListSecrets returns what can be known of a connector's secrets, ordered by name: never a
// value.
func (t *Tenant) ListSecrets(ctx context.Context, connector string) (_ []SecretInfo, err error) {
	defer finish(&err, "ListSecrets", connector, "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	rec, err := t.connector(ctx, connector)
	if err != nil {
		return nil, err
	}
	list := []SecretInfo{}
	for _, name := range sortedKeys(rec.secretNames()) {
		info := rec.info(name)
		if info.Next != nil {
			info.Taken = t.versions.taken(planKey{t.name, rec.Connector.ID}, authKey(rec.following()), name)
		}
		list = append(list, info)
	}
	return list, nil
}

// secretNames are the names that the connector or its template declares as secrets.
func (rec *connectorRecord) secretNames() map[string]bool {
	names := map[string]bool{}
	for _, s := range rec.Connector.Secrets {
		names[s.Name] = true
	}
	for _, f := range rec.Template.Fields {
		if f.Secret {
			names[f.Key] = true
		}
	}
	return names
}

func (rec *connectorRecord) info(name string) SecretInfo {
	s, ok := rec.Secrets[name]
	info := s.info(name)
	info.Set = ok
	if s.Next != nil {
		next := s.Next.info(name)
		info.Next = &next
	}
	return info
}

func (s *secretRecord) info(name string) SecretInfo {
	info := SecretInfo{Name: name, Set: true, SetAt: s.SetAt, Hosts: s.Hosts, Places: s.Places, Reference: s.Reference}
	if s.Short {
		info.Warning = fmt.Sprintf("is shorter than %d bytes: in answers it is masked only where it is a whole value", minScrub)
	}
	return info
}

// forgetOlder deletes the generations of a secret but those that are in force, so that
// an older record of the connector, put back into the store, opens nothing. What a vault
// that fails keeps, the next setting deletes.
func (t *Tenant) forgetOlder(ctx context.Context, connector, name string, inForce ...int64) {
	err := t.forgetSecrets(ctx, connector, func(ref secrets.Ref) bool {
		const unknown = 0 // the vault keeps one value for all generations
		return ref.Name != name || ref.Generation >= slices.Max(inForce) || slices.Contains(inForce, ref.Generation) || ref.Generation == unknown
	})
	if err != nil {
		t.log.WarnContext(ctx, "an older value of a secret is left in the vault", "tenant", t.name, "connector", connector, "secret", name, "error", err)
	}
}

// forgetSecrets deletes the values and references that are kept for a connector, but those
// to keep. A vault that is read-only is left as it is.
func (t *Tenant) forgetSecrets(ctx context.Context, connector string, keep func(secrets.Ref) bool) error {
	if t.opts.Vault != nil {
		if err := t.forgetIn(ctx, t.references, connector, keep); err != nil {
			return err
		}
	}
	return t.forgetIn(ctx, t.vault, connector, keep)
}

func (t *Tenant) forgetIn(ctx context.Context, vault secrets.Vault, connector string, keep func(secrets.Ref) bool) error {
	refs, err := vault.List(ctx, t.name, connector)
	if err != nil {
		return kept(err)
	}
	for _, ref := range refs {
		if keep(ref) {
			continue
		}
		if err := vault.Delete(ctx, ref); err != nil && !errors.Is(err, secrets.ErrReadOnly) {
			return kept(err)
		}
	}
	return nil
}

func keepNone(secrets.Ref) bool { return false }

// kept translates an error of the vault or the keeper. Their texts may name services and
// paths, so only their sentinels speak.
func kept(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return asError(err)
	case errors.Is(err, secrets.ErrReadOnly):
		return caused(ReadOnly, "the vault takes no values: store the secret where the vault reads it, then set it here without a value", err)
	case errors.Is(err, secrets.ErrNotFound):
		return caused(NotReady, "the vault does not hold the secret: set it again", err)
	case errors.Is(err, secrets.ErrKeyNotFound):
		return caused(Unavailable, "the key that sealed a secret is not in the keeper: give the hub the keeper that holds it", err)
	case errors.Is(err, secrets.ErrSealBroken):
		return caused(Unavailable, "the seal of a secret is broken, its record was altered: set it again", err)
	case errors.Is(err, secrets.ErrInvalid):
		return caused(Invalid, "the vault refuses the secret", err)
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	e = caused(Unavailable, "the vault or the keeper of keys does not answer", err)
	e.Retryable = true
	return e
}
