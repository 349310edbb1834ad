package storagetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/integrationhub/hub/storage"
)

func watchChecks() []check {
	return []check{
		{"watch-begins", "Watch gives the zero Key once it has begun to listen", ifWatching(checkWatchBegins)},
		{"watch-tells", "Watch tells of each record that an Apply creates, updates or deletes", ifWatching(checkWatchTells)},
		{"watch-each", "Each Watch is told of everything", ifWatching(checkWatchEach)},
		{"watch-slow", "While changed runs no other call of it begins, writers go on, and what they change is told afterwards", ifWatching(checkWatchSlow)},
		{"watch-ends", "Watch returns with an error that wraps ctx.Err() when ctx has ended", ifWatching(checkWatchEnds)},
		{"watch-closes", "Watch returns with ErrClosed when the store is closed, and after that", ifWatching(checkWatchCloses)},
	}
}

// ifWatching makes a check of a store that can watch. Whether a store can is told by its
// method set alone: one that cannot has nothing to keep.
func ifWatching(run func(context.Context, storage.Store, storage.Watcher) error) func(context.Context, opener) error {
	return one(func(ctx context.Context, s storage.Store) error {
		w, ok := s.(storage.Watcher)
		if !ok {
			return nil
		}
		return run(ctx, s, w)
	})
}

// hintPatience returns how long a check waits for what a store has to tell: a part of the
// time that it has itself.
func hintPatience(ctx context.Context) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return time.Until(end) / 4
	}
	return patience / 4
}

// watch is a Watch under way.
type watch struct {
	hints    chan storage.Key
	ended    chan error
	stop     context.CancelFunc
	patience time.Duration
	twice    atomic.Bool // two calls of changed were seen at once
}

// watched begins a Watch and waits until it listens. during is called within changed.
func watched(ctx context.Context, w storage.Watcher, during func(storage.Key)) (*watch, error) {
	v := &watch{hints: make(chan storage.Key, 10_000), ended: make(chan error, 1), patience: hintPatience(ctx)}
	ctx, v.stop = context.WithCancel(ctx)
	var running sync.Mutex
	go func() {
		v.ended <- w.Watch(ctx, func(k storage.Key) {
			if !running.TryLock() {
				v.twice.Store(true)
				return
			}
			defer running.Unlock()
			during(k)
			select {
			case v.hints <- k:
			default: // a store that never stops telling
			}
		})
	}()
	if err := v.want(storage.Key{}); err != nil {
		return nil, errors.Join(fmt.Errorf("the first hint: %w", err), v.end())
	}
	return v, nil
}

// want waits until each of the keys was told, or the zero Key, which stands for all.
func (v *watch) want(keys ...storage.Key) error {
	missing := make(map[storage.Key]bool, len(keys))
	for _, k := range keys {
		missing[k] = true
	}
	late := time.NewTimer(v.patience)
	defer late.Stop()
	for len(missing) > 0 {
		select {
		case k := <-v.hints:
			if k == (storage.Key{}) {
				return nil
			}
			delete(missing, k)
		case err := <-v.ended:
			v.ended <- err
			return fmt.Errorf("a Watch returned %v", err)
		case <-late.C:
			return fmt.Errorf("nothing was told of %d of %d keys within %v", len(missing), len(keys), v.patience)
		}
	}
	return nil
}

// returned waits until Watch has returned, for the reason want.
func (v *watch) returned(want error) error {
	late := time.NewTimer(v.patience)
	defer late.Stop()
	select {
	case err := <-v.ended:
		return wantError("Watch", err, want)
	case <-late.C:
		return fmt.Errorf("a Watch did not return within %v", v.patience)
	}
}

// end ends the Watch as its caller may.
func (v *watch) end() error {
	v.stop()
	if err := v.returned(context.Canceled); err != nil {
		return err
	}
	if v.twice.Load() {
		return errors.New("changed was called while it was running")
	}
	return nil
}

func nothing(storage.Key) {}

func checkWatchBegins(ctx context.Context, s storage.Store, w storage.Watcher) error {
	if err := create(ctx, s, record("a")); err != nil {
		return err
	}
	v, err := watched(ctx, w, nothing)
	if err != nil {
		return err
	}
	return v.end()
}

func checkWatchTells(ctx context.Context, s storage.Store, w storage.Watcher) error {
	v, err := watched(ctx, w, nothing)
	if err != nil {
		return err
	}
	return errors.Join(tellsOf(ctx, s, v), v.end())
}

// tellsOf makes changes of each kind and waits for the hints of v.
func tellsOf(ctx context.Context, s storage.Store, watches ...*watch) error {
	odd := record("\xff", func(r *storage.Record) { r.Tenant, r.Kind = "", " \u202e'\"," })
	for _, changes := range [][]storage.Change{
		{storage.Create(record("a"))},
		{storage.Update(revised("a", 2), 1)},
		{storage.Create(record("b")), storage.Update(revised("a", 3), 2), storage.Create(odd)},
		{storage.Delete(key("a"), 3), storage.Delete(odd.Key, 1)},
	} {
		if err := s.Apply(ctx, changes...); err != nil {
			return err
		}
		var keys []storage.Key
		for _, c := range changes {
			keys = append(keys, c.Record.Key)
		}
		for _, v := range watches {
			if err := v.want(keys...); err != nil {
				return fmt.Errorf("after %s of %.80q: %w", changes[0].Action, keys, err)
			}
		}
	}
	return nil
}

func checkWatchEach(ctx context.Context, s storage.Store, w storage.Watcher) error {
	a, err := watched(ctx, w, nothing)
	if err != nil {
		return err
	}
	b, err := watched(ctx, w, nothing)
	if err != nil {
		return errors.Join(err, a.end())
	}
	err = errors.Join(tellsOf(ctx, s, a, b), a.end())
	if err == nil { // one that has ended does not disturb the other
		err = create(ctx, s, record("z"))
	}
	if err == nil {
		err = b.want(key("z"))
	}
	return errors.Join(err, b.end())
}

func checkWatchSlow(ctx context.Context, s storage.Store, w storage.Watcher) error {
	slow := newSlowness(ctx)
	v, err := watched(ctx, w, slow.during)
	if err != nil {
		return err
	}
	return errors.Join(writeWhile(ctx, s, v, slow), v.end())
}

// writeWhile writes much while a call of changed is held, and waits for the hints of it.
func writeWhile(ctx context.Context, s storage.Store, v *watch, slow *slowness) error {
	defer slow.end()
	if err := create(ctx, s, record("first")); err != nil {
		return err
	}
	select {
	case <-slow.began:
	case <-time.After(v.patience):
		return fmt.Errorf("nothing was told within %v", v.patience)
	}
	records := numbered(0, 10*storage.MaxChanges)
	var keys []storage.Key
	for _, r := range records {
		keys = append(keys, r.Key)
	}
	if err := create(ctx, s, records...); err != nil {
		return err
	}
	select { // time for a faulty store to begin another call
	case <-slow.over.Done():
	case <-time.After(50 * time.Millisecond):
	}
	slow.end()
	return v.want(append(keys, key("first"))...)
}

// slowness holds the second call of changed.
type slowness struct {
	calls atomic.Int64
	began chan struct{} // closed when the call is there
	over  context.Context
	end   context.CancelFunc
}

func newSlowness(ctx context.Context) *slowness {
	s := &slowness{began: make(chan struct{})}
	s.over, s.end = context.WithCancel(ctx)
	return s
}

func (s *slowness) during(storage.Key) {
	if s.calls.Add(1) == 2 {
		close(s.began)
		<-s.over.Done()
	}
}

func checkWatchEnds(ctx context.Context, s storage.Store, w storage.Watcher) error {
	for want, end := range endings {
		ended, cancel := end(ctx)
		err := wantError("Watch", w.Watch(ended, nothing), want)
		cancel()
		if err != nil {
			return err
		}
	}
	v, err := watched(ctx, w, nothing)
	if err != nil {
		return err
	}
	if err := v.end(); err != nil {
		return err
	}
	return create(ctx, s, record("a"))
}

func checkWatchCloses(ctx context.Context, s storage.Store, w storage.Watcher) error {
	v, err := watched(ctx, w, nothing)
	if err != nil {
		return err
	}
	defer v.stop()
	if err := s.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	if err := v.returned(storage.ErrClosed); err != nil {
		return err
	}
	return wantError("Watch", w.Watch(ctx, nothing), storage.ErrClosed)
}

// checkSharedWatch checks that one hears of what the other changes, if it can watch.
func checkSharedWatch(ctx context.Context, open opener) error {
	a, b := open(), open()
	w, ok := b.(storage.Watcher)
	if !ok {
		return nil
	}
	v, err := watched(ctx, w, nothing)
	if err != nil {
		return err
	}
	return errors.Join(tellsOf(ctx, a, v), v.end())
}
