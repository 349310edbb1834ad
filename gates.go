package hub

import (
	"container/list"
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// gates bound the calls under way at once: of a connector, of a tenant, of the hub. A call
// waits in its connector's queue and holds no place meanwhile, so whoever waits for a slow
// third party keeps nothing from others. A place that becomes free goes to the tenants in
// turn, of a tenant to its connectors in turn, and of a connector to the call that came first.
type gates struct {
	mu         sync.Mutex
	hub        gate
	tenants    map[string]*gate  // :: tenant → its gate, while a connector of it has one
	connectors map[gateKey]*gate // :: connector → its gate, while calls are inside or wait, or it is idle
	idle       gate              // ring of the gates that nobody uses for now, the one unused for longest first
	idlers     int               // how many they are

	waits, waited atomic.Int64 // calls whose wait is over, and for how long they did in nanoseconds
}

// gateKey names a connector, whose calls share a bound.
type gateKey struct{ tenant, connector string }

// gateBounds are the places of each gate, and how many calls may wait for one of a connector.
type gateBounds struct{ hub, tenant, connector, queued int }

// Calls that may wait, for each that may wait for a connector.
const (
	tenantQueues = 10
	hubQueues    = 100
)

// maxIdle bounds the gates that are kept though nobody uses them.
const maxIdle = 256

// gate is one bound. Those of the connectors have queues; the others let in through them.
type gate struct {
	key    gateKey
	parent *gate // nil: the hub's
	kids   int   // the connectors that a tenant has a gate for

	places, queued  int
	inside, waiting int
	queue           []*ticket          // a connector's
	ready           list.List          // of gates below that have a place for a call that waits, in turn
	turn            *list.Element      // of this gate in its parent's ready; nil: it is not there
	crowd           map[*gate]struct{} // the gates below where calls wait

	stay time.Duration // how long calls stay inside, on average
	left int           // how many have left, as far as it matters

	next, previous *gate // in the ring of those that are idle; nil: it is not
}

// ticket is one call's place, or its wait for one.
type ticket struct {
	gate   *gate
	ctx    context.Context
	since  time.Time     // when it got its place; zero: it has none
	turn   chan struct{} // closed when the wait is over; nil: there was none
	failed error         // why it is over, if not for a place
}

// enter takes a place for t, waiting for it until ctx ends. leave gives it back. now is the
// time.
func (g *gates) enter(ctx context.Context, t *ticket, key gateKey, bounds gateBounds, now time.Time) error {
	g.mu.Lock()
	t.ctx, t.gate = ctx, g.gate(key, bounds)
	if t.gate.waiting == 0 && t.gate.free() {
		t.gate.admit(t, now)
		g.mu.Unlock()
		return nil
	}
	err := g.queue(t)
	g.mu.Unlock()
	if err != nil {
		return err
	}
	defer g.endWait(now)
	select {
	case <-t.turn:
		if t.failed != nil {
			g.abandon(t)
		}
		return t.failed
	case <-ctx.Done():
		g.abandon(t)
		return ctx.Err()
	}
}

// endWait counts a wait that has begun then, and is over.
func (g *gates) endWait(begun time.Time) {
	g.waits.Add(1)
	g.waited.Add(int64(time.Since(begun)))
}

// waited reports whether the call had to wait for its place.
func (t *ticket) waited() bool { return t.turn != nil }

// leave gives the place back, for others.
func (g *gates) leave(t *ticket, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	stayed := now.Sub(t.since)
	t.since = time.Time{}
	for n := t.gate; n != nil; n = n.parent {
		n.inside--
		n.note(stayed)
	}
	t.gate.update()
	g.serve()
	g.retire(t.gate)
}

// count tells how many calls of a connector are inside and how many wait.
func (g *gates) count(key gateKey) (inside, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := g.connectors[key]; n != nil {
		return n.inside, n.waiting
	}
	return 0, 0
}

// queue lets t wait, unless it would do so in vain or too many do.
func (g *gates) queue(t *ticket) error {
	leaf := t.gate
	defer g.retire(leaf)
	switch left := timeLeft(t.ctx); {
	case t.ctx.Err() != nil:
		return t.ctx.Err()
	case left <= 0: // its timer has not run yet
		return context.DeadlineExceeded
	case leaf.delay() >= left:
		return crowded("so many calls are waiting that this one would not get its turn in time")
	}
	for child, n := leaf, leaf; n != nil; child, n = n, n.parent {
		if n.waiting >= n.queued && !n.displace(child) {
			return crowded(tooMany)
		}
	}
	t.turn = make(chan struct{})
	leaf.queue = append(leaf.queue, t)
	leaf.counted(+1)
	g.serve()
	return nil
}

const tooMany = "too many calls of the connector, the tenant or the hub are under way, and as many as may wait are waiting"

func crowded(detail string) *Error {
	e := failure(Busy, detail)
	e.Retryable = true
	return e
}

// serve lets in whoever can be.
func (g *gates) serve() {
	for g.hub.eligible() {
		n := &g.hub
		for n.ready.Len() > 0 {
			next := n.ready.Front()
			n.ready.MoveToBack(next)
			n = next.Value.(*gate)
		}
		t := n.queue[0]
		n.queue[0] = nil
		n.queue = n.queue[1:]
		if t.ctx.Err() == nil {
			n.admit(t, time.Now())
		} else {
			t.failed = t.ctx.Err()
		}
		close(t.turn)
		n.counted(-1)
	}
}

// abandon ends the wait of a call that gave up; a place that it got meanwhile goes on.
func (g *gates) abandon(t *ticket) {
	g.mu.Lock()
	for i, waiting := range t.gate.queue {
		if waiting == t {
			t.gate.queue = append(t.gate.queue[:i:i], t.gate.queue[i+1:]...)
			t.gate.counted(-1)
			break
		}
	}
	if g.connectors[t.gate.key] == t.gate { // it may have been forgotten meanwhile
		g.retire(t.gate)
	}
	inside := !t.since.IsZero()
	g.mu.Unlock()
	if inside {
		g.leave(t, time.Now())
	}
}

// gate returns the gate of a connector, and tells those on the way of their bounds.
func (g *gates) gate(key gateKey, b gateBounds) *gate {
	leaf := g.connectors[key]
	if leaf == nil {
		leaf = g.open(key)
	}
	if leaf.next != nil {
		g.awake(leaf)
	}
	leaf.places, leaf.queued = b.connector, b.queued
	leaf.parent.places, leaf.parent.queued = b.tenant, saturated(b.queued, tenantQueues)
	g.hub.places, g.hub.queued = b.hub, saturated(b.queued, hubQueues)
	return leaf
}

// saturated multiplies bounds; no limit stays none.
func saturated(n, by int) int { return min(n, unlimited[int]()/by) * by }

// open makes the gate of a connector, and that of its tenant if there is none.
func (g *gates) open(key gateKey) *gate {
	if g.tenants == nil {
		g.tenants, g.connectors = map[string]*gate{}, map[gateKey]*gate{}
		g.idle.next, g.idle.previous = &g.idle, &g.idle
	}
	tenant := g.tenants[key.tenant]
	if tenant == nil {
		tenant = &gate{key: gateKey{tenant: key.tenant}, parent: &g.hub}
		g.tenants[key.tenant] = tenant
	}
	leaf := &gate{key: key, parent: tenant}
	tenant.kids++
	g.connectors[key] = leaf
	return leaf
}

// retire lets a connector's gate and its tenant's, if nobody uses them, forget how long calls
// stay. The connector's is kept for the next call; of too many the one goes that was not used
// for longest.
func (g *gates) retire(leaf *gate) {
	for n := leaf; n.parent != nil && n.unused(); n = n.parent {
		n.stay, n.left = 0, 0
	}
	if !leaf.unused() || leaf.next != nil {
		return
	}
	leaf.queue = nil
	leaf.next, leaf.previous = &g.idle, g.idle.previous
	leaf.next.previous, leaf.previous.next = leaf, leaf
	if g.idlers++; g.idlers > maxIdle {
		g.forget(g.idle.next)
	}
}

func (n *gate) unused() bool { return n.inside == 0 && n.waiting == 0 }

// awake takes a gate out of the ring of those that are idle.
func (g *gates) awake(leaf *gate) {
	leaf.next.previous, leaf.previous.next = leaf.previous, leaf.next
	leaf.next, leaf.previous = nil, nil
	g.idlers--
}

// forget removes a gate that is idle, and its tenant's with the last of them.
func (g *gates) forget(leaf *gate) {
	g.awake(leaf)
	delete(g.connectors, leaf.key)
	if tenant := leaf.parent; tenant.kids > 1 {
		tenant.kids--
	} else {
		delete(g.tenants, tenant.key.tenant)
	}
}
