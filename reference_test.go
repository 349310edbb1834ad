package hub_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// depot is a source of secrets that a test fills.
type depot struct {
	mu      sync.Mutex
	values  map[string]string
	err     error // of every fetch
	fetches []string
}

func (d *depot) Fetch(ctx context.Context, locator string) (secrets.Value, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fetches = append(d.fetches, locator)
	if err := errors.Join(ctx.Err(), d.err); err != nil {
		return secrets.Value{}, err
	}
	v, ok := d.values[locator]
	if !ok {
		return secrets.Value{}, fmt.Errorf("%w: %s", secrets.ErrNotFound, locator)
	}
	return secrets.New(v), nil
}

func (d *depot) set(locator, value string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.values[locator], d.err = value, err
}

func (d *depot) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.fetches)
}

const referred = "referred-0123456789"

// referring opens a hub whose tenants' references lie under kv/TENANT, with a connector of
// tenant "acme" that sends secret "key" to srv.
func referring(t *testing.T, change ...func(*hub.Options)) (*hub.Hub, *hubtest.Server, *depot, storage.Store) {
	t.Helper()
	d := &depot{values: map[string]string{"kv/acme/crm#token": referred, "kv/beta/crm#token": "beta's own secret"}}
	store := memory.New()
	h := openOn(t, store, append([]func(*hub.Options){func(o *hub.Options) {
		o.Resolvers = map[string]secrets.Resolver{"vault": secrets.Scoped(d, func(tenant string) string { return "kv/" + tenant })}
	}}, change...)...)
	srv := hubtest.NewServer(t)
	keyed(t, h.Tenant("acme"), srv)
	return h, srv, d, store
}

// keyed saves a connector whose request sends secret "key" as a header.
func keyed(t *testing.T, h *hub.Tenant, srv *hubtest.Server) hub.Connector {
	t.Helper()
	srv.Handle("/", hubtest.Status(200))
	return connector(t, h, srv, func(c *hub.Connector) {
		c.ID, c.Secrets = "con", []hub.Secret{{Name: "key"}}
		c.Requests = []hub.Request{{Name: "r", Method: "GET", URL: srv.URL + "/r", Headers: []hub.Header{{Name: "X-Key", Value: "[[key]]"}}}}
	})
}

// sent runs the request and returns the key that arrived.
func sent(t *testing.T, h *hub.Tenant, srv *hubtest.Server) (string, error) {
	t.Helper()
	srv.Forget()
	_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "r"})
	if got := srv.Requests(); len(got) == 1 {
		return got[0].Header.Get("X-Key"), err
	}
	return "", err
}

func TestAReferenceIsResolvedForCalls(t *testing.T) {
	h, srv, _, _ := referring(t)
	srv.Handle("/r", hubtest.Text(200, "echo of "+referred))
	acme := h.Tenant("acme")
	require.NoError(t, acme.SetSecretRef(t.Context(), "con", "key", "vault:kv/acme/crm#token"))
	got, err := sent(t, acme, srv)
	require.NoError(t, err)
	assert.Equal(t, referred, got)

	res, err := acme.Execute(t.Context(), hub.Call{Connector: "con", Request: "r"})
	require.NoError(t, err)
	assert.NotContains(t, string(res.Body), referred, "what a reference points at is masked in answers")

	list, err := acme.ListSecrets(t.Context(), "con")
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, "vault:kv/acme/crm#token", list[0].Reference)
	assert.Equal(t, []string{srv.Host()}, list[0].Hosts, "it is bound like any secret")
	assert.True(t, list[0].Set)
}

func TestAReferenceIsBoundLikeAnySecret(t *testing.T) {
	h, srv, _, _ := referring(t)
	acme := h.Tenant("acme")
	require.NoError(t, acme.SetSecretRef(t.Context(), "con", "key", "vault:kv/acme/crm#token"))
	other := hubtest.NewServer(t)
	other.Handle("/", hubtest.Status(200))
	con, err := acme.GetConnector(t.Context(), "con")
	require.NoError(t, err)
	con.Hosts = append(con.Hosts, other.Host())
	con.TLS.CA += string(other.CA())
	con.Requests[0].URL = other.URL + "/r"
	_, err = acme.UpdateConnector(t.Context(), con)
	require.NoError(t, err)
	_, err = sent(t, acme, srv)
	require.ErrorIs(t, err, hub.Forbidden)
	assert.Empty(t, other.Requests())

	require.NoError(t, acme.SetSecretRef(t.Context(), "con", "key", "vault:kv/acme/crm#token"))
	got, err := sent(t, acme, other)
	require.NoError(t, err)
	assert.Equal(t, referred, got)
}

func TestAReferenceThatCannotBeSet(t *testing.T) {
	cases := []struct {
		name, reference string
		err             error // of the source
		want            error
		asked           int
	}{
		{"no scheme", "kv/acme/crm#token", nil, hub.Invalid, 0},
		{"an unknown scheme", "other:kv/acme/crm#token", nil, hub.Invalid, 0},
		{"no locator", "vault:", nil, hub.Invalid, 0},
		{"empty", "", nil, hub.Invalid, 0},
		{"a locator that climbs", "vault:kv/acme/../beta/crm#token", nil, hub.Invalid, 0},
		{"another tenant's", "vault:kv/beta/crm#token", nil, hub.Forbidden, 0},
		{"above the tenant's prefix", "vault:kv#token", nil, hub.Forbidden, 0},
		{"pointing at nothing", "vault:kv/acme/crm#other", nil, hub.Invalid, 1},
		{"while nobody answers", "vault:kv/acme/crm#token", errors.New("down: " + referred), hub.Unavailable, 1},
		{"that the source refuses", "vault:kv/acme/crm#token", secrets.ErrInvalid, hub.Invalid, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h, srv, d, _ := referring(t)
			d.err = c.err
			acme := h.Tenant("acme")
			err := acme.SetSecretRef(t.Context(), "con", "key", c.reference)
			require.ErrorIs(t, err, c.want)
			assert.NotContains(t, err.Error(), referred)
			assert.Len(t, d.fetches, c.asked)
			_, err = sent(t, acme, srv)
			assert.ErrorIs(t, err, hub.NotReady, "nothing was set")
		})
	}
}

func TestAReferenceIsReadAgainAfterItsLife(t *testing.T) {
	now := newClock()
	h, srv, d, _ := referring(t, at(now), func(o *hub.Options) { o.SecretLife = 10 * time.Minute })
	acme := h.Tenant("acme")
	require.NoError(t, acme.SetSecretRef(t.Context(), "con", "key", "vault:kv/acme/crm#token"))
	_, err := sent(t, acme, srv)
	require.NoError(t, err)
	before := d.count()
	d.set("kv/acme/crm#token", "rotated-0123456789", nil)

	now.advance(10*time.Minute - time.Second)
	got, err := sent(t, acme, srv)
	require.NoError(t, err)
	assert.Equal(t, referred, got, "within its life the value is used as it was read")
	assert.Equal(t, before, d.count())

	now.advance(time.Second)
	got, err = sent(t, acme, srv)
	require.NoError(t, err)
	assert.Equal(t, "rotated-0123456789", got)
	assert.Equal(t, before+1, d.count())
}

func TestAReferenceWithoutLifeIsReadWhenTheConnectorChanges(t *testing.T) {
	now := newClock()
	h, srv, d, _ := referring(t, at(now), func(o *hub.Options) { o.SecretLife = -1 })
	acme := h.Tenant("acme")
	require.NoError(t, acme.SetSecretRef(t.Context(), "con", "key", "vault:kv/acme/crm#token"))
	_, err := sent(t, acme, srv)
	require.NoError(t, err)
	d.set("kv/acme/crm#token", "rotated-0123456789", nil)
	now.advance(1000 * time.Hour)
	got, err := sent(t, acme, srv)
	require.NoError(t, err)
	assert.Equal(t, referred, got)
}

func TestAnOutageOfTheSourceFailsCallsAfterTheLife(t *testing.T) {
	now := newClock()
	h, srv, d, _ := referring(t, at(now))
	acme := h.Tenant("acme")
	require.NoError(t, acme.SetSecretRef(t.Context(), "con", "key", "vault:kv/acme/crm#token"))
	_, err := sent(t, acme, srv)
	require.NoError(t, err)
	d.set("kv/acme/crm#token", referred, errors.New("connection refused: "+referred))
	now.advance(time.Minute)
	_, err = sent(t, acme, srv)
	require.ErrorIs(t, err, hub.Unavailable)
	assert.NotContains(t, err.Error(), referred)
	var e *hub.Error
	require.ErrorAs(t, err, &e)
	assert.True(t, e.Retryable)
	assert.Empty(t, srv.Requests())

	d.set("kv/acme/crm#token", referred, nil)
	now.advance(time.Second)
	got, err := sent(t, acme, srv)
	require.NoError(t, err, "it is tried again at the next check")
	assert.Equal(t, referred, got)
}

// What the host application takes from a tenant is gone, however the reference was set.
func TestAPrefixThatMovesIsHeld(t *testing.T) {
	now := newClock()
	prefix := "kv/acme"
	d := &depot{values: map[string]string{"kv/acme/crm#token": referred}}
	h := open(t, at(now), func(o *hub.Options) {
		o.Resolvers = map[string]secrets.Resolver{"vault": secrets.Scoped(d, func(string) string { return prefix })}
	})
	srv := hubtest.NewServer(t)
	keyed(t, h.Tenant(""), srv)
	require.NoError(t, h.SetSecretRef(t.Context(), "con", "key", "vault:kv/acme/crm#token"))
	prefix = "kv/acme/desk"
	now.advance(time.Minute)
	_, err := sent(t, h.Tenant(""), srv)
	assert.Equal(t, []string{"secrets.key forbidden"}, brokenRules(failed(t, err, hub.NotReady)))
	assert.Empty(t, srv.Requests())
}

func TestReferencesLeaveNothingBehind(t *testing.T) {
	h, _, _, store := referring(t)
	acme := h.Tenant("acme")
	kept := func() int {
		page, err := store.List(t.Context(), storage.Query{Tenant: "acme", Kind: "secret", Parent: "con", Limit: 100})
		require.NoError(t, err)
		return len(page.Records)
	}
	for _, what := range []string{"set again", "set to a value", "set to a reference"} {
		require.NoError(t, acme.SetSecretRef(t.Context(), "con", "key", "vault:kv/acme/crm#token"), what)
		assert.Equal(t, 1, kept(), what)
		if what == "set to a value" {
			setSecret(t, acme, "con", "key", "a value 0123456789")
			assert.Equal(t, 1, kept(), what)
		}
	}
	require.NoError(t, acme.DeleteSecret(t.Context(), "con", "key"))
	assert.Zero(t, kept())
	require.NoError(t, acme.SetSecretRef(t.Context(), "con", "key", "vault:kv/acme/crm#token"))
	con, err := acme.GetConnector(t.Context(), "con")
	require.NoError(t, err)
	require.NoError(t, acme.DeleteConnector(t.Context(), "con", con.Revision))
	assert.Zero(t, kept())
}

// A value never becomes a reference, whatever it says.
func TestAValueThatReadsLikeAReferenceIsAValue(t *testing.T) {
	h, srv, d, _ := referring(t)
	acme := h.Tenant("acme")
	setSecret(t, acme, "con", "key", "vault:kv/acme/crm#token")
	got, err := sent(t, acme, srv)
	require.NoError(t, err)
	assert.Equal(t, "vault:kv/acme/crm#token", got)
	assert.Zero(t, d.count())
}

// Whoever can write the store, but holds no key, brings back neither an old reference nor
// one of another name.
func TestReferencesInATamperedStore(t *testing.T) {
	now := newClock()
	h, srv, d, store := referring(t, at(now))
	acme := h.Tenant("acme")
	d.set("kv/acme/old", "old-reference-0123456789", nil)
	require.NoError(t, acme.SetSecretRef(t.Context(), "con", "key", "vault:kv/acme/old"))
	key := storage.Key{Tenant: "acme", Kind: "connector", ID: "con"}
	old, err := store.Get(t.Context(), key)
	require.NoError(t, err)
	require.NoError(t, acme.SetSecretRef(t.Context(), "con", "key", "vault:kv/acme/crm#token"))
	fresh, err := store.Get(t.Context(), key)
	require.NoError(t, err)
	old.Revision = fresh.Revision + 1
	require.NoError(t, store.Apply(t.Context(), storage.Update(old, fresh.Revision)))
	now.advance(time.Second)
	_, err = sent(t, acme, srv)
	failed(t, err, hub.NotReady)
	assert.Empty(t, srv.Requests())
}

func TestACopyHoldsNoReference(t *testing.T) {
	h, _, _, _ := referring(t)
	acme := h.Tenant("acme")
	require.NoError(t, acme.SetSecretRef(t.Context(), "con", "key", "vault:kv/acme/crm#token"))
	_, err := acme.CopyConnector(t.Context(), "con", "copy")
	require.NoError(t, err)
	_, err = acme.Execute(t.Context(), hub.Call{Connector: "copy", Request: "r"})
	assert.ErrorIs(t, err, hub.NotReady)
}

// A vault that other software fills is read again after the life of its values.
func TestAnOutsideVaultIsReadAgain(t *testing.T) {
	now, v := newClock(), &depotVault{depot: depot{values: map[string]string{"key": "first-0123456789"}}}
	h := open(t, at(now), func(o *hub.Options) { o.Vault = v })
	srv := hubtest.NewServer(t)
	keyed(t, h.Tenant(""), srv)
	require.NoError(t, h.SetSecret(t.Context(), "con", "key", secrets.Value{}))
	_, err := sent(t, h.Tenant(""), srv)
	require.NoError(t, err)
	v.set("key", "second-0123456789", nil)
	now.advance(time.Minute)
	got, err := sent(t, h.Tenant(""), srv)
	require.NoError(t, err)
	assert.Equal(t, "second-0123456789", got)
}

// depotVault is a read-only vault: by their names, it has every connector's secrets.
type depotVault struct{ depot }

func (d *depotVault) Get(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	return d.Fetch(ctx, ref.Name)
}

func (*depotVault) Put(context.Context, secrets.Ref, secrets.Value) error {
	return secrets.ErrReadOnly
}

func (*depotVault) Delete(context.Context, secrets.Ref) error { return secrets.ErrReadOnly }

func (*depotVault) List(context.Context, string, string) ([]secrets.Ref, error) { return nil, nil }

func TestReferencesBesideAReadOnlyVault(t *testing.T) {
	h, srv, _, store := referring(t, func(o *hub.Options) { o.Vault = &depotVault{depot: depot{values: map[string]string{}}} })
	acme := h.Tenant("acme")
	require.NoError(t, acme.SetSecretRef(t.Context(), "con", "key", "vault:kv/acme/crm#token"))
	got, err := sent(t, acme, srv)
	require.NoError(t, err)
	assert.Equal(t, referred, got)
	require.NoError(t, acme.DeleteSecret(t.Context(), "con", "key"))
	page, err := store.List(t.Context(), storage.Query{Tenant: "acme", Kind: "secret", Parent: "con", Limit: 100})
	require.NoError(t, err)
	assert.Empty(t, page.Records)
}

func TestAReferenceToAValueThatCannotBeUsed(t *testing.T) {
	for name, value := range map[string]string{"empty": "", "too long": strings.Repeat("x", 101)} {
		t.Run(name, func(t *testing.T) {
			now := newClock()
			h, srv, d, _ := referring(t, at(now), func(o *hub.Options) { o.Limits.ValueBytes = 100 })
			acme := h.Tenant("acme")
			d.set("kv/acme/odd", value, nil)
			require.ErrorIs(t, acme.SetSecretRef(t.Context(), "con", "key", "vault:kv/acme/odd"), hub.Invalid)
			require.NoError(t, acme.SetSecretRef(t.Context(), "con", "key", "vault:kv/acme/crm#token"))
			d.set("kv/acme/crm#token", value, nil)
			now.advance(time.Minute)
			_, err := sent(t, acme, srv)
			assert.Equal(t, []string{"secrets.key not-ready"}, brokenRules(failed(t, err, hub.NotReady)))
		})
	}
}

// A host application that comes up without a resolver says so, and the rest goes on.
func TestAReferenceThatNobodyResolvesAnyMore(t *testing.T) {
	now := newClock()
	resolvers := map[string]secrets.Resolver{"vault": secrets.Scoped(&depot{values: map[string]string{"kv/a": referred}}, func(string) string { return "kv" })}
	h := open(t, at(now), func(o *hub.Options) { o.Resolvers = resolvers })
	srv := hubtest.NewServer(t)
	keyed(t, h.Tenant(""), srv)
	require.NoError(t, h.SetSecretRef(t.Context(), "con", "key", "vault:kv/a"))
	delete(resolvers, "vault")
	now.advance(time.Minute)
	_, err := sent(t, h.Tenant(""), srv)
	e := failed(t, err, hub.NotReady)
	assert.Contains(t, e.Error(), `no longer resolves references of scheme "vault"`)
}

// at lets a hub run by a clock.
func at(now *clock) func(*hub.Options) { return func(o *hub.Options) { o.Now = now.Now } }

func TestNewRefusesResolversThatNoReferenceNames(t *testing.T) {
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	refused := func(scheme string, r secrets.Resolver) string {
		_, err := hub.New(memory.New(), keeper, &hub.Options{Resolvers: map[string]secrets.Resolver{scheme: r}})
		require.Error(t, err, "%q", scheme)
		return err.Error()
	}
	good := secrets.Scoped(&depot{}, func(string) string { return "kv" })
	for _, scheme := range []string{"", "Vault", "a:b", "1a", "a b"} {
		assert.Contains(t, refused(scheme, good), "is not a scheme")
	}
	assert.Contains(t, refused("vault", nil), "nobody resolves")
}
