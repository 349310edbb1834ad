package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// world is a hub, and what it stands on.
type world struct {
	*hub.Hub
	acme   *hub.Tenant
	store  storage.Store // closed with the hub; nil: somebody else's
	keeper secrets.Keeper
}

// closePatience is how long a hub may take to end what is under way.
const closePatience = 30 * time.Second

// newWorld opens a hub that may call loopback: on a store of its own in memory, if none is given.
func newWorld(store storage.Store, keeper secrets.Keeper, change ...func(*hub.Options)) (*world, error) {
	w := &world{keeper: keeper}
	if store == nil {
		store = memory.New()
		w.store = store
	}
	if keeper == nil {
		own, err := keyset.Generate()
		if err != nil {
			return nil, err
		}
		w.keeper = own
	}
	opts := &hub.Options{Egress: hub.Egress{AllowLoopback: true, AllowAnyPort: true, AllowHTTP: true}}
	for _, f := range change {
		f(opts)
	}
	h, err := hub.New(store, w.keeper, opts)
	if err != nil {
		return nil, err
	}
	w.Hub, w.acme = h, h.Tenant("acme")
	return w, nil
}

// end closes the hub, and its store.
func (w *world) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	err := w.Close(ctx)
	if w.store != nil {
		err = errors.Join(err, w.store.Close())
	}
	return err
}

// connect makes a connector of a template of its own.
func connect(ctx context.Context, t *hub.Tenant, con hub.Connector) (hub.Connector, error) {
	tpl := hub.Template{Name: "App of " + con.Name, AuthType: con.Auth.Kind, Methods: []string{"GET", "POST"}}
	_, con, err := t.CreateTemplateAndConnector(ctx, tpl, con)
	return con, err
}

// codeOf is the code of a call's end, empty for one that went well.
func codeOf(err error) hub.Code {
	var e *hub.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Code
	}
	return "no error of the hub"
}

// each calls f for 0 to n-1, so many at once.
func each(n, atOnce int, f func(i int)) {
	var running sync.WaitGroup
	turns := make(chan struct{}, atOnce)
	for i := range n {
		turns <- struct{}{}
		running.Go(func() {
			defer func() { <-turns }()
			f(i)
		})
	}
	running.Wait()
}
