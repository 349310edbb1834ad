package hub

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// life knows which calls are under way, so that Close can wait for them, and cancel them.
type life struct {
	mu    sync.Mutex
	ended bool
	stays stay          // the calls under way: the first and the last of a ring
	idle  chan struct{} // closed when the hub has ended and the last call has left

	cancel context.CancelCauseFunc
	ctx    context.Context // done when calls under way must stop
}

// stay is a call under way. Close cancels its context, once it has one, when it runs out of
// patience.
type stay struct {
	cancel         func()
	held           atomic.Bool // cancel is set
	next, previous *stay       // guarded by life.mu
}

var errClosed = errors.New("the hub has been closed")

func (l *life) init() {
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	l.stays.next, l.stays.previous = &l.stays, &l.stays
	l.idle = make(chan struct{})
}

// arrive registers a call, for which Close waits until it leaves.
func (l *life) arrive(s *stay) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return failure(Closed, "the hub has been closed")
	}
	s.next, s.previous = &l.stays, l.stays.previous
	s.next.previous, s.previous.next = s, s
	return nil
}

func (l *life) leave(s *stay) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.next.previous, s.previous.next = s.previous, s.next
	s.next, s.previous = nil, nil // whoever keeps s keeps no other call
	if l.ended && l.empty() {
		close(l.idle)
	}
}

func (l *life) empty() bool { return l.stays.next == &l.stays }

// hold makes Close call cancel until s leaves: once for each call.
func (l *life) hold(s *stay, cancel func()) {
	s.cancel = cancel
	s.held.Store(true)
	if l.ctx.Err() != nil { // Close may have looked before
		cancel()
	}
}

// begin registers a call. Its context ends with the caller's, or when Close runs out of
// patience.
func (l *life) begin(ctx context.Context) (context.Context, func(), error) {
	s := new(stay)
	if err := l.arrive(s); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	l.hold(s, func() { cancel(errClosed) })
	return ctx, func() { cancel(nil); l.leave(s) }, nil
}

// end refuses new calls, waits for those under way, and cancels them when ctx ends.
func (l *life) end(ctx context.Context) error {
	l.mu.Lock()
	if !l.ended && l.empty() {
		close(l.idle)
	}
	l.ended = true
	l.mu.Unlock()
	defer l.cancel(errClosed)
	select {
	case <-l.idle:
		return nil
	case <-ctx.Done():
		l.cancel(errClosed)
		l.cutOff()
		<-l.idle
		return ctx.Err()
	}
}

// cutOff cancels the calls under way; life's ctx is done.
func (l *life) cutOff() {
	var held []func()
	l.mu.Lock()
	for s := l.stays.next; s != &l.stays; s = s.next {
		if s.held.Load() {
			held = append(held, s.cancel)
		}
	}
	l.mu.Unlock()
	for _, cancel := range held {
		cancel()
	}
}

// ended tells why a call's context ended, as an error of the hub.
func (c *core) ended(ctx context.Context) *Error {
	if c.life.cuts(ctx.Err()) {
		return failure(Closed, "the hub has been closed")
	}
	return asError(ctx.Err())
}

// cuts reports whether it was Close that cancelled what failed with err.
func (l *life) cuts(err error) bool {
	return errors.Is(err, context.Canceled) && l.ctx.Err() != nil
}
