package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/integrationhub/hub/storage"
)

const (
	// heartbeat is how long a watch hears nothing before it asks whether its connection
	// still leads anywhere.
	heartbeat = 10 * time.Second

	// firstRetry and longRetry are the pauses between attempts to connect again.
	firstRetry = 50 * time.Millisecond
	longRetry  = 2 * time.Second
)

// Watch implements storage.Watcher. It listens on a connection of its own, which it takes
// out of the pool and replaces when it breaks; while there is none it hears nothing.
func (s *Store) Watch(ctx context.Context, changed func(storage.Key)) error {
	open, leave, err := s.watches.enter(ctx)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	defer leave()
	for pause := firstRetry; open.Err() == nil; pause = min(2*pause, longRetry) {
		if s.watches.listen(open, changed) {
			pause = firstRetry
		}
		wait(open, pause)
	}
	err = ctx.Err()
	if err == nil {
		err = storage.ErrClosed
	}
	return fmt.Errorf("watch: %w", err)
}

func wait(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// watches are the calls of Watch under way.
type watches struct {
	pool    *pgxpool.Pool
	channel string

	mu     sync.Mutex // guards ended; orders enter before or after end
	ended  bool
	closed chan struct{} // closed by end
	calls  sync.WaitGroup
}

func newWatches(pool *pgxpool.Pool, channel string) *watches {
	return &watches{pool: pool, channel: channel, closed: make(chan struct{})}
}

// enter returns a ctx that also ends with the store. The caller must leave.
func (w *watches) enter(parent context.Context) (ctx context.Context, leave func(), err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return nil, nil, storage.ErrClosed
	}
	w.calls.Add(1)
	ctx, cancel := context.WithCancel(parent)
	go func() {
		select {
		case <-w.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); w.calls.Done() }, nil
}

// end ends all watches and waits for them.
func (w *watches) end() {
	w.mu.Lock()
	if !w.ended {
		w.ended = true
		close(w.closed)
	}
	w.mu.Unlock()
	w.calls.Wait()
}

// listen hears notices until the connection breaks or ctx ends. It reports whether it heard
// anything at all.
func (w *watches) listen(ctx context.Context, changed func(storage.Key)) bool {
	conn, err := ownConnection(ctx, w.pool)
	if err != nil {
		return false
	}
	defer discard(conn)
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{w.channel}.Sanitize()); err != nil {
		return false
	}
	changed(storage.Key{}) // whatever was said before
	for ctx.Err() == nil {
		keys, err := hear(ctx, conn)
		if err != nil {
			break
		}
		for _, k := range keys {
			changed(k)
		}
	}
	return true
}

// hear returns the keys of the next notice, or none after a silence that the server has
// confirmed.
func hear(ctx context.Context, conn *pgx.Conn) ([]storage.Key, error) {
	silence, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	n, err := conn.WaitForNotification(silence)
	if err == nil {
		return keysOf(n.Payload), nil
	}
	if !errors.Is(silence.Err(), context.DeadlineExceeded) || ctx.Err() != nil {
		return nil, err
	}
	return nil, ping(ctx, conn)
}

func ping(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	return conn.Ping(ctx)
}
