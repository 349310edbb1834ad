package hub_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// fickle is a store that can be switched off, and counts who reads connectors.
type fickle struct {
	storage.Store
	down  atomic.Bool
	reads atomic.Int64
	hold  atomic.Pointer[chan struct{}] // if set, reads wait for it
	lost  atomic.Pointer[string]        // if set, reads of this kind fail
	full  atomic.Bool                   // writes fail
}

var errDown = errors.New("the disk is on fire")

func (f *fickle) read(kind string) error {
	if kind == "connector" {
		f.reads.Add(1)
		if wait := f.hold.Load(); wait != nil {
			<-*wait
		}
	}
	if lost := f.lost.Load(); f.down.Load() || lost != nil && *lost == kind {
		return errDown
	}
	return nil
}

func (f *fickle) Get(ctx context.Context, key storage.Key) (storage.Record, error) {
	if err := f.read(key.Kind); err != nil {
		return storage.Record{}, err
	}
	return f.Store.Get(ctx, key)
}

func (f *fickle) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	if err := f.read(q.Kind); err != nil {
		return storage.Page{}, err
	}
	return f.Store.List(ctx, q)
}

func (f *fickle) Apply(ctx context.Context, changes ...storage.Change) error {
	if f.full.Load() {
		return errDown
	}
	return f.Store.Apply(ctx, changes...)
}

// twins are two hubs on one store, as in two processes, by one clock.
func twins(t *testing.T, change ...func(*hub.Options)) (a, b *hub.Tenant, store *fickle, now *clock) {
	store, now = &fickle{Store: memory.New()}, newClock()
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	opts := onLoopback()
	opts.Now = now.Now
	for _, f := range change {
		f(opts)
	}
	var tenants []*hub.Tenant
	for range 2 {
		h, err := hub.New(store, keeper, opts)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, h.Close(context.Background())) })
		tenants = append(tenants, h.Tenant("acme"))
	}
	return tenants[0], tenants[1], store, now
}

func TestAnEditTakesEffectAtOnceHereAndWithinTheFreshnessBoundElsewhere(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	for name, tt := range map[string]struct {
		edit func(ctx context.Context, h *hub.Tenant, con hub.Connector) error
		code hub.Code // of the call after it; empty: it goes to /new
	}{
		"another URL": {func(ctx context.Context, h *hub.Tenant, con hub.Connector) error {
			con.Requests[0].URL = srv.URL + "/new"
			_, err := h.UpdateConnector(ctx, con)
			return err
		}, ""},
		"the request updated": {func(ctx context.Context, h *hub.Tenant, con hub.Connector) error {
			con.Requests[0].URL = srv.URL + "/new"
			_, err := h.UpdateRequest(ctx, con.ID, con.Revision, con.Requests[0])
			return err
		}, ""},
		"deactivated": {func(ctx context.Context, h *hub.Tenant, con hub.Connector) error {
			_, err := h.DeactivateRequest(ctx, con.ID, "go")
			return err
		}, hub.Inactive},
		"paused": {func(ctx context.Context, h *hub.Tenant, con hub.Connector) error {
			_, err := h.PauseConnector(ctx, con.ID)
			return err
		}, hub.Inactive},
		"the request deleted": {func(ctx context.Context, h *hub.Tenant, con hub.Connector) error {
			return h.DeleteRequest(ctx, con.ID, "go", con.Revision)
		}, hub.NotFound},
		"the connector deleted": {func(ctx context.Context, h *hub.Tenant, con hub.Connector) error {
			return h.DeleteConnector(ctx, con.ID, con.Revision)
		}, hub.NotFound},
		"renamed": {func(ctx context.Context, h *hub.Tenant, con hub.Connector) error {
			con.Name = "another name"
			_, err := h.UpdateConnector(ctx, con)
			return err
		}, hub.NotFound},
		"the secret deleted": {func(ctx context.Context, h *hub.Tenant, con hub.Connector) error {
			return h.DeleteSecret(ctx, con.ID, "key")
		}, hub.NotReady},
		"the template restricted": {func(ctx context.Context, h *hub.Tenant, con hub.Connector) error {
			return h.RestrictTemplate(ctx, con.Template, []string{"elsewhere.example"})
		}, hub.Forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			here, elsewhere, _, now := twins(t)
			con := connector(t, here, srv, func(c *hub.Connector) { c.Secrets = []hub.Secret{{Name: "key"}} },
				manual("go", "GET", srv.URL+"/old", func(r *hub.Request) { r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}} }))
			require.NoError(t, here.SetSecret(t.Context(), con.ID, "key", secrets.New("key-0123456789")))
			for _, h := range []*hub.Tenant{here, elsewhere} {
				_, err := execute(t, h, "go")
				require.NoError(t, err)
			}
			require.NoError(t, tt.edit(t.Context(), here, con))

			check := func(h *hub.Tenant) {
				t.Helper()
				srv.Forget()
				_, err := execute(t, h, "go")
				if tt.code != "" {
					failed(t, err, tt.code)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, 1, received(srv, "/new"))
			}
			check(here)
			now.advance(999 * time.Millisecond)
			_, err := execute(t, elsewhere, "go")
			require.NoError(t, err, "the other hub need not know yet")
			now.advance(time.Millisecond)
			check(elsewhere)
			check(here)
		})
	}
}

func TestASecretSetElsewhereIsUsedWithinTheFreshnessBound(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	here, elsewhere, _, now := twins(t)
	con := connector(t, here, srv, func(c *hub.Connector) { c.Secrets = []hub.Secret{{Name: "key"}} },
		manual("go", "GET", srv.URL, func(r *hub.Request) { r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}} }))
	for _, value := range []string{"first-0123456789", "second-0123456789"} {
		require.NoError(t, here.SetSecret(t.Context(), con.ID, "key", secrets.New(value)))
		now.advance(time.Second)
		for _, h := range []*hub.Tenant{here, elsewhere} {
			srv.Forget()
			_, err := execute(t, h, "go")
			require.NoError(t, err)
			assert.Equal(t, value, srv.Requests()[0].Header.Get("X-Key"))
		}
	}
}

func TestFreshPlansCostNoReadAndStaleOnesOne(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h, _, store, now := twins(t, func(o *hub.Options) { o.Limits.ConnectorCalls = -1 })
	connector(t, h, srv, manual("go", "GET", srv.URL))
	many := func() int64 {
		before := store.reads.Load()
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				_, err := execute(t, h, "go")
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		return store.reads.Load() - before
	}
	_, err := execute(t, h, "go")
	require.NoError(t, err)
	assert.Zero(t, many())
	now.advance(time.Second)
	assert.LessOrEqual(t, many(), int64(2), "callers share one check")
	assert.Zero(t, many())
}

func TestConcurrentCallersOfAStalePlanShareOneCheck(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h, _, store, now := twins(t)
	connector(t, h, srv, manual("go", "GET", srv.URL))
	_, err := execute(t, h, "go")
	require.NoError(t, err)
	now.advance(time.Second)

	hold := make(chan struct{})
	store.hold.Store(&hold)
	before := store.reads.Load()
	ctx, giveUp := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { _, err := h.Execute(ctx, hub.Call{Connector: "con", Request: "go"}); first <- err }()
	until(t, func() bool { return store.reads.Load() == before+1 })
	second := start(t, h, "con", "go")
	giveUp()
	failed(t, <-first, hub.Canceled)
	store.hold.Store(nil)
	close(hold)
	require.NoError(t, <-second, "one who gives up does not disturb the others")
	assert.LessOrEqual(t, store.reads.Load(), before+2)
}

func TestCallsGoOnWhileTheStoreIsDownUpToTheStalenessBound(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h, _, store, now := twins(t)
	connector(t, h, srv, manual("go", "GET", srv.URL))
	_, err := execute(t, h, "go")
	require.NoError(t, err)

	store.down.Store(true)
	for range 29 {
		now.advance(time.Second)
		_, err := execute(t, h, "go")
		require.NoError(t, err)
	}
	reads := store.reads.Load()
	_, err = execute(t, h, "go")
	require.NoError(t, err)
	assert.Equal(t, reads, store.reads.Load(), "a store that is down is asked once in a freshness bound")
	now.advance(time.Second)
	_, err = execute(t, h, "go")
	require.NoError(t, err)

	now.advance(time.Second)
	_, err = execute(t, h, "go")
	e := failed(t, err, hub.Unavailable)
	assert.Equal(t, "the store has not answered for 31s, longer than the staleness bound", e.Detail())
	assert.True(t, e.Retryable)
	assert.Len(t, srv.Requests(), 32)

	action, err := h.ConnectRequest(t.Context(), hub.ConnectRequestAction{ConnectName: "con", RequestName: "go"})
	require.ErrorIs(t, err, hub.Unavailable, "a fault of the host is no branch of the script")
	assert.Nil(t, action)

	store.down.Store(false)
	_, err = execute(t, h, "go")
	require.NoError(t, err, "it works again as soon as the store does")
}

// The staleness bound is for a store that does not answer. Where it has answered that the
// connector is another, the plan of before runs no more, though the new one cannot be made.
// An edit that the store did not confirm takes no call down with it.
func TestAFailedEditStopsNoCalls(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h, _, store, now := twins(t)
	con := connector(t, h, srv, manual("go", "GET", srv.URL))
	_, err := execute(t, h, "go")
	require.NoError(t, err)

	store.full.Store(true)
	_, err = h.UpdateConnector(t.Context(), con)
	require.ErrorIs(t, err, hub.Unavailable)
	store.down.Store(true)
	now.advance(29 * time.Second)
	_, err = execute(t, h, "go")
	require.NoError(t, err)
	now.advance(2 * time.Second)
	_, err = execute(t, h, "go")
	assert.ErrorContains(t, err, "staleness bound")
}

func TestAPlanThatIsKnownToBeOldServesNoMore(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	here, elsewhere, store, now := twins(t)
	con := connector(t, here, srv, manual("go", "GET", srv.URL))
	for _, h := range []*hub.Tenant{here, elsewhere} {
		_, err := execute(t, h, "go")
		require.NoError(t, err)
	}
	hosts := "template-hosts"
	store.lost.Store(&hosts)
	now.advance(time.Second)
	_, err := execute(t, elsewhere, "go")
	require.NoError(t, err, "nothing has changed, as far as is known")

	store.lost.Store(nil)
	_, err = here.DeactivateRequest(t.Context(), con.ID, "go")
	require.NoError(t, err)
	store.lost.Store(&hosts)
	now.advance(time.Second)
	for range 2 {
		_, err = execute(t, elsewhere, "go")
		failed(t, err, hub.Unavailable)
	}
	store.lost.Store(nil)
	_, err = execute(t, elsewhere, "go")
	failed(t, err, hub.Inactive)
}

func TestAStoreThatIsDownFromTheStartIsAClearError(t *testing.T) {
	srv := hubtest.NewServer(t)
	h, _, store, _ := twins(t)
	connector(t, h, srv, manual("go", "GET", srv.URL))
	store.down.Store(true)
	_, err := execute(t, h, "go")
	e := failed(t, err, hub.Unavailable)
	assert.True(t, e.Retryable)
	assert.Contains(t, e.Error(), "the store did not do it")
}

func TestAVaultThatIsDownIsAFaultOfTheHost(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	store, now := memory.New(), newClock()
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	v := &vault{Vault: sealed.New(store, keeper)}
	hb, err := hub.New(store, keeper, &hub.Options{Vault: v, Now: now.Now, Egress: hub.Egress{AllowLoopback: true, AllowAnyPort: true}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hb.Close(context.Background())) })
	h := hb.Tenant("acme")
	con := connector(t, h, srv, func(c *hub.Connector) { c.Secrets = []hub.Secret{{Name: "key"}} },
		manual("go", "GET", srv.URL, func(r *hub.Request) { r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}} }),
		manual("open", "GET", srv.URL))
	require.NoError(t, h.SetSecret(t.Context(), con.ID, "key", secrets.New("key-0123456789")))

	v.down.Store(true)
	_, err = execute(t, h, "go")
	e := failed(t, err, hub.Unavailable)
	assert.Equal(t, []string{"secrets.key unavailable"}, brokenRules(e))
	assert.True(t, e.Retryable)
	_, err = h.ConnectRequest(t.Context(), hub.ConnectRequestAction{ConnectName: "con", RequestName: "go"})
	require.ErrorIs(t, err, hub.Unavailable)
	_, err = execute(t, h, "open")
	require.NoError(t, err, "what needs no secret goes on")

	v.down.Store(false)
	v.slow.Store(true)
	now.advance(time.Second)
	_, err = execute(t, h, "go")
	e = failed(t, err, hub.Unavailable)
	assert.Equal(t, []string{"secrets.key unavailable"}, brokenRules(e), "nothing is wrong with the connector")

	v.slow.Store(false)
	now.advance(time.Second)
	_, err = execute(t, h, "go")
	require.NoError(t, err)
}

// vault is a vault that can be switched off.
type vault struct {
	secrets.Vault
	down atomic.Bool
	slow atomic.Bool
}

func (v *vault) Get(ctx context.Context, ref secrets.Ref) (secrets.Value, error) {
	if v.down.Load() {
		return secrets.Value{}, errDown
	}
	if v.slow.Load() { // as if it had taken all the time there is
		return secrets.Value{}, context.DeadlineExceeded
	}
	return v.Vault.Get(ctx, ref)
}

func TestPlansKeepWithinTheBoundInBytes(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h, _, store, _ := twins(t, func(o *hub.Options) { o.Limits.PlanBytes = 50 << 10 })
	tpl := template(t, h)
	const connectors = 10 // of 5 KiB and more each, beside what they share
	run := func(i int) int64 {
		before := store.reads.Load()
		_, err := h.Execute(t.Context(), hub.Call{Connector: "c" + strconv.Itoa(i), Request: "go"})
		require.NoError(t, err)
		return store.reads.Load() - before
	}
	for i := range connectors {
		connector(t, h, srv, manual("go", "GET", srv.URL), func(c *hub.Connector) { c.Name, c.Template = "c"+strconv.Itoa(i), tpl.ID })
		run(i)
	}
	assert.Zero(t, run(connectors-1), "the last one used is kept")
	assert.Zero(t, run(connectors-2))
	assert.Positive(t, run(0), "the first one had to go")
	assert.Zero(t, run(0))
	assert.Zero(t, run(connectors-1))
}

// Asking for what is not there must not cost others what is.
func TestCallsThatFindNothingKeepNobodysPlanFromBeingKept(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h, _, store, _ := twins(t)
	connector(t, h, srv, manual("go", "GET", srv.URL))
	hold := make(chan struct{})
	store.hold.Store(&hold)
	done := start(t, h, "con", "go")
	until(t, func() bool { return store.reads.Load() > 0 })
	store.hold.Store(nil)
	_, err := h.Execute(t.Context(), hub.Call{Connector: "absent", Request: "go"})
	failed(t, err, hub.NotFound)
	close(hold)
	require.NoError(t, <-done)
	before := store.reads.Load()
	_, err = execute(t, h, "go")
	require.NoError(t, err)
	assert.Equal(t, before, store.reads.Load())
}

func TestEachCallerGetsAnErrorOfItsOwn(t *testing.T) {
	h := open(t).Tenant("acme")
	for range 100 {
		together(8, func(i int) {
			name := "request " + strconv.Itoa(i)
			_, err := h.Execute(t.Context(), hub.Call{Connector: "none", Request: name})
			assert.Equal(t, name, failed(t, err, hub.NotFound).Request)
		})
	}
}
