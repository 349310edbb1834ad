package tokens_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlite"
)

// place is where the instances of a hub meet: a database file and a file of keys.
type place struct{ Database, Keys string }

func newPlace(t testing.TB) place {
	dir := t.TempDir()
	return place{filepath.Join(dir, "hub.db"), filepath.Join(dir, "keys")}
}

// clock is a clock that can be put forward: tokens expire without anybody waiting.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// expire puts the clock forward beyond the life of every token.
func (c *clock) expire() { c.ahead.Add(int64(2 * time.Hour)) }

// open opens an instance; wrap may stand between it and the store.
func (p place) open(ctx context.Context, c *clock, wrap func(storage.Store) storage.Store) (*hub.Hub, func() error, error) {
	store, err := sqlite.Open(ctx, p.Database, nil)
	if err != nil {
		return nil, nil, err
	}
	keeper, err := keyset.OpenOrCreate(ctx, p.Keys, store)
	if err != nil {
		return nil, nil, err
	}
	var seen storage.Store = store
	if wrap != nil {
		seen = wrap(store)
	}
	h, err := hub.New(seen, keeper, &hub.Options{
		Now:     c.now,
		Egress:  hub.Egress{AllowLoopback: true, AllowAnyPort: true},
		Breaker: hub.Breaker{Calls: -1},
		Limits: hub.Limits{
			ConnectorCalls: -1, TenantCalls: -1, Staleness: 24 * time.Hour,
			DialTimeout: time.Minute, TLSTimeout: time.Minute, // thousands come at once
		},
	})
	if err != nil {
		return nil, nil, err
	}
	return h, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := h.Close(ctx); err != nil {
			return err
		}
		return store.Close()
	}, nil
}

// start opens an instance for a test.
func (p place) start(t testing.TB, c *clock) *hub.Hub {
	h, stop, err := p.open(t.Context(), c, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stop()) })
	return h
}

// connect saves the connector that everybody uses, and fetches its first token: that may take
// its time, whatever the timeout of the calls that come.
func connect(t testing.TB, h *hub.Hub, srv *server, grace, timeout int) {
	tpl, err := h.CreateTemplate(t.Context(), hub.Template{Name: "app", AuthType: hub.AuthRefreshToken, Methods: []string{"GET"}})
	require.NoError(t, err)
	con, err := h.CreateConnector(t.Context(), hub.Connector{
		Name: "con", Template: tpl.ID, Hosts: []string{srv.Host()}, TLS: &hub.TLS{CA: string(srv.CA())}, Timeout: 120_000,
		Auth:     hub.Auth{OAuth: &hub.OAuth{TokenURL: srv.URL + "/token", ClientID: "hub", ClientAuth: hub.ClientNone, Grace: grace}},
		Secrets:  []hub.Secret{{Name: "refreshToken"}},
		Requests: []hub.Request{{Name: "read", Method: "GET", URL: srv.URL + "/api"}},
	})
	require.NoError(t, err)
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "refreshToken", secrets.New(seed)))
	require.NoError(t, read(t.Context(), h))
	con, err = h.GetConnector(t.Context(), con.ID)
	require.NoError(t, err)
	con.Timeout = timeout
	_, err = h.UpdateConnector(t.Context(), con)
	require.NoError(t, err)
}

// read is the call that everybody makes. Where the machine is too busy for a connection to answer
// its PING in time, all calls on that connection break off: that is not what is proved here, and
// they are made again.
func read(ctx context.Context, h *hub.Hub) (err error) {
	for range 3 {
		if _, err = h.Execute(ctx, hub.Call{Connector: "con", Request: "read"}); !errors.Is(err, hub.BadAnswer) {
			break
		}
	}
	return err
}
