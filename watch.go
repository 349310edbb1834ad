package hub

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/integrationhub/hub/storage"
)

// watching is what listens to a store that tells of changes.
type watching struct {
	done chan struct{} // closed when it has ended; nil if the store cannot tell
}

// begin listens until ctx ends.
func (w *watching) begin(ctx context.Context, c *core) {
	watcher, ok := c.store.(storage.Watcher)
	if !ok {
		return
	}
	w.done = make(chan struct{})
	c.plans.watched = true
	go func() {
		defer close(w.done)
		err := watcher.Watch(ctx, c.plans.changed)
		if ctx.Err() == nil && !errors.Is(err, storage.ErrClosed) {
			c.log.Warn("the store no longer tells of changes; they are found by comparing revisions", "error", err)
		}
	}()
}

// end waits until the store's calls have ended; the ctx of begin must have.
func (w *watching) end() {
	if w.done != nil {
		<-w.done
	}
}

// changed is told by the store that a record may have changed. The plans made from it are
// checked before they are used again.
func (c *planCache) changed(key storage.Key) {
	var names []planKey
	c.mu.Lock()
	switch key.Kind {
	case "":
		names = c.doubtIf(func(*planEntry) bool { return true })
	case kindHosts: // of a tenant's template, or of the host application's
		names = c.doubtIf(func(e *planEntry) bool {
			return e.template == key.ID && (key.Tenant == "" || key.Tenant == e.key.tenant)
		})
	case kindConnector:
		names = c.doubt(slices.Clone(c.byID[planKey{key.Tenant, key.ID}]))
	}
	c.mu.Unlock()
	for _, name := range names { // a check that began before the change does not count
		c.flight.Forget(name.flight())
	}
}

func (c *planCache) doubtIf(concerned func(*planEntry) bool) []planKey {
	var names []planKey
	for name, e := range c.entries {
		if concerned(e.Value.(*planEntry)) {
			names = append(names, name)
		}
	}
	return c.doubt(names)
}

// doubt lets the plans of these names be checked before they are used, also those that are
// being checked now; c.mu is held.
func (c *planCache) doubt(names []planKey) []planKey {
	c.at.hints++
	for _, name := range names {
		c.entries[name].Value.(*planEntry).asked = time.Time{}
	}
	return names
}
