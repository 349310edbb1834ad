package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/internal/toxics"
	"github.com/integrationhub/hub/storage/postgres"
)

// database is a PostgreSQL server, and a hub that reaches it directly.
type database struct {
	*trial
	dsn   *url.URL
	store *postgres.Store
	world *world
}

func newDatabase(t *trial) *database {
	d := &database{trial: t}
	dsn, err := url.Parse(dbtest.Postgres(t).DSN())
	t.must(err)
	d.dsn = dsn
	d.store, err = postgres.Open(t.Context(), dsn.String(), nil)
	t.must(err)
	d.world, err = newWorld(d.store, nil)
	t.must(err)
	return d
}

func (d *database) end() {
	err := errors.Join(d.world.end(), d.store.Close())
	d.check(err == nil, "closing the database: %v", err)
}

// through is the connection string of the server behind a proxy.
func (d *database) through(p *toxics.Proxy) string {
	dsn := *d.dsn
	dsn.Host = p.Addr()
	q := dsn.Query()
	q.Set("pool_max_conns", "2")
	dsn.RawQuery = q.Encode()
	return dsn.String()
}

// server is where it listens.
func (d *database) server() string {
	return net.JoinHostPort(d.dsn.Hostname(), d.dsn.Port())
}

// stores are the ways over the link to the database.
func (f *fixture) stores() []way {
	ways := []way{
		{name: "call", kept: true, ends: ofKnown, open: f.known},
		{name: "first call", ends: ofStore, open: f.first},
		{name: "call that renews a token", ends: ofStore, open: f.renewing},
		{name: "save", kept: true, ends: ofStore, open: f.saving},
	}
	for i := range ways {
		ways[i].link, ways[i].server, ways[i].atOnce = "PostgreSQL", f.db.server(), 10
	}
	return ways
}

// apart opens a hub whose store is behind the proxy, and the tenant of a case. Every call
// asks the store whether its definition has changed.
func (f *fixture) apart(ctx context.Context, o opening, con hub.Connector) (*road, *hub.Tenant, error) {
	name := tenantOf(o.n)
	if err := authorize(ctx, f.db.world.Hub.Tenant(name), con); err != nil {
		return nil, nil, err
	}
	store, err := postgres.Open(ctx, f.db.through(o.proxy), nil)
	if err != nil {
		return nil, nil, err
	}
	w, err := newWorld(store, f.db.world.keeper, func(o *hub.Options) { o.Limits.Freshness = -1 })
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	w.store = store
	return &road{proxy: o.proxy, end: w.end}, w.Hub.Tenant(name), nil
}

// known calls what the hub has called before.
func (f *fixture) known(ctx context.Context, o opening) (*road, error) {
	r, tenant, err := f.apart(ctx, o, f.connector(o.within, http.MethodPost, f.plain.URL+"/api"))
	if err == nil {
		r.call = func(ctx context.Context) error { return execute(ctx, tenant) }
	}
	return r, err
}

// first calls what the hub has not called yet.
func (f *fixture) first(ctx context.Context, o opening) (*road, error) {
	r, tenant, err := f.apart(ctx, o, f.connector(o.within, http.MethodGet, f.plain.URL+"/api"))
	if err == nil {
		r.call = within(o.within, func(ctx context.Context) error { return execute(ctx, tenant) })
	}
	return r, err
}

// renewing calls with a token that is fetched for the call, and written down.
func (f *fixture) renewing(ctx context.Context, o opening) (*road, error) {
	r, tenant, err := f.apart(ctx, o, f.authorized(o.within, f.secure.Host()))
	if err == nil {
		r.call = within(o.within, func(ctx context.Context) error { return execute(ctx, tenant) })
	}
	return r, err
}

// saving changes a definition. What was acknowledged must be there.
func (f *fixture) saving(ctx context.Context, o opening) (*road, error) {
	r, tenant, err := f.apart(ctx, o, f.connector(o.within, http.MethodGet, f.plain.URL+"/api"))
	if err != nil {
		return nil, err
	}
	changes := 0
	r.call = within(o.within, func(ctx context.Context) error {
		direct := f.db.world.Hub.Tenant(tenantOf(o.n))
		con, err := direct.GetConnector(ctx, "con")
		if err != nil {
			return err
		}
		changes++
		con.Tags = []string{fmt.Sprint("change-", changes)}
		if _, err := tenant.UpdateConnector(ctx, con); err != nil {
			return err
		}
		saved, err := direct.GetConnector(context.WithoutCancel(ctx), "con")
		f.check(err == nil && len(saved.Tags) == 1 && saved.Tags[0] == con.Tags[0], "%v: what was acknowledged is not there: %v", saved.Tags, err)
		return err
	})
	return r, nil
}

func tenantOf(n int) string { return fmt.Sprint("tenant-", n) }

// within bounds a call by its ctx.
func within(d time.Duration, call func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		return call(ctx)
	}
}
