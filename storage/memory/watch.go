package memory

import (
	"context"
	"fmt"
	"sync"

	"github.com/integrationhub/hub/storage"
)

// Watch implements storage.Watcher. Hints are collected while changed runs, so a slow one
// holds up nobody who writes.
func (s *Store) Watch(ctx context.Context, changed func(storage.Key)) error {
	if err := s.watch(ctx, changed); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	return nil
}

func (s *Store) watch(ctx context.Context, changed func(storage.Key)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h, err := s.addWatcher()
	if err != nil {
		return err
	}
	defer s.removeWatcher(h)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.done:
			return storage.ErrClosed
		case <-h.some:
		}
		for _, key := range h.take() {
			if err := ctx.Err(); err != nil {
				return err
			}
			changed(key)
		}
	}
}

func (s *Store) addWatcher() (*hints, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, storage.ErrClosed
	}
	h := &hints{some: make(chan struct{}, 1)}
	h.add(storage.Key{})
	s.watchers[h] = struct{}{}
	return h, nil
}

func (s *Store) removeWatcher(h *hints) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watchers, h)
}

// tell hints at what the steps changed; s.mu is held.
func (s *Store) tell(steps []step) {
	for h := range s.watchers {
		for _, st := range steps {
			h.add(st.Record.Key)
		}
	}
}

// maxHints is how many hints wait for one watcher before they become one: any record.
const maxHints = 1024

// hints wait for a watcher.
type hints struct {
	some chan struct{} // holds a token if there may be hints

	mu   sync.Mutex // guards keys
	keys []storage.Key
}

func (h *hints) add(key storage.Key) {
	h.mu.Lock()
	if len(h.keys) == maxHints {
		h.keys, key = h.keys[:0], storage.Key{}
	}
	h.keys = append(h.keys, key)
	h.mu.Unlock()
	select {
	case h.some <- struct{}{}:
	default:
	}
}

func (h *hints) take() []storage.Key {
	h.mu.Lock()
	defer h.mu.Unlock()
	keys := h.keys
	h.keys = nil
	return keys
}
