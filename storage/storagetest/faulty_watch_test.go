package storagetest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
	"github.com/integrationhub/hub/storage/storagetest"
)

// watching is a store with a fault in how it watches.
type watching struct {
	*memory.Store
	watch func(ctx context.Context, s *memory.Store, changed func(storage.Key)) error
}

func (w *watching) Watch(ctx context.Context, changed func(storage.Key)) error {
	return w.watch(ctx, w.Store, changed)
}

// onHint changes what a healthy Watch tells.
func onHint(tell func(k storage.Key, changed func(storage.Key))) func(context.Context, *memory.Store, func(storage.Key)) error {
	return func(ctx context.Context, s *memory.Store, changed func(storage.Key)) error {
		return s.Watch(ctx, func(k storage.Key) { tell(k, changed) })
	}
}

var watchFaults = []struct {
	name  string
	check string
	watch func(context.Context, *memory.Store, func(storage.Key)) error
}{
	{"does not say that it listens", "watch-begins", onHint(func(k storage.Key, changed func(storage.Key)) {
		if k != (storage.Key{}) {
			changed(k)
		}
	})},
	{"forgets what is not of the first tenant", "watch-tells", onHint(func(k storage.Key, changed func(storage.Key)) {
		if k == (storage.Key{}) || k.Tenant == "acme" {
			changed(k)
		}
	})},
	{"tells another key", "watch-tells", onHint(func(k storage.Key, changed func(storage.Key)) {
		if k != (storage.Key{}) {
			k.ID += " "
		}
		changed(k)
	})},
	{"tells one hint an Apply", "watch-tells", func() func(context.Context, *memory.Store, func(storage.Key)) error {
		last := time.Time{}
		return onHint(func(k storage.Key, changed func(storage.Key)) {
			if k == (storage.Key{}) || time.Since(last) > time.Millisecond {
				changed(k)
			}
			last = time.Now()
		})
	}()},
	{"serves one watcher at a time", "watch-each", func() func(context.Context, *memory.Store, func(storage.Key)) error {
		turn := make(chan struct{}, 1)
		return func(ctx context.Context, s *memory.Store, changed func(storage.Key)) error {
			select {
			case turn <- struct{}{}:
				defer func() { <-turn }()
				return s.Watch(ctx, changed)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}()},
	{"tells of many at once", "watch-slow", func(ctx context.Context, s *memory.Store, changed func(storage.Key)) error {
		var under sync.WaitGroup
		defer under.Wait()
		return s.Watch(ctx, func(k storage.Key) { under.Go(func() { changed(k) }) })
	}},
	{"drops what comes while changed runs", "watch-slow", func(ctx context.Context, s *memory.Store, changed func(storage.Key)) error {
		next, done := make(chan storage.Key, 1), make(chan struct{})
		go func() {
			defer close(done)
			for k := range next {
				changed(k)
			}
		}()
		defer func() { close(next); <-done }()
		begun := false
		return s.Watch(ctx, func(k storage.Key) {
			if begun && k == (storage.Key{}) {
				return // what stands for all would be no loss
			}
			begun = true
			select {
			case next <- k:
			default:
			}
		})
	}},
	{"ends in own words", "watch-ends", func(ctx context.Context, s *memory.Store, changed func(storage.Key)) error {
		if s.Watch(ctx, changed) != nil {
			return errors.New("interrupted")
		}
		return nil
	}},
	{"ends without an error", "watch-ends", func(ctx context.Context, s *memory.Store, changed func(storage.Key)) error {
		_ = s.Watch(ctx, changed)
		return nil
	}},
	{"watches on when the store is closed", "watch-closes", func(ctx context.Context, s *memory.Store, changed func(storage.Key)) error {
		if err := s.Watch(ctx, changed); errors.Is(err, storage.ErrClosed) {
			<-ctx.Done()
		}
		return ctx.Err()
	}},
}

// Each fault must be noticed by the check that its line names.
func TestFaultyWatchersFail(t *testing.T) {
	for _, f := range watchFaults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, storagetest.Names(), f.check)
			broken := storagetest.BrokenIn(t.Context(), f.check, 4*time.Second, func() storage.Store {
				return &watching{memory.New(), f.watch}
			})
			assert.Error(t, broken, "the check %q did not notice", f.check)
		})
	}
}

// A store that writes only when its watchers are ready for it holds up its writers.
func TestWatcherThatBlocksWritersFails(t *testing.T) {
	broken := storagetest.BrokenIn(t.Context(), "watch-slow", time.Second, func() storage.Store {
		return &blocking{Store: memory.New()}
	})
	assert.Error(t, broken)
}

// blocking tells its watcher within Apply.
type blocking struct {
	*memory.Store
	mu      sync.Mutex // guards changed
	changed func(storage.Key)
}

func (b *blocking) Watch(ctx context.Context, changed func(storage.Key)) error {
	b.mu.Lock()
	changed(storage.Key{})
	b.changed = changed
	b.mu.Unlock()
	return b.Store.Watch(ctx, func(storage.Key) {})
}

func (b *blocking) Apply(ctx context.Context, changes ...storage.Change) error {
	err := b.Store.Apply(ctx, changes...)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changed != nil && err == nil {
		for _, c := range changes {
			b.changed(c.Record.Key)
		}
	}
	return err
}
