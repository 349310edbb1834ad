// Package memory is a storage.Store in the memory of the process: for tests, and for hosts
// whose definitions are written anew at each start. Nothing survives the process.
package memory

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/integrationhub/hub/storage"
)

// Store keeps records in memory. It is safe for concurrent use. Its memory grows with what
// is stored: there is no limit but those of package storage for each record.
type Store struct {
	mu     sync.RWMutex // guards all below
	closed bool
	byKey  map[storage.Key]*storage.Record // :: key → record, never changed once it is here
	byName map[name]*storage.Record        // :: name → the record that has it
	scopes map[scope]sorted                // :: scope → its records in search order

	watchers map[*hints]struct{}
	done     chan struct{} // closed by Close
}

// scope is what a listing is confined to.
type scope struct{ tenant, kind, parent string }

// name is what is unique.
type name struct {
	scope
	name string
}

// New returns an empty store.
func New() *Store {
	return &Store{
		byKey:    map[storage.Key]*storage.Record{},
		byName:   map[name]*storage.Record{},
		scopes:   map[scope]sorted{},
		watchers: map[*hints]struct{}{},
		done:     make(chan struct{}),
	}
}

// Get implements storage.Store.
func (s *Store) Get(ctx context.Context, key storage.Key) (storage.Record, error) {
	if err := ctx.Err(); err != nil {
		return storage.Record{}, fmt.Errorf("get %s: %w", key, err)
	}
	r, err := s.find(key)
	if err != nil {
		return storage.Record{}, fmt.Errorf("get %s: %w", key, err)
	}
	return r.Normal(), nil
}

func (s *Store) find(key storage.Key) (*storage.Record, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, storage.ErrClosed
	}
	if err := storage.CheckKey(key); err != nil {
		return nil, err
	}
	r, ok := s.byKey[key]
	if !ok {
		return nil, storage.ErrNotFound
	}
	return r, nil
}

// Close implements storage.Store. The records are given up.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	close(s.done)
	s.byKey, s.byName, s.scopes = nil, nil, nil
	return nil
}

func scopeOf(r *storage.Record) scope {
	return scope{tenant: r.Tenant, kind: r.Kind, parent: r.Parent}
}

func nameOf(r *storage.Record) name {
	return name{scope: scopeOf(r), name: r.Name}
}

func hasLabels(r *storage.Record, labels []storage.Label) bool {
	for _, l := range labels {
		if !contains(r.Labels, l) {
			return false
		}
	}
	return true
}

func contains(labels []storage.Label, want storage.Label) bool {
	for _, l := range labels {
		if l == want {
			return true
		}
	}
	return false
}

func matches(r *storage.Record, q storage.Query) bool {
	return strings.HasPrefix(r.Search, q.Prefix) && hasLabels(r, q.Labels)
}
