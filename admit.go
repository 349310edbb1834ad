package hub

import (
	"context"
	"slices"
	"sync"
)

// admit is the step that lets a call in: its request is active, its connector is ready and
// not paused, and there is a place for it. From here on the call's time runs.
func (r *run) admit(ctx context.Context) (context.Context, func(), error) {
	if err := r.mayRun(); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.req.timeout)
	leave, err := r.gates.enter(ctx, gateKey{r.name, r.plan.def.ID}, r.limits.ConnectorCalls, r.limits.QueuedCalls)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	// The connector's queue stands before the tenant's: those who wait in it for a slow
	// third party keep no place from the tenant's other connectors.
	leaveTenant, err := r.gates.enter(ctx, gateKey{tenant: r.name}, r.limits.TenantCalls, r.limits.QueuedCalls)
	if err != nil {
		leave()
		cancel()
		return nil, nil, err
	}
	return ctx, func() { leaveTenant(); leave(); cancel() }, nil
}

func (r *run) mayRun() error {
	switch {
	case r.plan.def.Paused:
		return failure(Inactive, "the connector is paused")
	case r.req.def.State == StateInactive:
		return failure(Inactive, "the request is inactive")
	}
	if missing := r.plan.missing(r.req); len(missing) > 0 {
		return lacking(missing)
	}
	return nil
}

// lacking is the error of a call that lacks something: a vault that does not answer is a
// fault of the host, not of the connector.
func lacking(missing []FieldError) *Error {
	if slices.ContainsFunc(missing, func(f FieldError) bool { return f.Rule == string(Unavailable) }) {
		return &Error{Code: Unavailable, Retryable: true, Fields: missing}
	}
	return &Error{Code: NotReady, Fields: missing}
}

// gateKey names what shares a bound: a tenant, or a connector of it.
type gateKey struct{ tenant, connector string }

// gates bound the calls under way at once. A call beyond the bound waits its turn; one
// beyond the queue's length is refused at once.
type gates struct {
	mu   sync.Mutex
	open map[gateKey]*gate // :: key → those with calls
}

type gate struct {
	inside int
	queue  []chan struct{} // first come, first served; a closed one has its place
}

// enter takes a place, waiting for it until ctx ends, and returns what gives it back.
func (g *gates) enter(ctx context.Context, key gateKey, places, queued int) (func(), error) {
	turn, err := g.take(key, places, queued)
	if err != nil {
		return nil, err
	}
	leave := func() { g.leave(key) }
	if turn == nil {
		return leave, nil
	}
	select {
	case <-turn:
		return leave, nil
	case <-ctx.Done():
		g.abandon(key, turn)
		return nil, ended(ctx)
	}
}

// take takes a free place, or else one in the queue.
func (g *gates) take(key gateKey, places, queued int) (chan struct{}, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == nil {
		g.open = map[gateKey]*gate{}
	}
	gt := g.open[key]
	if gt == nil {
		gt = &gate{}
		g.open[key] = gt
	}
	if gt.inside < places {
		gt.inside++
		return nil, nil
	}
	if len(gt.queue) >= queued {
		e := failure(Busy, "too many calls of the connector or the tenant are under way, and as many as may wait are waiting")
		e.Retryable = true
		return nil, e
	}
	turn := make(chan struct{})
	gt.queue = append(gt.queue, turn)
	return turn, nil
}

// leave hands a place to the first in the queue, or frees it.
func (g *gates) leave(key gateKey) {
	g.mu.Lock()
	defer g.mu.Unlock()
	gt := g.open[key]
	if len(gt.queue) > 0 {
		close(gt.queue[0])
		gt.queue = gt.queue[1:]
		return
	}
	if gt.inside--; gt.inside == 0 {
		delete(g.open, key)
	}
}

// abandon gives up a turn; if it had come meanwhile, its place goes on to the next.
func (g *gates) abandon(key gateKey, turn chan struct{}) {
	g.mu.Lock()
	for i, waiting := range g.open[key].queue {
		if waiting == turn {
			q := g.open[key].queue
			g.open[key].queue = append(q[:i:i], q[i+1:]...)
			g.mu.Unlock()
			return
		}
	}
	g.mu.Unlock()
	g.leave(key)
}

// ended tells why a context ended, as an error of the hub.
func ended(ctx context.Context) *Error {
	if context.Cause(ctx) == errClosed {
		return failure(Closed, "the hub has been closed")
	}
	return asError(ctx.Err())
}
