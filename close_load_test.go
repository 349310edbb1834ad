package hub_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// stuck tells a store or a vault to hang until the asker gives up.
type stuck struct {
	store, vault atomic.Bool
	once         sync.Once
	entered      chan struct{} // closed when somebody hangs
}

func (s *stuck) hang(ctx context.Context) error {
	s.once.Do(func() { close(s.entered) })
	<-ctx.Done()
	return ctx.Err()
}

type stuckStore struct {
	storage.Store
	*stuck
}

func (s stuckStore) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	if s.store.Load() {
		return storage.Page{}, s.hang(ctx)
	}
	return s.Store.List(ctx, q)
}

type stuckVault struct {
	secrets.Vault
	*stuck
}

func (v stuckVault) Get(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	if v.vault.Load() {
		return secrets.Value{}, v.hang(ctx)
	}
	return v.Vault.Get(ctx, ref)
}

// openStuck returns a hub whose connector "con" has a secret that the vault keeps.
func openStuck(t *testing.T) (*hub.Hub, *stuck) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	store := memory.New()
	s := &stuck{entered: make(chan struct{})}
	opts := &hub.Options{Vault: stuckVault{sealed.New(store, keeper), s}}
	opts.Egress = hub.Egress{AllowLoopback: true, AllowAnyPort: true}
	h, err := hub.New(stuckStore{store, s}, keeper, opts)
	require.NoError(t, err)
	con := connector(t, h.Tenant("acme"), srv, func(c *hub.Connector) { c.Secrets = []hub.Secret{{Name: "key"}} },
		manual("go", "GET", srv.URL, func(r *hub.Request) { r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}} }))
	require.NoError(t, h.Tenant("acme").SetSecret(t.Context(), con.ID, "key", secrets.New("key-0123456789")))
	return h, s
}

// A caller whose definition was being read when the hub was closed has not given up, and its
// connector lacks nothing.
func TestCloseWhileADefinitionIsReadSaysClosed(t *testing.T) {
	for name, hang := range map[string]func(*stuck){
		"from the store":                func(s *stuck) { s.store.Store(true) },
		"with a secret, from the vault": func(s *stuck) { s.vault.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			h, s := openStuck(t)
			hang(s)
			call := start(t, h.Tenant("acme"), "con", "go")
			<-s.entered
			ctx, enough := context.WithCancel(t.Context())
			enough()
			require.ErrorIs(t, h.Close(ctx), context.Canceled)
			e := failed(t, <-call, hub.Closed)
			assert.False(t, e.Sent)
			assert.Empty(t, e.Fields)
		})
	}
}
