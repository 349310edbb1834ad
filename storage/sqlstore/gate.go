package sqlstore

import (
	"sync"

	"github.com/integrationhub/hub/storage"
)

// gate counts the calls under way and keeps new ones out once it is shut.
type gate struct {
	mu     sync.Mutex // guards closed; orders enter before or after shut
	closed bool
	calls  sync.WaitGroup
}

// enter lets a call in. The caller must leave.
func (g *gate) enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return storage.ErrClosed
	}
	g.calls.Add(1)
	return nil
}

func (g *gate) leave() { g.calls.Done() }

// shut keeps later calls out and returns when those under way have left.
func (g *gate) shut() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.calls.Wait()
}
