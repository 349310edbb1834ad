package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

const (
	perConnector = 10 // secrets
	fillers      = 4
	template     = "app"
)

func connectorID(n int) string { return fmt.Sprint("con-", n) }

// fill makes connectors with secrets: in memory, which is quick, and then copied.
func fill(ctx context.Context, store storage.Store, keeper secrets.Keeper, count int) (err error) {
	draft := memory.New()
	defer func() { err = errors.Join(err, draft.Close()) }()
	h, err := hub.New(draft, keeper, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(ctx))) }()
	if _, err := h.CreateTemplate(ctx, hub.Template{ID: template, Name: "Application", Methods: []string{"GET"}}); err != nil {
		return err
	}
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range fillers {
		group.Go(func() error {
			for n := int(next.Add(1)) - 1; n < count/perConnector; n = int(next.Add(1)) - 1 {
				if err := connect(ctx, h, n); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	_, err = storage.Copy(context.WithoutCancel(ctx), store, draft, nil)
	return err
}

func connect(ctx context.Context, h *hub.Hub, n int) error {
	con := hub.Connector{ID: connectorID(n), Name: fmt.Sprint("Connector ", n), Template: template, Hosts: []string{"api.example.com"}}
	for i := range perConnector {
		con.Secrets = append(con.Secrets, hub.Secret{Name: fmt.Sprint("secret-", i)})
	}
	if _, err := h.CreateConnector(ctx, con); err != nil {
		return err
	}
	for _, s := range con.Secrets {
		if err := h.SetSecret(ctx, con.ID, s.Name, secrets.New(fmt.Sprint("value of ", s.Name, " of ", n))); err != nil {
			return err
		}
	}
	return nil
}
