package postgres

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/integrationhub/hub/storage"
)

const (
	// maxWaiting is how many keys wait to be told; where there are more, a notice says that
	// any may have changed.
	maxWaiting = 1024

	// sendTimeout is how long one attempt to send may take, its connection included.
	sendTimeout = 5 * time.Second

	// sendPause is the time after an attempt that failed.
	sendPause = 500 * time.Millisecond

	// lastChance is how long Close waits for what is left to go out.
	lastChance = time.Second
)

// notifier tells the stores of other processes what has changed. Keys that come while it
// sends wait, each once, and go out together: the busier a store, the fewer notices.
type notifier struct {
	pool    *pgxpool.Pool
	channel string
	conn    *pgx.Conn // used by the goroutine alone; nil while there is none

	ctx    context.Context // ends the goroutine
	cancel context.CancelFunc
	wake   chan struct{} // holds a token when something may be waiting
	done   chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex // guards waiting
	waiting map[storage.Key]struct{}
}

func startNotifier(pool *pgxpool.Pool, channel string) *notifier {
	n := &notifier{
		pool:    pool,
		channel: channel,
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
		waiting: make(map[storage.Key]struct{}),
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	go n.run()
	return n
}

// add lets others know, soon, that the record of this key has changed.
func (n *notifier) add(key storage.Key) {
	n.mu.Lock()
	if _, waits := n.waiting[key]; !waits && len(n.waiting) >= maxWaiting {
		clear(n.waiting)
		key = storage.Key{} // any
	}
	n.waiting[key] = struct{}{}
	n.mu.Unlock()
	n.alarm()
}

func (n *notifier) alarm() {
	select {
	case n.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// take returns what is waiting, which waits no more.
func (n *notifier) take() []storage.Key {
	n.mu.Lock()
	defer n.mu.Unlock()
	keys := slices.Collect(maps.Keys(n.waiting))
	clear(n.waiting)
	return keys
}

// stop ends the goroutine after a last attempt to send what is left.
func (n *notifier) stop() {
	n.cancel()
	<-n.done
}

func (n *notifier) run() {
	defer close(n.done)
	for n.next() {
		if n.deliver(n.ctx, sendTimeout) != nil {
			n.rest()
		}
	}
	_ = n.deliver(context.Background(), lastChance) // who does not hear it looks by itself in time
	if n.conn != nil {
		discard(n.conn)
	}
}

// next waits for something to send; it reports false once the notifier is to stop.
func (n *notifier) next() bool {
	select {
	case <-n.wake:
	case <-n.ctx.Done():
	}
	return n.ctx.Err() == nil
}

// rest gives a database that does not answer some time.
func (n *notifier) rest() {
	timer := time.NewTimer(sendPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-n.ctx.Done():
	}
}

// deliver sends what is waiting. After a failure some of it may have been heard, so that all
// of it waits again.
func (n *notifier) deliver(ctx context.Context, within time.Duration) error {
	keys := n.take()
	if len(keys) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := n.send(ctx, notices(keys))
	if err != nil {
		for _, k := range keys {
			n.add(k)
		}
	}
	return err
}

func (n *notifier) send(ctx context.Context, payloads []string) (err error) {
	if n.conn == nil {
		if n.conn, err = ownConnection(ctx, n.pool); err != nil {
			return err
		}
	}
	_, err = n.conn.Exec(ctx, `SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload`, n.channel, payloads)
	if err != nil {
		discard(n.conn)
		n.conn = nil
	}
	return err
}
