package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/sqlite"
)

// session is an open hub with what it stands on.
type session struct {
	*hub.Hub
	store *sqlite.Store
	path  string
	known bool // the database was there before
}

// closeTimeout is how long the end of the program waits for calls under way.
const closeTimeout = 5 * time.Second

// open opens the hub in o.dir, or makes a new one: a database, and beside it the keyset that
// seals the secrets in it. In production the keyset belongs elsewhere: whoever can copy the
// folder has both.
func open(ctx context.Context, o *options, local *demo) (*session, error) {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return nil, fmt.Errorf("-dir: %w", err)
	}
	s := &session{path: filepath.Join(o.dir, "hub.db")}
	_, err := os.Stat(s.path)
	s.known = err == nil
	if s.store, err = sqlite.Open(ctx, s.path, nil); err != nil {
		return nil, err
	}
	keys, err := keyset.OpenOrCreate(ctx, filepath.Join(o.dir, "hub.keyset"), s.store)
	if err != nil {
		return nil, s.abandon(err)
	}
	// A hub calls HTTPS on public addresses and nothing else, unless it is told so.
	loopback := o.allowLoopback || local != nil
	s.Hub, err = hub.New(s.store, keys, &hub.Options{
		Egress: hub.Egress{AllowLoopback: loopback, AllowAnyPort: loopback, RootCAs: local.roots()},
	})
	if err != nil {
		return nil, s.abandon(err)
	}
	return s, nil
}

// abandon closes the store of a hub that cannot be opened.
func (s *session) abandon(err error) error {
	_ = s.store.Close() // the first error is the one to tell
	return err
}

// close waits for what is under way and closes the database.
func (s *session) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := s.Hub.Close(ctx); err != nil {
		return fmt.Errorf("closing the hub: %w", err)
	}
	return s.store.Close()
}
