package chain_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/chain"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/secrets/secretstest"
	"github.com/integrationhub/hub/storage/memory"
)

func keeper(t testing.TB) secrets.Keeper {
	t.Helper()
	k, err := keyset.Generate()
	require.NoError(t, err)
	return k
}

func vault(t testing.TB) secrets.Vault {
	t.Helper()
	store := memory.New()
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return sealed.New(store, keeper(t))
}

func open(t testing.TB, routes ...chain.Route) *chain.Vault {
	t.Helper()
	v, err := chain.New(routes...)
	require.NoError(t, err)
	return v
}

// The contract holds however the secrets of the suite are spread.
func TestContract(t *testing.T) {
	secretstest.RunVault(t, func(t *testing.T) secrets.Vault {
		return open(t,
			chain.Route{Tenant: "acme", Connector: "crm", Name: "a*", Vault: vault(t)},
			chain.Route{Tenant: "acme", Name: "name1*", Vault: vault(t)},
			chain.Route{Connector: "cr*", Vault: vault(t)},
			chain.Route{Vault: vault(t)})
	})
}

func TestKeeperContract(t *testing.T) {
	secretstest.RunKeeper(t, func(t *testing.T) secrets.Keeper { return chain.NewKeeper(keeper(t), keeper(t)) })
}

func TestTheFirstRouteThatMatchesIsTaken(t *testing.T) {
	list := []secrets.Vault{vault(t), vault(t), vault(t), vault(t)}
	v := open(t,
		chain.Route{Tenant: "acme", Connector: "crm", Name: "token", Vault: list[0]},
		chain.Route{Tenant: "acme", Vault: list[1]},
		chain.Route{Tenant: "b*", Connector: "bank-*", Vault: list[2]},
		chain.Route{Vault: list[3]})
	cases := []struct {
		tenant, connector, name string
		want                    int
	}{
		{"acme", "crm", "token", 0},
		{"acme", "crm", "token2", 1},
		{"acme", "crm2", "token", 1},
		{"acme2", "crm", "token", 3},
		{"acm", "crm", "token", 3},
		{"", "crm", "token", 3},
		{"beta", "bank-1", "x", 2},
		{"b", "bank-", "x", 2},
		{"beta", "bank", "x", 3},
		{"a", "bank-1", "x", 3},
	}
	for _, c := range cases {
		ref := secrets.Ref{Tenant: c.tenant, Connector: c.connector, Name: c.name}
		require.NoError(t, v.Put(t.Context(), ref, secrets.New("value")))
		for i, one := range list {
			_, err := one.Get(t.Context(), ref)
			if i == c.want {
				assert.NoError(t, err, "%s is not in vault %d", ref, i)
			} else {
				assert.ErrorIs(t, err, secrets.ErrNotFound, "%s is in vault %d", ref, i)
			}
		}
	}
}

// What lies in a vault that a secret is no longer routed to does not show.
func TestListLeavesOutWhatIsHidden(t *testing.T) {
	special, general := vault(t), vault(t)
	ref := secrets.Ref{Tenant: "acme", Connector: "crm", Name: "token"}
	for _, one := range []secrets.Vault{special, general} {
		for _, name := range []string{"token", "other"} {
			ref.Name = name
			require.NoError(t, one.Put(t.Context(), ref, secrets.New("value")))
		}
	}
	v := open(t, chain.Route{Name: "token", Vault: special}, chain.Route{Vault: general})
	refs, err := v.List(t.Context(), "acme", "crm")
	require.NoError(t, err)
	require.Len(t, refs, 2)
	assert.Equal(t, "other", refs[0].Name)
	assert.Equal(t, "token", refs[1].Name)
}

func TestRoutesThatLeadNowhere(t *testing.T) {
	for name, routes := range map[string][]chain.Route{
		"none":                {},
		"no vault":            {{}},
		"no last one":         {{Tenant: "acme", Vault: vault(t)}},
		"a star in the midst": {{Tenant: "a*e", Vault: vault(t)}, {Vault: vault(t)}},
	} {
		_, err := chain.New(routes...)
		assert.ErrorIs(t, err, secrets.ErrInvalid, name)
	}
}

// down is a keeper that does not answer.
type down struct{ secrets.Keeper }

var errDown = errors.New("connection refused")

func (down) Open(context.Context, string, []byte, []byte) ([]byte, error) { return nil, errDown }

func TestAKeeperOpensWhatOlderOnesSealed(t *testing.T) {
	old, fresh := keeper(t), keeper(t)
	oldID, err := old.KeyID(t.Context())
	require.NoError(t, err)
	box, err := old.Seal(t.Context(), oldID, []byte("text"), nil)
	require.NoError(t, err)
	both := chain.NewKeeper(fresh, old)
	id, err := both.KeyID(t.Context())
	require.NoError(t, err)
	assert.NotEqual(t, oldID, id)
	text, err := both.Open(t.Context(), oldID, box, nil)
	require.NoError(t, err)
	assert.Equal(t, "text", string(text))

	_, err = chain.NewKeeper(fresh, down{old}).Open(t.Context(), oldID, box, nil)
	require.ErrorIs(t, err, errDown)
	_, err = chain.NewKeeper(down{fresh}, old).Open(t.Context(), oldID, box, nil)
	require.ErrorIs(t, err, errDown, "the key may be the first one's")
}
