package token

import (
	"context"
	"errors"
	"time"

	"github.com/integrationhub/hub/storage"
)

// maxRaces bounds how often a write starts over because somebody else wrote in between.
const maxRaces = 50

// Put stores a grant that was obtained otherwise, such as by an authorization that somebody
// has just given: whatever is under way or flagged, it takes its place. g belongs to the
// manager afterwards.
func (m *Manager) Put(ctx context.Context, key Key, g *Grant) error {
	var from, to Status
	err := m.race(ctx, key, func(rec *record) error {
		from = rec.status()
		rec.Attempt = max(rec.Attempt, m.generation(key)) + 1
		g.complete(key.AuthKey, rec.Attempt, m.now())
		rec.Lease, rec.Settled = nil, outcome{m.owner, rec.Attempt}
		rec.Dead, rec.Failures, rec.RetryAt, rec.AuthKey = false, 0, time.Time{}, key.AuthKey
		rec.enter(Healthy, "", m.now())
		err := m.seal(ctx, key, rec, g)
		to = rec.status()
		return err
	})
	if err != nil {
		return err
	}
	m.publish(key, m.hold(g, g.Expires))
	if from.State != to.State {
		m.opts.Changed(context.WithoutCancel(ctx), Change{Key: key, From: from, To: to})
	}
	return nil
}

// generation is that of the grant in memory.
func (m *Manager) generation(key Key) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[key.entry()]; e != nil {
		return max(e.held.generation(), e.refused)
	}
	return 0
}

func (m *Manager) publish(key Key, h *held) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entry(key)
	if h.generation() > e.held.generation() {
		e.held = h
	}
	e.calm()
}

// race changes a record, as often as somebody else is faster.
func (m *Manager) race(ctx context.Context, key Key, change func(*record) error) error {
	for race := 1; ; race++ {
		rec, err := m.read(ctx, key)
		if err != nil {
			return err
		}
		if err := change(rec); err != nil {
			return err
		}
		err = m.write(ctx, key, rec)
		if err == nil || !moved(err) || race == maxRaces {
			return err
		}
	}
}

// Deletion returns the change that deletes a grant's record as it is now, for an Apply that
// deletes its connector as well; false if there is none. An Apply that fails with
// storage.ErrConflict can be tried again with another Deletion.
func (m *Manager) Deletion(ctx context.Context, key Key) (storage.Change, bool, error) {
	rec, err := m.read(ctx, key)
	if err != nil || rec.revision == 0 {
		return storage.Change{}, false, err
	}
	return storage.Delete(key.record(), rec.revision), true, nil
}

// Forget deletes what is stored of a grant, and drops it from memory.
func (m *Manager) Forget(ctx context.Context, key Key) error {
	defer m.Drop(key)
	for race := 1; ; race++ {
		change, ok, err := m.Deletion(ctx, key)
		if err != nil || !ok {
			return err
		}
		err = m.store.Apply(ctx, change)
		switch {
		case err == nil, errors.Is(err, storage.ErrNotFound):
			return nil
		case !errors.Is(err, storage.ErrConflict), race == maxRaces:
			return errors.Join(ErrStore, err)
		}
	}
}
