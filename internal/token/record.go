package token

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
)

// Kind is the kind of the records of this package. Their ID is the connector's.
const Kind = "grant"

// recordFormat is written into every record; a higher one was written by a newer release.
const recordFormat = 1

// Sentinels of what is not the third party's fault.
var (
	// ErrStore: the store did not answer. The store's error is wrapped beside it.
	ErrStore = errors.New("token: the store did not answer")
	// ErrSeal: the record could not be sealed or opened. The keeper's error is wrapped.
	ErrSeal = errors.New("token: the seal of a grant")
	// ErrGone: the record was deleted while its grant was fetched.
	ErrGone = errors.New("token: the grant has been deleted")
)

// record is a grant's record. Everything but the grant is plain: it says who does what, and
// nothing that could be used.
type record struct {
	Format int `json:"format"`
	// Attempt counts leases and puts; a grant's generation is the attempt that made it.
	Attempt int64 `json:"attempt"`
	// Lease is the attempt under way, written before its request is sent.
	Lease *lease `json:"lease,omitempty"`
	// Settled names who wrote the outcome of which attempt last.
	Settled outcome `json:"settled,omitzero"`
	// AuthKey is what the state was reached with.
	AuthKey string    `json:"authKey,omitempty"`
	State   State     `json:"state"`
	Since   time.Time `json:"since"`
	Reason  string    `json:"reason,omitempty"`
	// Dead tells that the grant must not be used to fetch another one.
	Dead bool `json:"dead,omitempty"`
	// Failures in a row, and when the credentials may be tried again.
	Failures int       `json:"failures,omitempty"`
	RetryAt  time.Time `json:"retryAt,omitzero"`
	// Generation, Expires and Box are the grant's; Box is sealed.
	Generation int64     `json:"generation,omitempty"`
	Expires    time.Time `json:"expires,omitzero"`
	Box        []byte    `json:"box,omitempty"`

	revision int64 // of the stored record; zero: there is none
}

type lease struct {
	Owner   string        `json:"owner"`
	Attempt int64         `json:"attempt"`
	At      time.Time     `json:"at"`   // by the holder's clock
	Life    time.Duration `json:"life"` // nanoseconds, from when it is first seen
}

type outcome struct {
	Owner   string `json:"owner"`
	Attempt int64  `json:"attempt"`
}

// heldBy reports whether the attempt under way is somebody's.
func (r *record) heldBy(owner string) bool { return r.Lease != nil && r.Lease.Owner == owner }

func (r *record) status() Status {
	return Status{State: r.State, Since: r.Since, Expires: r.Expires, Reason: r.Reason, Generation: r.Generation}
}

// enter moves to a state; the time since when it holds moves only if it is another one.
func (r *record) enter(s State, reason string, now time.Time) {
	if r.State != s {
		r.Since = now.UTC()
	}
	r.State, r.Reason = s, reason
}

// key returns the key of a grant's record.
func (k Key) record() storage.Key {
	return storage.Key{Tenant: k.Tenant, Kind: Kind, ID: k.Connector}
}

func (k Key) aad() []string { return []string{Kind, k.Tenant, k.Connector} }

// read returns the record of a key; one without revision if there is none.
func (m *Manager) read(ctx context.Context, key Key) (*record, error) {
	stored, err := m.store.Get(ctx, key.record())
	if errors.Is(err, storage.ErrNotFound) {
		return &record{Format: recordFormat, State: Unknown}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStore, err)
	}
	rec := &record{}
	if err := json.Unmarshal(stored.Data, rec); err != nil {
		return nil, fmt.Errorf("%w: the record is damaged: %w", ErrStore, err)
	}
	if rec.Format > recordFormat {
		return nil, fmt.Errorf("%w: the record was written by a newer release (format %d)", ErrStore, rec.Format)
	}
	rec.revision = stored.Revision
	return rec, nil
}

// write replaces the record that rec was read from, and notes the new revision.
func (m *Manager) write(ctx context.Context, key Key, rec *record) error {
	data, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStore, err)
	}
	now := m.now().UTC()
	next := storage.Record{
		Key: key.record(), Revision: max(rec.revision+1, now.UnixMicro()), Updated: now, Data: data,
	}
	if keyID, err := sealed.KeyID(rec.Box); err == nil {
		next.Labels = []storage.Label{{Key: sealed.LabelKey, Value: keyID}}
	}
	change := storage.Create(next)
	if rec.revision > 0 {
		change = storage.Update(next, rec.revision)
	}
	if err := m.store.Apply(ctx, change); err != nil {
		return fmt.Errorf("%w: %w", ErrStore, err)
	}
	rec.revision = next.Revision
	return nil
}

// moved reports whether a write failed because somebody else wrote.
func moved(err error) bool {
	return errors.Is(err, storage.ErrConflict) || errors.Is(err, storage.ErrExists) || errors.Is(err, storage.ErrNotFound)
}

// seal puts a grant into the record.
func (m *Manager) seal(ctx context.Context, key Key, rec *record, g *Grant) error {
	data, err := json.Marshal(g)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSeal, err)
	}
	defer clear(data)
	box, err := sealed.Seal(ctx, m.keeper, data, key.aad()...)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSeal, err)
	}
	rec.Generation, rec.Expires, rec.Box = g.Generation, g.Expires.UTC(), box
	return nil
}

// open returns the grant of the record, nil if there is none.
func (m *Manager) open(ctx context.Context, key Key, rec *record) (*Grant, error) {
	if len(rec.Box) == 0 {
		return nil, nil
	}
	data, err := sealed.Open(ctx, m.keeper, rec.Box, key.aad()...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSeal, err)
	}
	defer clear(data)
	g := &Grant{}
	if err := json.Unmarshal(data, g); err != nil {
		return nil, fmt.Errorf("%w: the grant is damaged", ErrSeal)
	}
	if g.AuthKey == key.AuthKey {
		g.AuthKey = key.AuthKey // one text is enough
	}
	return g, nil
}
