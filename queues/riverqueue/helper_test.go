package riverqueue_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/queues/riverqueue"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

const tenant = "acme"

// requests are what the connector "con" can do: a POST that must not be repeated, one that
// declares that it may be, and a PUT, which may be anyway.
const (
	post     = "post"
	declared = "declared"
	put      = "put"
)

// define gives a hub the connector "con", whose requests are sent to /NAME/KEY.
func define(ctx context.Context, h *hub.Hub, url, ca string) error {
	request := func(name, method string, retry hub.Retry) hub.Request {
		return hub.Request{
			Name: name, Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped, Method: method,
			URL: url + "/" + name + "/{{key}}", Retry: &retry,
			Outputs: map[string]hub.Output{"number": {Path: "number", Default: []byte("null")}},
		}
	}
	_, _, err := h.Tenant(tenant).CreateTemplateAndConnector(ctx,
		hub.Template{Name: "App", Methods: []string{"POST", "PUT"}},
		hub.Connector{Name: "con", TLS: &hub.TLS{CA: ca}, Requests: []hub.Request{
			request(post, "POST", hub.Retry{Attempts: 1, IdempotencyHeader: "Idempotency-Key"}),
			request(declared, "POST", hub.Retry{Attempts: 1, Idempotent: true, IdempotencyHeader: "Idempotency-Key"}),
			request(put, "PUT", hub.Retry{Attempts: 1, IdempotencyHeader: "Idempotency-Key"}),
		}})
	return err
}

// call is a call of one of the requests.
func call(request, key string) hub.BatchCall {
	payload := fmt.Appendf(nil, `{"key": %q}`, key)
	return hub.BatchCall{Key: request + "/" + key, Call: hub.Call{Connector: "con", Request: request, Payload: payload}}
}

// newHub returns a hub on a store of its own, and what closes it.
func newHub(ctx context.Context, url, ca string) (*hub.Hub, func() error, error) {
	keys, err := keyset.Generate()
	if err != nil {
		return nil, nil, err
	}
	h, err := hub.New(memory.New(), keys, &hub.Options{Egress: hub.Egress{AllowLoopback: true, AllowAnyPort: true}})
	if err != nil {
		return nil, nil, err
	}
	closed := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return h.Close(ctx)
	}
	return h, closed, define(ctx, h, url, ca)
}

// world is a database, a third party, and a hub.
type world struct {
	t    *testing.T
	srv  *hubtest.Server
	dsn  string
	pool *pgxpool.Pool
	db   *dbtest.Server
	keys *keyset.Keyset
	hub  *hub.Hub
}

func newWorld(t *testing.T, settings ...string) *world {
	t.Helper()
	w := &world{t: t, srv: hubtest.NewServer(t), db: dbtest.Postgres(t)}
	w.dsn = w.db.DSN() + strings.Join(append([]string{""}, settings...), "&")
	var err error
	w.pool, err = pgxpool.New(t.Context(), w.dsn)
	require.NoError(t, err)
	t.Cleanup(w.pool.Close)
	w.keys, err = keyset.Generate()
	require.NoError(t, err)
	h, closed, err := newHub(t.Context(), w.srv.URL, string(w.srv.CA()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, closed()) })
	w.hub = h
	return w
}

var schemas atomic.Int64

// queue returns a queue in a schema of its own, not started.
func (w *world) queue(t *testing.T, o riverqueue.Options) *riverqueue.Queue {
	t.Helper()
	if o.Schema == "" {
		o.Schema = fmt.Sprintf("queue_%d", schemas.Add(1))
	}
	o.Logger = quiet()
	q, err := riverqueue.New(t.Context(), w.hub, w.keys, w.pool, riverqueue.Fast(o, 30*time.Second, true))
	require.NoError(t, err)
	return q
}

// running starts a queue, which is stopped with the test.
func running(t *testing.T, q *riverqueue.Queue) *riverqueue.Queue {
	t.Helper()
	require.NoError(t, q.Start(context.Background()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, q.Stop(ctx))
	})
	return q
}

// ended waits for the end of a call.
func ended(t *testing.T, q *riverqueue.Queue, key string) *riverqueue.Entry {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	e, err := q.Wait(ctx, tenant, key)
	require.NoError(t, err, key)
	return e
}

// sent counts the requests of a call that arrived.
func (w *world) sent(key string) (n int) {
	for _, r := range w.srv.Requests() {
		if strings.TrimPrefix(r.URL.Path, "/") == key {
			n++
		}
	}
	return n
}
