package sealed_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// rotated returns a keyset, and the same with a further key that is the primary.
func rotated(t *testing.T) (before, after *keyset.Keyset) {
	t.Helper()
	before, err := keyset.Generate()
	require.NoError(t, err)
	after, id, err := before.Add()
	require.NoError(t, err)
	after, err = after.Promote(id)
	require.NoError(t, err)
	return before, after
}

func TestRewrapMovesABoxToThePrimary(t *testing.T) {
	before, after := rotated(t)
	box, err := sealed.Seal(t.Context(), before, []byte("text"), "a", "b")
	require.NoError(t, err)
	same, err := sealed.Rewrap(t.Context(), before, box, "a", "b")
	require.NoError(t, err)
	assert.Equal(t, box, same, "nothing to do")

	next, err := sealed.Rewrap(t.Context(), after, box, "a", "b")
	require.NoError(t, err)
	id, err := sealed.KeyID(next)
	require.NoError(t, err)
	assert.Equal(t, after.Keys()[1].ID, id)
	plain, err := sealed.Open(t.Context(), after, next, "a", "b")
	require.NoError(t, err)
	assert.Equal(t, "text", string(plain))

	_, err = sealed.Rewrap(t.Context(), after, box, "a", "c")
	require.ErrorIs(t, err, secrets.ErrSealBroken, "what was moved is not given a fresh seal")
	_, err = sealed.Rewrap(t.Context(), after, []byte("no box"), "a")
	require.ErrorIs(t, err, secrets.ErrSealBroken)
}

func TestVaultRewraps(t *testing.T) {
	before, after := rotated(t)
	store := memory.New()
	defer func() { require.NoError(t, store.Close()) }()
	ref := secrets.Ref{Tenant: "acme", Connector: "crm", Name: "token", Generation: 3, Binding: "there"}
	old := before.Keys()[0].ID
	require.NoError(t, sealed.New(store, before).Put(t.Context(), ref, secrets.New("value")))
	_, found, err := sealed.Under(t.Context(), store, old)
	require.NoError(t, err)
	assert.True(t, found)

	vault := sealed.New(store, after)
	elsewhere := ref
	elsewhere.Binding = "elsewhere"
	_, err = vault.Rewrap(t.Context(), elsewhere)
	require.ErrorIs(t, err, secrets.ErrSealBroken)
	for _, want := range []bool{true, false} {
		done, err := vault.Rewrap(t.Context(), ref)
		require.NoError(t, err)
		assert.Equal(t, want, done)
	}
	_, found, err = sealed.Under(t.Context(), store, old)
	require.NoError(t, err)
	assert.False(t, found)
	v, err := vault.Get(t.Context(), ref)
	require.NoError(t, err)
	assert.Equal(t, "value", v.Reveal())
	ref.Name = "none"
	_, err = vault.Rewrap(t.Context(), ref)
	require.ErrorIs(t, err, secrets.ErrNotFound)
}

// racing lets somebody write before each of the first Applies.
type racing struct {
	storage.Store
	meanwhile []func()
}

func (s *racing) Apply(ctx context.Context, changes ...storage.Change) error {
	if len(s.meanwhile) > 0 {
		f := s.meanwhile[0]
		s.meanwhile = s.meanwhile[1:]
		f()
	}
	return s.Store.Apply(ctx, changes...)
}

func TestRewrapOverwritesNobody(t *testing.T) {
	before, after := rotated(t)
	store := memory.New()
	defer func() { require.NoError(t, store.Close()) }()
	ref := secrets.Ref{Connector: "crm", Name: "token", Generation: 1}
	old := sealed.New(store, before)
	require.NoError(t, old.Put(t.Context(), ref, secrets.New("first")))
	s := &racing{store, []func(){func() { require.NoError(t, old.Put(t.Context(), ref, secrets.New("second"))) }}}
	done, err := sealed.New(s, after).Rewrap(t.Context(), ref)
	require.NoError(t, err)
	assert.True(t, done)
	v, err := sealed.New(store, after).Get(t.Context(), ref)
	require.NoError(t, err)
	assert.Equal(t, "second", v.Reveal())
}

// retiring is a keeper whose primary is disabled after it was named.
type retiring struct {
	secrets.Keeper
	named int
	old   string
}

func (k *retiring) KeyID(ctx context.Context) (string, error) {
	if k.named++; k.named == 1 {
		return k.old, nil
	}
	return k.Keeper.KeyID(ctx)
}

func TestSealTakesTheKeyThatFollows(t *testing.T) {
	before, after := rotated(t)
	old := before.Keys()[0].ID
	off, err := after.Disable(old)
	require.NoError(t, err)
	box, err := sealed.Seal(t.Context(), &retiring{Keeper: off, old: old}, []byte("text"))
	require.NoError(t, err)
	id, err := sealed.KeyID(box)
	require.NoError(t, err)
	assert.Equal(t, after.Keys()[1].ID, id)

	_, err = sealed.Seal(t.Context(), &lost{off, old}, []byte("text"))
	require.ErrorIs(t, err, secrets.ErrKeyNotFound, "and asks no more than a few times")
}

// lost is a keeper that names a key it does not have.
type lost struct {
	secrets.Keeper
	id string
}

func (k *lost) KeyID(context.Context) (string, error) { return k.id, nil }

func TestLabelled(t *testing.T) {
	labels := []storage.Label{{Key: "tag", Value: "x"}, {Key: sealed.LabelKey, Value: "old"}}
	assert.Equal(t, []storage.Label{{Key: sealed.LabelKey, Value: "a"}, {Key: sealed.LabelKey, Value: "b"}, {Key: "tag", Value: "x"}},
		sealed.Labelled(labels, "b", "a", "a"))
	assert.Len(t, labels, 2)
}

func TestUnderNeedsAnAnswer(t *testing.T) {
	store := memory.New()
	require.NoError(t, store.Close())
	_, _, err := sealed.Under(t.Context(), store, "k")
	require.True(t, errors.Is(err, storage.ErrClosed))
}
