package hub

import (
	"context"
	"errors"
	"sync"
)

// life knows which calls are under way, so that Close can wait for them, and cancel them.
type life struct {
	mu    sync.Mutex
	ended bool
	stays stay // those that Close cancels: the first and the last of a ring
	calls sync.WaitGroup

	cancel context.CancelCauseFunc
	ctx    context.Context // done when calls under way must stop
}

// stay is a call under way whose context Close cancels when it runs out of patience.
type stay struct {
	cancel         func()
	next, previous *stay // guarded by life.mu
}

var errClosed = errors.New("the hub has been closed")

func (l *life) init() {
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	l.stays.next, l.stays.previous = &l.stays, &l.stays
}

// arrive registers a call, for which Close waits until it leaves.
func (l *life) arrive() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return failure(Closed, "the hub has been closed")
	}
	l.calls.Add(1)
	return nil
}

func (l *life) leave() { l.calls.Done() }

// hold makes Close cancel s, until it is dropped.
func (l *life) hold(s *stay) {
	l.mu.Lock()
	s.next, s.previous = &l.stays, l.stays.previous
	s.next.previous, s.previous.next = s, s
	l.mu.Unlock()
	if l.ctx.Err() != nil { // Close may have looked before
		s.cancel()
	}
}

func (l *life) drop(s *stay) {
	l.mu.Lock()
	s.next.previous, s.previous.next = s.previous, s.next
	l.mu.Unlock()
}

// begin registers a call. Its context ends with the caller's, or when Close runs out of
// patience.
func (l *life) begin(ctx context.Context) (context.Context, func(), error) {
	if err := l.arrive(); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	s := &stay{cancel: func() { cancel(errClosed) }}
	l.hold(s)
	return ctx, func() { l.drop(s); cancel(nil); l.leave() }, nil
}

// end refuses new calls, waits for those under way, and cancels them when ctx ends.
func (l *life) end(ctx context.Context) error {
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	idle := make(chan struct{})
	go func() { l.calls.Wait(); close(idle) }()
	defer l.cancel(errClosed)
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		l.cancel(errClosed)
		l.cutOff()
		<-idle
		return ctx.Err()
	}
}

// cutOff cancels the calls under way; life's ctx is done.
func (l *life) cutOff() {
	var held []func()
	l.mu.Lock()
	for s := l.stays.next; s != &l.stays; s = s.next {
		held = append(held, s.cancel)
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
