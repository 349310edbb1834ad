package sealed_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

var someRef = secrets.Ref{Tenant: "acme", Connector: "crm", Name: "apiKey", Generation: 1, Binding: "https://api.example.com"}

// records returns all records of a store, of every tenant and kind.
func records(t testing.TB, store storage.Store) []storage.Record {
	page, err := store.List(context.Background(), storage.Query{Everywhere: true, Limit: storage.MaxPage})
	require.NoError(t, err)
	require.Empty(t, page.Next)
	return page.Records
}

// manyRefs returns refs that differ in every field, with neighbours that a careless
// encoding confuses.
func manyRefs() (refs []secrets.Ref) {
	for _, tenant := range []string{"", "acme", "acm"} {
		for _, connector := range []string{"crm", "ecrm"} {
			for _, name := range []string{"apiKey", "key", "apikey"} {
				for _, generation := range []int64{1, 11} {
					for _, binding := range []string{"https://a.example", "https://b.example"} {
						refs = append(refs, secrets.Ref{Tenant: tenant, Connector: connector, Name: name, Generation: generation, Binding: binding})
					}
				}
			}
		}
	}
	return refs
}

// TestRecordsDoNotMove puts the data of each ref into the record of each other one: none
// opens.
func TestRecordsDoNotMove(t *testing.T) {
	keys, refs := newKeyset(t), manyRefs()
	var made []storage.Record
	for i, ref := range refs {
		store := newStore(t)
		require.NoError(t, sealed.New(store, keys).Put(t.Context(), ref, secrets.New(fmt.Sprint("value ", i))))
		made = append(made, records(t, store)...)
	}
	require.Len(t, made, len(refs))
	accepted := 0
	for i, ref := range refs {
		for j := range refs {
			forged := made[i]
			forged.Data = made[j].Data
			value, err := vaultOf(t, keys, forged).Get(t.Context(), ref)
			if i == j {
				require.NoError(t, err)
				assert.Equal(t, fmt.Sprint("value ", i), value.Reveal())
				continue
			}
			require.ErrorIs(t, err, secrets.ErrSealBroken)
			if !value.IsZero() {
				accepted++
			}
		}
	}
	assert.Zero(t, accepted)
}

// vaultOf returns a vault over a store with one record.
func vaultOf(t testing.TB, keys secrets.Keeper, rec storage.Record) *sealed.Vault {
	store := memory.New()
	require.NoError(t, store.Apply(context.Background(), storage.Create(rec)))
	return sealed.New(store, keys)
}

func TestAlteredRecordsDoNotOpen(t *testing.T) {
	store, keys := newStore(t), newKeyset(t)
	require.NoError(t, sealed.New(store, keys).Put(t.Context(), someRef, secrets.New("s3cr3t")))
	rec := records(t, store)[0]
	for n := range rec.Data {
		cut, flipped := rec, rec
		cut.Data = rec.Data[:n]
		flipped.Data = bytes.Clone(rec.Data)
		flipped.Data[n] ^= 0x10
		for _, forged := range []storage.Record{cut, flipped} {
			value, err := vaultOf(t, keys, forged).Get(t.Context(), someRef)
			require.Error(t, err, "byte %d", n)
			require.True(t, value.IsZero())
		}
	}
}

func TestOtherKeeperOpensNothing(t *testing.T) {
	store := newStore(t)
	require.NoError(t, sealed.New(store, newKeyset(t)).Put(t.Context(), someRef, secrets.New("s3cr3t")))
	_, err := sealed.New(store, newKeyset(t)).Get(t.Context(), someRef)
	require.ErrorIs(t, err, secrets.ErrKeyNotFound)
}

// TestStoreHoldsNoPlaintext looks for a value, in several spellings, in every byte of every
// record.
func TestStoreHoldsNoPlaintext(t *testing.T) {
	const canary = "canary-5bX2pQ9w-canary"
	store, keys := newStore(t), newKeyset(t)
	vault := sealed.New(store, keys)
	for _, ref := range manyRefs() {
		require.NoError(t, vault.Put(t.Context(), ref, secrets.New(canary)))
	}
	found := records(t, store)
	require.NotEmpty(t, found)
	master := strings.Split(keys.Encode().Reveal(), `"key":"`)[1][:40]
	rawMaster, err := base64.StdEncoding.DecodeString(master)
	require.NoError(t, err)
	forms := [][]byte{
		[]byte(canary), []byte(canary[:8]), []byte(hex.EncodeToString([]byte(canary))),
		[]byte(base64.StdEncoding.EncodeToString([]byte(canary))[:24]), []byte(master), rawMaster,
	}
	for _, rec := range found {
		all := fmt.Appendf(bytes.Clone(rec.Data), "%q", []any{rec.Key, rec.Parent, rec.Name, rec.Search, rec.Labels})
		for i, form := range forms {
			assert.False(t, bytes.Contains(all, form), "form %d in %s", i, rec.Key)
		}
	}
}

func TestRecord(t *testing.T) {
	store, keys := newStore(t), newKeyset(t)
	vault := sealed.New(store, keys)
	now := time.Date(2026, 11, 22, 13, 0, 0, 123456789, time.FixedZone("", 3600))
	vault.Now = func() time.Time { return now }
	require.NoError(t, vault.Put(t.Context(), someRef, secrets.New("one")))
	rec := records(t, store)[0]
	keyID, err := keys.KeyID(t.Context())
	require.NoError(t, err)

	assert.Equal(t, "acme", rec.Tenant)
	assert.Equal(t, sealed.Kind, rec.Kind)
	assert.Regexp(t, "^[a-z0-9]{64}$", rec.ID)
	assert.Equal(t, "crm", rec.Parent)
	assert.Equal(t, "apiKey 0000000000000000001", rec.Search)
	assert.Equal(t, []storage.Label{{Key: sealed.LabelKey, Value: keyID}}, rec.Labels)
	assert.Equal(t, int64(1), rec.Revision)
	assert.Equal(t, now.UTC().Truncate(time.Microsecond), rec.Updated)

	require.NoError(t, vault.Put(t.Context(), someRef, secrets.New("two")))
	require.Len(t, records(t, store), 1)
	assert.Equal(t, int64(2), records(t, store)[0].Revision)
}

func TestRecordsOfAKeyAreFound(t *testing.T) {
	store, old, fresh := newStore(t), newKeyset(t), newKeyset(t)
	require.NoError(t, sealed.New(store, old).Put(t.Context(), someRef, secrets.New("one")))
	other := someRef
	other.Name = "other"
	require.NoError(t, sealed.New(store, fresh).Put(t.Context(), other, secrets.New("two")))
	keyID, err := old.KeyID(t.Context())
	require.NoError(t, err)
	page, err := store.List(t.Context(), storage.Query{
		Tenant: "acme", Kind: sealed.Kind, Parent: "crm", Labels: []storage.Label{{Key: sealed.LabelKey, Value: keyID}},
	})
	require.NoError(t, err)
	require.Len(t, page.Records, 1)
	assert.Contains(t, page.Records[0].Search, "apiKey")
}

// odd is a store some of whose answers are set.
type odd struct {
	storage.Store
	apply func(context.Context, ...storage.Change) error
	list  func(context.Context, storage.Query) (storage.Page, error)
	get   func(context.Context, storage.Key) (storage.Record, error)
}

func (o *odd) Apply(ctx context.Context, changes ...storage.Change) error {
	if o.apply != nil {
		return o.apply(ctx, changes...)
	}
	return o.Store.Apply(ctx, changes...)
}

func (o *odd) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	if o.list != nil {
		return o.list(ctx, q)
	}
	return o.Store.List(ctx, q)
}

func (o *odd) Get(ctx context.Context, key storage.Key) (storage.Record, error) {
	if o.get != nil {
		return o.get(ctx, key)
	}
	return o.Store.Get(ctx, key)
}

func TestStoreFailuresComeThrough(t *testing.T) {
	down := errors.New("store is down")
	vault := sealed.New(&odd{
		apply: func(context.Context, ...storage.Change) error { return down },
		list:  func(context.Context, storage.Query) (storage.Page, error) { return storage.Page{}, down },
		get:   func(context.Context, storage.Key) (storage.Record, error) { return storage.Record{}, down },
	}, newKeyset(t))
	_, getErr := vault.Get(t.Context(), someRef)
	_, listErr := vault.List(t.Context(), "acme", "crm")
	for _, err := range []error{getErr, listErr, vault.Put(t.Context(), someRef, secrets.New("s3cr3t")), vault.Delete(t.Context(), someRef)} {
		require.ErrorIs(t, err, down)
		require.NotErrorIs(t, err, secrets.ErrNotFound)
		assert.NotContains(t, err.Error(), "s3cr3t")
	}
}

// TestWritesEnd gives a store that refuses every write as a lost race: Put and Delete give
// up after a bounded number of tries.
func TestWritesEnd(t *testing.T) {
	store := newStore(t)
	require.NoError(t, sealed.New(store, newKeyset(t)).Put(t.Context(), someRef, secrets.New("x")))
	tries := 0
	vault := sealed.New(&odd{Store: store, apply: func(_ context.Context, c ...storage.Change) error {
		tries++
		if c[0].Action == storage.ActionCreate {
			return storage.ErrExists
		}
		return storage.ErrConflict
	}}, newKeyset(t))
	require.ErrorIs(t, vault.Put(t.Context(), someRef, secrets.New("y")), storage.ErrConflict)
	assert.LessOrEqual(t, tries, 200)
	tries = 0
	require.ErrorIs(t, vault.Delete(t.Context(), someRef), storage.ErrConflict)
	assert.LessOrEqual(t, tries, 200)
}

// TestPutMeetsDelete lets the record vanish between the two steps of a replacing Put.
func TestPutMeetsDelete(t *testing.T) {
	inner, keys := newStore(t), newKeyset(t)
	vault := sealed.New(inner, keys)
	require.NoError(t, vault.Put(t.Context(), someRef, secrets.New("old")))
	once := true
	racing := sealed.New(&odd{Store: inner, get: func(ctx context.Context, key storage.Key) (storage.Record, error) {
		if once {
			once = false
			require.NoError(t, vault.Delete(ctx, someRef))
		}
		return inner.Get(ctx, key)
	}}, keys)
	require.NoError(t, racing.Put(t.Context(), someRef, secrets.New("new")))
	got, err := vault.Get(t.Context(), someRef)
	require.NoError(t, err)
	assert.Equal(t, "new", got.Reveal())
}

func TestListReadsShortPages(t *testing.T) {
	inner, keys := newStore(t), newKeyset(t)
	vault := sealed.New(inner, keys)
	for generation := range int64(5) {
		ref := someRef
		ref.Generation = generation
		require.NoError(t, vault.Put(t.Context(), ref, secrets.New("x")))
	}
	short := &odd{Store: inner, list: shortPages(inner)}
	refs, err := sealed.New(short, keys).List(t.Context(), "acme", "crm")
	require.NoError(t, err)
	require.Len(t, refs, 5)
	for i, ref := range refs {
		assert.Equal(t, int64(i), ref.Generation)
	}
}

// shortPages answers each query first with an empty page that is not the last, then with a
// page of one record.
func shortPages(inner storage.Store) func(context.Context, storage.Query) (storage.Page, error) {
	return func(ctx context.Context, q storage.Query) (storage.Page, error) {
		after, full := strings.CutPrefix(q.After, "full:")
		if !full {
			return storage.Page{Next: "full:" + q.After}, nil
		}
		q.After, q.Limit = after, 1
		return inner.List(ctx, q)
	}
}

func TestListNoticesFalseNames(t *testing.T) {
	store, keys := newStore(t), newKeyset(t)
	require.NoError(t, sealed.New(store, keys).Put(t.Context(), someRef, secrets.New("x")))
	rec := records(t, store)[0]
	tests := map[string]func(*storage.Record){
		"another name":           func(r *storage.Record) { r.Search = "apiKeX" + r.Search[6:] },
		"another generation":     func(r *storage.Record) { r.Search = r.Search[:len(r.Search)-1] + "2" },
		"a negative generation":  func(r *storage.Record) { r.Search = "apiKey -000000000000000001" },
		"no generation":          func(r *storage.Record) { r.Search = "apiKey" },
		"no text":                func(r *storage.Record) { r.Search = "" },
		"another separator":      func(r *storage.Record) { r.Search = "apiKey_0000000000000000001" },
		"digits only":            func(r *storage.Record) { r.Search = "0000000000000000001" },
		"another connector's id": func(r *storage.Record) { r.ID = strings.Repeat("0", 64) },
	}
	for name, forge := range tests {
		t.Run(name, func(t *testing.T) {
			forged := rec
			forge(&forged)
			_, err := vaultOf(t, keys, forged).List(t.Context(), "acme", "crm")
			require.ErrorIs(t, err, secrets.ErrSealBroken)
		})
	}
}
