package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
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

// vandal is somebody who can write the store and holds no key.
type vandal struct {
	t      *testing.T
	store  storage.Store
	keeper secrets.Keeper
	opts   *hub.Options
	srv    []*hubtest.Server
}

// newVandal sets up two tenants with two connectors each, all with the same names, and two
// secrets in each connector.
func newVandal(t *testing.T) *vandal {
	t.Helper()
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	srv, trust := peers(t, 2)
	v := &vandal{t: t, store: memory.New(), keeper: keeper, srv: srv, opts: onLoopback()}
	trust(v.opts)
	t.Cleanup(func() { require.NoError(t, v.store.Close()) })
	h, done := v.open()
	defer done()
	for _, tenant := range []string{"acme", "umbrella"} {
		tpl, err := h.Tenant(tenant).CreateTemplate(t.Context(), hub.Template{ID: "t", Name: "T", Methods: []string{"GET"}})
		require.NoError(t, err)
		for _, id := range []string{"a", "b"} {
			_, err := h.Tenant(tenant).CreateConnector(t.Context(), hub.Connector{
				ID: id, Name: id, Template: tpl.ID, Hosts: hostsOf(srv[0]), Secrets: []hub.Secret{{Name: "s1"}, {Name: "s2"}},
				Requests: []hub.Request{{Name: "r", Method: "GET", URL: srv[0].URL, Headers: []hub.Header{{Name: "X-1", Value: "[[s1]]"}, {Name: "X-2", Value: "[[s2]]"}}}},
			})
			require.NoError(t, err)
			for _, name := range []string{"s1", "s2"} {
				setSecret(t, h.Tenant(tenant), id, name, valueOf(tenant, id, name))
			}
		}
	}
	return v
}

func valueOf(tenant, connector, name string) string {
	return "canary-" + tenant + "-" + connector + "-" + name
}

// open starts a process on the store.
func (v *vandal) open() (*hub.Hub, func()) {
	v.t.Helper()
	h, err := hub.New(v.store, v.keeper, v.opts)
	require.NoError(v.t, err)
	return h, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(v.t, h.Close(ctx))
	}
}

// records returns all records of a kind, or of all kinds.
func (v *vandal) records(kind string) []storage.Record {
	v.t.Helper()
	page, err := v.store.List(v.t.Context(), storage.Query{Everywhere: true, Kind: kind, Limit: storage.MaxPage})
	require.NoError(v.t, err)
	require.Empty(v.t, page.Next)
	return page.Records
}

// write puts data under a key, and returns what takes it back.
func (v *vandal) write(key storage.Key, data []byte) (undo func()) {
	v.t.Helper()
	rec, err := v.store.Get(v.t.Context(), key)
	require.NoError(v.t, err)
	before, after := rec, rec
	after.Revision, after.Data = rec.Revision+1, data
	require.NoError(v.t, v.store.Apply(v.t.Context(), storage.Update(after, rec.Revision)))
	return func() {
		before.Revision = after.Revision + 1
		require.NoError(v.t, v.store.Apply(v.t.Context(), storage.Update(before, after.Revision)))
	}
}

// refused demands that a connector does not run, and that no upstream saw a thing.
func (v *vandal) refused(tenant, connector, what string) {
	v.t.Helper()
	h, done := v.open()
	defer done()
	_, err := h.Tenant(tenant).Execute(v.t.Context(), hub.Call{Connector: connector, Request: "r"})
	require.Error(v.t, err, what)
	assert.NotContains(v.t, err.Error(), "canary", what)
	for _, srv := range v.srv {
		require.Empty(v.t, srv.Requests(), what)
	}
}

// runs demands that a connector runs with its own values.
func (v *vandal) runs(tenant, connector string) {
	v.t.Helper()
	h, done := v.open()
	defer done()
	_, err := h.Tenant(tenant).Execute(v.t.Context(), hub.Call{Connector: connector, Request: "r"})
	require.NoError(v.t, err)
	require.Equal(v.t, valueOf(tenant, connector, "s1"), v.srv[0].Requests()[0].Header.Get("X-1"))
	v.srv[0].Forget()
}

// owner finds out whose a sealed value is.
func (v *vandal) owner(rec storage.Record) (tenant, connector string) { return rec.Tenant, rec.Parent }

func TestSealedValuesOpenNowhereElse(t *testing.T) {
	v := newVandal(t)
	sealed := v.records("secret")
	require.Len(t, sealed, 8)
	swaps := 0
	for _, from := range sealed {
		for _, to := range sealed {
			if from.Key == to.Key {
				continue
			}
			undo := v.write(to.Key, from.Data)
			tenant, connector := v.owner(to)
			v.refused(tenant, connector, fmt.Sprintf("%s under %s", from.Key, to.Key))
			undo()
			swaps++
		}
	}
	v.runs("acme", "a")
	t.Logf("%d swaps, none accepted", swaps)
}

func TestSealedValuesAreWholeOrNothing(t *testing.T) {
	v := newVandal(t)
	rec := v.records("secret")[0]
	tenant, connector := v.owner(rec)
	tried := 0
	for i := range rec.Data {
		broken := append([]byte(nil), rec.Data...)
		broken[i] ^= 1 << (i % 8)
		for what, data := range map[string][]byte{"flipped": broken, "cut": rec.Data[:i]} {
			undo := v.write(rec.Key, data)
			v.refused(tenant, connector, fmt.Sprintf("%s at %d", what, i))
			undo()
			tried++
		}
	}
	v.runs(tenant, connector)
	t.Logf("%d broken records, none accepted", tried)
}

// definition edits the JSON of a connector's record as a vandal would.
func (v *vandal) definition(tenant, id string, change func(record map[string]any)) (undo func()) {
	v.t.Helper()
	key := storage.Key{Tenant: tenant, Kind: "connector", ID: id}
	rec, err := v.store.Get(v.t.Context(), key)
	require.NoError(v.t, err)
	var body map[string]any
	dec := json.NewDecoder(strings.NewReader(string(rec.Data)))
	dec.UseNumber()
	require.NoError(v.t, dec.Decode(&body))
	change(body["body"].(map[string]any))
	data, err := json.Marshal(body)
	require.NoError(v.t, err)
	return v.write(key, data)
}

func member(v any, path ...string) map[string]any {
	for _, name := range path {
		v = v.(map[string]any)[name]
	}
	return v.(map[string]any)
}

// Descriptors say where a secret may go. They are sealed one by one: none serves another
// secret, connector or tenant, and none can be altered.
func TestDescriptorsAreBoundToTheirSecrets(t *testing.T) {
	v := newVandal(t)
	type place struct{ tenant, connector, name string }
	boxes := map[place]string{}
	for _, tenant := range []string{"acme", "umbrella"} {
		for _, id := range []string{"a", "b"} {
			v.definition(tenant, id, func(r map[string]any) {
				for _, name := range []string{"s1", "s2"} {
					boxes[place{tenant, id, name}] = member(r, "secrets", name)["box"].(string)
				}
			})
		}
	}
	put := func(to place, box string) func() {
		return v.definition(to.tenant, to.connector, func(r map[string]any) { member(r, "secrets", to.name)["box"] = box })
	}
	for from, box := range boxes {
		for to := range boxes {
			if from == to {
				continue
			}
			undo := put(to, box)
			v.refused(to.tenant, to.connector, fmt.Sprintf("descriptor of %v for %v", from, to))
			undo()
		}
	}
	victim := place{"acme", "a", "s1"}
	for i := 0; i < len(boxes[victim]); i += 3 {
		broken := []byte(boxes[victim])
		broken[i] = map[bool]byte{true: 'A', false: 'B'}[broken[i] != 'A']
		undo := put(victim, string(broken))
		v.refused(victim.tenant, victim.connector, fmt.Sprintf("descriptor altered at %d", i))
		undo()
	}
	v.runs("acme", "a")
}

// What is written in plain text beside the sealed descriptor decides nothing.
func TestEditedMetadataMovesNoSecret(t *testing.T) {
	v := newVandal(t)
	evil := v.srv[1]
	widen := func(r map[string]any) {
		member(r, "connector")["hosts"] = []any{v.srv[0].Host(), evil.Host()}
		for _, q := range member(r, "connector")["requests"].([]any) {
			q.(map[string]any)["url"] = evil.URL
		}
		for _, name := range []string{"s1", "s2"} {
			member(r, "secrets", name)["hosts"] = []any{evil.Host()}
			member(r, "secrets", name)["places"] = []any{}
		}
	}
	generation := func(r map[string]any) { member(r, "secrets", "s1")["generation"] = json.Number("1") }
	undo := v.definition("acme", "a", widen)
	v.refused("acme", "a", "hosts widened in the record")
	undo()
	undo = v.definition("acme", "a", generation)
	v.runs("acme", "a")
	undo()
}

// A connector's whole record, with its sealed values, opens nothing for another tenant.
func TestAConnectorMovedToAnotherTenantOpensNothing(t *testing.T) {
	v := newVandal(t)
	var theft []storage.Change
	for _, rec := range v.records("") {
		if rec.Tenant == "acme" && (rec.Kind == "connector" || rec.Kind == "secret") {
			rec.Tenant = "thief"
			theft = append(theft, storage.Create(rec))
		}
	}
	require.NoError(t, v.store.Apply(t.Context(), theft...))
	v.refused("thief", "a", "moved to another tenant")
}

// An older record of the connector names values that are gone.
func TestAnOlderRecordOpensNothing(t *testing.T) {
	v := newVandal(t)
	key := storage.Key{Tenant: "acme", Kind: "connector", ID: "a"}
	older, err := v.store.Get(t.Context(), key)
	require.NoError(t, err)
	h, done := v.open()
	setSecret(t, h.Tenant("acme"), "a", "s1", "canary-of-the-second-generation")
	done()
	var values int
	for _, rec := range v.records("secret") {
		if rec.Tenant == "acme" && rec.Parent == "a" && strings.HasPrefix(rec.Search, "s1 ") {
			values++
		}
	}
	require.Equal(t, 1, values, "the value before is forgotten")
	v.write(key, older.Data)
	v.refused("acme", "a", "older record")
}

func TestTheStoreHoldsNoPlainText(t *testing.T) {
	v := newVandal(t)
	names := []string{valueOf("acme", "a", "s1"), valueOf("umbrella", "b", "s2")}
	s := newSweep(t, names...)
	for _, rec := range v.records("") {
		s.text("record "+rec.Key.String(), string(rec.Data))
		s.check("record "+rec.Key.String(), rec)
	}
	require.Greater(t, s.checked, 100)
}

func TestAHubNeedsTheKeeperOfItsStore(t *testing.T) {
	v := newVandal(t)
	other, err := keyset.Generate()
	require.NoError(t, err)
	_, err = hub.New(v.store, other, v.opts)
	require.ErrorContains(t, err, "the store was sealed with key")
	require.ErrorIs(t, err, secrets.ErrKeyNotFound)

	_, err = hub.New(v.store, nil, v.opts)
	require.ErrorContains(t, err, "needs a keeper")
	_, err = hub.New(nil, v.keeper, v.opts)
	require.ErrorContains(t, err, "needs a store")

	check := v.records("key-check")
	require.Len(t, check, 1)
	for i := range check[0].Data {
		undo := v.write(check[0].Key, check[0].Data[:i])
		_, err := hub.New(v.store, v.keeper, v.opts)
		require.Error(t, err, "key check cut at %d", i)
		undo()
	}
	v.runs("acme", "a")
}

// A keyset that was lost is not replaced by a new one while the store holds what it sealed.
func TestALostKeysetIsNotReplaced(t *testing.T) {
	v := newVandal(t)
	_, err := keyset.OpenOrCreate(t.Context(), filepath.Join(t.TempDir(), "keys.json"), v.store)
	require.Error(t, err)
	v.runs("acme", "a")
}
