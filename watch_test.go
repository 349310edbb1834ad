package hub_test

import (
	"context"
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

// hinting is a store whose hints the test gives.
type hinting struct {
	*fickle
	hints chan storage.Key
	told  chan struct{} // one for each hint that the hub has taken
}

func (h *hinting) Watch(ctx context.Context, changed func(storage.Key)) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case k := <-h.hints:
			changed(k)
			h.told <- struct{}{}
		}
	}
}

// tell hands the hub a hint and waits until it was taken.
func (h *hinting) tell(k storage.Key) {
	h.hints <- k
	<-h.told
}

// watcher returns a hub that the test's hints reach, another on the same store that hears
// nothing, and their clock.
func watcher(t *testing.T) (heard, deaf *hub.Tenant, store *hinting, now *clock) {
	inner := &fickle{Store: memory.New()}
	store, now = &hinting{inner, make(chan storage.Key), make(chan struct{})}, newClock()
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	opts := onLoopback()
	opts.Now = now.Now
	var tenants []*hub.Tenant
	for _, s := range []storage.Store{store, inner} {
		h, err := hub.New(s, keeper, opts)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, h.Close(context.Background())) })
		tenants = append(tenants, h.Tenant("acme"))
	}
	return tenants[0], tenants[1], store, now
}

// The clock stands still: nothing but the memory store's hints can make the edit known.
func TestAnEditIsSeenElsewhereAsSoonAsTheStoreTells(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	store, now := memory.New(), newClock()
	var hubs []*hub.Tenant
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	for range 2 {
		h, err := hub.New(store, keeper, &hub.Options{Egress: hub.Egress{AllowLoopback: true, AllowAnyPort: true}, Now: now.Now})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, h.Close(context.Background())) })
		hubs = append(hubs, h.Tenant("acme"))
	}
	here, elsewhere := hubs[0], hubs[1]
	con := connector(t, here, srv, manual("go", "GET", srv.URL+"/old"))
	_, err = execute(t, elsewhere, "go")
	require.NoError(t, err)
	_, err = here.DeactivateRequest(t.Context(), con.ID, "go")
	require.NoError(t, err)
	until(t, func() bool {
		_, err := execute(t, elsewhere, "go")
		return err != nil
	})
	_, err = execute(t, elsewhere, "go")
	failed(t, err, hub.Inactive)
}

func TestHintsAndWhatTheyConcern(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	type edit func(t *testing.T, h *hub.Tenant, con hub.Connector)
	pause := func(t *testing.T, h *hub.Tenant, con hub.Connector) {
		_, err := h.PauseConnector(t.Context(), con.ID)
		require.NoError(t, err)
	}
	restrict := func(t *testing.T, h *hub.Tenant, con hub.Connector) {
		require.NoError(t, h.RestrictTemplate(t.Context(), con.Template, []string{"elsewhere.example"}))
	}
	for name, tt := range map[string]struct {
		edit edit
		hint func(con hub.Connector) storage.Key
		code hub.Code // of the next call; empty: it runs on the plan of before
	}{
		"the connector": {pause, func(c hub.Connector) storage.Key {
			return storage.Key{Tenant: "acme", Kind: "connector", ID: c.ID}
		}, hub.Inactive},
		"any record": {pause, func(hub.Connector) storage.Key { return storage.Key{} }, hub.Inactive},
		"another connector": {pause, func(hub.Connector) storage.Key {
			return storage.Key{Tenant: "acme", Kind: "connector", ID: "other"}
		}, ""},
		"another tenant's connector of this id": {pause, func(c hub.Connector) storage.Key {
			return storage.Key{Tenant: "other", Kind: "connector", ID: c.ID}
		}, ""},
		"a record of another kind": {pause, func(c hub.Connector) storage.Key {
			return storage.Key{Tenant: "acme", Kind: "grant", ID: c.ID}
		}, ""},
		"the template's restriction": {restrict, func(c hub.Connector) storage.Key {
			return storage.Key{Tenant: "acme", Kind: "template-hosts", ID: c.Template}
		}, hub.Forbidden},
		"a restriction for all tenants": {restrict, func(c hub.Connector) storage.Key {
			return storage.Key{Kind: "template-hosts", ID: c.Template}
		}, hub.Forbidden},
		"another template's restriction": {restrict, func(hub.Connector) storage.Key {
			return storage.Key{Tenant: "acme", Kind: "template-hosts", ID: "other"}
		}, ""},
		"another tenant's restriction": {restrict, func(c hub.Connector) storage.Key {
			return storage.Key{Tenant: "other", Kind: "template-hosts", ID: c.Template}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			heard, deaf, store, _ := watcher(t)
			con := connector(t, deaf, srv, func(c *hub.Connector) { c.Secrets = []hub.Secret{{Name: "key"}} },
				manual("go", "GET", srv.URL, func(r *hub.Request) { r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}} }))
			require.NoError(t, deaf.SetSecret(t.Context(), con.ID, "key", secrets.New("key-0123456789")))
			_, err := execute(t, heard, "go")
			require.NoError(t, err)
			tt.edit(t, deaf, con)
			store.tell(tt.hint(con))
			_, err = execute(t, heard, "go")
			if tt.code != "" {
				failed(t, err, tt.code)
				return
			}
			require.NoError(t, err)
		})
	}
}

// A store that tells nothing, although it could, loses no more than the freshness bound.
func TestWithoutHintsAnEditIsSeenWithinTheFreshnessBound(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	heard, deaf, _, now := watcher(t)
	con := connector(t, deaf, srv, manual("go", "GET", srv.URL))
	_, err := execute(t, heard, "go")
	require.NoError(t, err)
	_, err = deaf.PauseConnector(t.Context(), con.ID)
	require.NoError(t, err)
	now.advance(time.Second)
	_, err = execute(t, heard, "go")
	failed(t, err, hub.Inactive)
}

// What is read while a hint comes in may be older than what the hint is about.
func TestAHintWhileAPlanIsMade(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	heard, deaf, store, _ := watcher(t)
	con := connector(t, deaf, srv, manual("go", "GET", srv.URL))

	hold := make(chan struct{})
	store.hold.Store(&hold)
	before := store.reads.Load()
	under := start(t, heard, "con", "go")
	until(t, func() bool { return store.reads.Load() == before+1 })
	store.hold.Store(nil)
	store.tell(connectorKey(con))
	close(hold)
	require.NoError(t, <-under)

	before = store.reads.Load()
	_, err := execute(t, heard, "go")
	require.NoError(t, err)
	assert.Positive(t, store.reads.Load()-before, "the plan is checked before it is used again")
	before = store.reads.Load()
	_, err = execute(t, heard, "go")
	require.NoError(t, err)
	assert.Zero(t, store.reads.Load()-before, "and then it is fresh")
}

func connectorKey(con hub.Connector) storage.Key {
	return storage.Key{Tenant: "acme", Kind: "connector", ID: con.ID}
}

// A connector in use is checked ahead of its time, once, and no call waits for the store.
func TestCallsDoNotWaitForChecksWhereTheStoreTells(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	heard, deaf, store, now := watcher(t)
	con := connector(t, deaf, srv, manual("go", "GET", srv.URL))
	_, err := execute(t, heard, "go")
	require.NoError(t, err)
	for range 3 {
		before := store.reads.Load()
		now.advance(400 * time.Millisecond)
		_, err = execute(t, heard, "go")
		require.NoError(t, err)
		assert.Equal(t, before, store.reads.Load())

		hold := make(chan struct{})
		store.hold.Store(&hold)
		now.advance(200 * time.Millisecond)
		for range 5 {
			_, err = execute(t, heard, "go") // while the store does not answer
			require.NoError(t, err)
		}
		until(t, func() bool { return store.reads.Load() == before+1 })
		store.hold.Store(nil)
		close(hold)
		// The check is over once a hint that begins another one would.
		settled(t, heard, store, con)
	}
}

// settled waits until no check is under way: the plan is as young as the clock.
func settled(t *testing.T, h *hub.Tenant, store *hinting, con hub.Connector) {
	store.tell(connectorKey(con))
	_, err := execute(t, h, "go")
	require.NoError(t, err)
}
