package token

import (
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/storage"
)

// Options are the seams of a Manager. Zero fields mean the default.
type Options struct {
	// Now is the clock of lives and back-offs; default time.Now. Waits and leases follow
	// the runtime's own clock.
	Now func() time.Time
	// Rand returns a number in [0, n), n > 0, and is safe for concurrent use; default
	// math/rand/v2.Int64N.
	Rand func(n int64) int64
	// Timeout bounds a Fetch whose source is not [Bounded]; default 10 s.
	Timeout time.Duration
	// Slack is what a lease lives longer than its Fetch may take; default 5 s.
	Slack time.Duration
	// Poll is the first pause between two looks at another instance's lease, it doubles
	// up to ten times as much; default 50 ms.
	Poll time.Duration
	// Cooldown is how long a token lives at least that was fetched because another one
	// was refused: who refuses it again within this time refuses every token. Default 10 s.
	Cooldown time.Duration
	// BackOff is the pause after the first failure, it doubles up to MaxBackOff; defaults
	// 1 s and 10 min.
	BackOff, MaxBackOff time.Duration
	// MaxGrants bounds the grants in memory; default 20,000. Others are read again.
	MaxGrants int
	// Begin registers a renewal, so that Close can wait for it, and gives it the ctx
	// that ends when it must stop. Default: renewals end by their timeout.
	Begin func() (context.Context, func(), error)
	// Derive is called once for each grant that comes into memory, for Grant.Derived.
	Derive func(*Grant) any
	// Changed is called, once in all instances, for each change of state. It must be quick.
	Changed func(context.Context, Change)
}

func (o *Options) setDefaults() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = mathrand.Int64N
	}
	set(&o.Timeout, 10*time.Second)
	set(&o.Slack, 5*time.Second)
	set(&o.Poll, 50*time.Millisecond)
	set(&o.Cooldown, 10*time.Second)
	set(&o.BackOff, time.Second)
	set(&o.MaxBackOff, 10*time.Minute)
	set(&o.MaxGrants, 20_000)
	if o.Begin == nil {
		o.Begin = func() (context.Context, func(), error) { return context.Background(), func() {}, nil }
	}
	if o.Derive == nil {
		o.Derive = func(*Grant) any { return nil }
	}
	if o.Changed == nil {
		o.Changed = func(context.Context, Change) {}
	}
}

func set[N int | time.Duration](n *N, def N) {
	if *n == 0 {
		*n = def
	}
}

// Manager keeps the grants of all connectors of a store. It is safe for concurrent use.
type Manager struct {
	store  storage.Store
	keeper secrets.Keeper
	opts   Options
	owner  string // names this manager in leases

	mu      sync.Mutex          // guards what follows
	entries map[entryKey]*entry // :: key → what is known here
}

type entryKey struct{ tenant, connector string }

// New returns a Manager over a store and a keeper, which stay the caller's.
func New(store storage.Store, keeper secrets.Keeper, opts Options) *Manager {
	opts.setDefaults()
	return &Manager{store: store, keeper: keeper, opts: opts, owner: rand.Text(), entries: map[entryKey]*entry{}}
}

func (m *Manager) now() time.Time     { return m.opts.Now() }
func (m *Manager) rand(n int64) int64 { return m.opts.Rand(n) }
func (k Key) entry() entryKey         { return entryKey{k.Tenant, k.Connector} }

// entry is what a process knows of a connector's grant; Manager.mu guards it.
type entry struct {
	held    *held
	flight  *flight
	refused int64     // generations up to this one were refused by the third party
	forced  time.Time // when a refusal last led to a new grant
	trouble *trouble  // nil: the last renewal went well
}

// trouble is what is remembered of renewals that failed in a row.
type trouble struct {
	// quiet keeps background renewals from running before its time.
	quiet    time.Time
	failures int
	// hold is what foreground ones are told with holdKey before holdUntil.
	hold      error
	holdKey   string
	holdUntil time.Time
}

func (e *entry) usable(key Key, now time.Time) bool {
	return e.held.usable(key.AuthKey, now) && e.held.generation() > e.refused
}

func (e *entry) due(now time.Time) bool {
	return !now.Before(e.held.renew) && (e.trouble == nil || !now.Before(e.trouble.quiet))
}

func (e *entry) blocked(key Key, now time.Time) error {
	if t := e.trouble; t != nil && t.hold != nil && t.holdKey == key.AuthKey && now.Before(t.holdUntil) {
		return t.hold
	}
	return nil
}

// Get returns a grant that is good now. One that is due for renewal is renewed in the
// background of the call; if there is none that is good, Get waits for the one renewal
// that is under way, or begins it. A caller that gives up does not disturb the others.
//
// Errors are an *[Error], ctx's, Begin's, or wrap ErrStore, ErrSeal or ErrGone.
func (m *Manager) Get(ctx context.Context, key Key, src Source) (*Grant, error) {
	g, f, err := m.look(key, src)
	if f == nil {
		return g, err
	}
	return f.wait(ctx)
}

func (m *Manager) look(key Key, src Source) (*Grant, *flight, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, e := m.now(), m.entry(key)
	if e.usable(key, now) {
		if e.flight == nil && e.due(now) {
			_, _ = m.start(e, key, src, asNeeded) // a manager that ends renews nothing
		}
		return e.held.grant, nil, nil
	}
	if err := e.blocked(key, now); err != nil {
		return nil, nil, err
	}
	f, err := m.join(e, key, src, asNeeded)
	return nil, f, err
}

// Fresh returns the grant that a Get would return at once, nil if there is none, or if Get would also renew it. now is
// the time by Options.Now.
func (m *Manager) Fresh(key Key, now time.Time) *Grant {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[key.entry()]
	if e == nil {
		return nil
	}
	if !e.usable(key, now) || e.flight == nil && e.due(now) {
		return nil
	}
	return e.held.grant
}

// Held returns the grant that a Get would return at once, nil if there is none in memory.
func (m *Manager) Held(key Key) *Grant {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[key.entry()]; e != nil && e.usable(key, m.now()) {
		return e.held.grant
	}
	return nil
}

// Renew fetches a new grant, whether or not there is one that is good, and whatever the
// back-off says. A grant that is dead stays so.
func (m *Manager) Renew(ctx context.Context, key Key, src Source) (*Grant, error) {
	return m.again(ctx, key, src, insisting)
}

// Repeat is Renew for callers who ask again and again: it heeds the back-off, as Get does.
func (m *Manager) Repeat(ctx context.Context, key Key, src Source) (*Grant, error) {
	return m.again(ctx, key, src, anew)
}

func (m *Manager) again(ctx context.Context, key Key, src Source, demand demand) (*Grant, error) {
	f, err := m.begin(key, src, demand)
	if err != nil {
		return nil, err
	}
	return f.wait(ctx)
}

func (m *Manager) begin(key Key, src Source, demand demand) (*flight, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entry(key)
	if err := e.blocked(key, m.now()); err != nil && demand < insisting {
		return nil, err
	}
	return m.join(e, key, src, demand)
}

// Refuse tells that the third party refused a grant, and reports whether another try is
// worth it: the next Get returns a newer one. It is not when the grant itself was fetched
// a moment ago because of a refusal.
func (m *Manager) Refuse(key Key, g *Grant) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, now := m.entry(key), m.now()
	if g.Generation <= e.refused || e.held.generation() > g.Generation {
		return true // somebody else told, or another one is here already
	}
	if now.Sub(e.forced) < m.opts.Cooldown && now.Sub(e.forced) >= 0 {
		return false
	}
	e.refused = max(e.refused, g.Generation)
	e.forced = now
	return true
}

// Drop forgets what the memory holds of a connector. The record stays.
func (m *Manager) Drop(key Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.entries[key.entry()]; e != nil && e.flight != nil {
		e.held = nil // the renewal under way keeps its entry
		if e.trouble != nil {
			e.trouble.hold = nil
		}
		return
	}
	delete(m.entries, key.entry())
}

// entry returns the entry of a key, a new one if need be; m.mu is held.
func (m *Manager) entry(key Key) *entry {
	e := m.entries[key.entry()]
	if e != nil {
		return e
	}
	for other, old := range m.entries {
		if len(m.entries) < m.opts.MaxGrants {
			break
		}
		if old.flight == nil {
			delete(m.entries, other)
		}
	}
	e = &entry{}
	m.entries[key.entry()] = e
	return e
}
