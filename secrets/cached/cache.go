package cached

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/integrationhub/hub/secrets"
)

// Defaults of [Options].
const (
	DefaultLife    = 5 * time.Minute
	DefaultTimeout = 10 * time.Second
	DefaultMax     = 10_000
)

// pause is how long a source that failed is left alone while a stale value serves.
const pause = time.Second

// Options of [NewVault] and [NewSource]. Nil and zero values mean the defaults.
type Options struct {
	// Life is how long a value is used: 5 min.
	Life time.Duration
	// Ahead is the last part of Life in which use of a value sets off that it is fetched
	// anew: a fifth of Life. Negative: none.
	Ahead time.Duration
	// Stale is how long after its life a value is used while the source does not answer.
	// Default: not at all.
	Stale time.Duration
	// Timeout bounds one fetch, whoever waits for it: 10 s.
	Timeout time.Duration
	// Max bounds the number of values that are kept: 10,000.
	Max int
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

func (o *Options) withDefaults() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Life < 0 || c.Stale < 0 || c.Timeout < 0 || c.Max < 0 {
		return c, fmt.Errorf("cached: %w: Life, Stale, Timeout and Max must not be negative", secrets.ErrInvalid)
	}
	c.Life = cmp.Or(c.Life, DefaultLife)
	c.Ahead = cmp.Or(c.Ahead, c.Life/5)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.Max = cmp.Or(c.Max, DefaultMax)
	if c.Ahead > c.Life {
		return c, fmt.Errorf("cached: %w: Ahead must not be longer than Life", secrets.ErrInvalid)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c, nil
}

// cache keeps values by keys of type K.
type cache[K comparable] struct {
	opts  Options
	fetch func(context.Context, K) (secrets.Value, error)
	ctx   context.Context // of fetches; ends with close
	end   context.CancelFunc
	wg    sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	entries map[K]*list.Element // key → element of recent
	recent  *list.List          // of *entry[K], the one used last in front
}

// entry is a value, or one that is being fetched.
type entry[K comparable] struct {
	key     K
	value   secrets.Value // zero: none yet
	fetched time.Time     // when value was asked for
	failed  time.Time     // when the source last failed to answer
	flight  *flight       // nil: nobody fetches it
}

// flight is one fetch under way. Its results may be read when done is closed.
type flight struct {
	done  chan struct{}
	value secrets.Value
	err   error
}

var errClosed = errors.New("cached: is closed")

func newCache[K comparable](opts *Options, fetch func(context.Context, K) (secrets.Value, error)) (*cache[K], error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &cache[K]{opts: o, fetch: fetch, entries: map[K]*list.Element{}, recent: list.New()}
	c.ctx, c.end = context.WithCancel(context.Background())
	return c, nil
}

// close cancels fetches under way, and returns when they have ended.
func (c *cache[K]) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.end()
	c.wg.Wait()
}

// get returns a value that is alive, or what the source says now.
func (c *cache[K]) get(ctx context.Context, key K) (secrets.Value, error) {
	if err := ctx.Err(); err != nil {
		return secrets.Value{}, err
	}
	value, f, err := c.look(key)
	if f == nil {
		return value, err
	}
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		return secrets.Value{}, ctx.Err()
	}
}

// look returns the value to use or, if there is none, the fetch to wait for.
func (c *cache[K]) look(key K) (secrets.Value, *flight, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return secrets.Value{}, nil, errClosed
	}
	e, now := c.entry(key), c.opts.Now()
	age := now.Sub(e.fetched)
	switch {
	case !e.value.IsZero() && age < c.opts.Life:
		if c.opts.Ahead > 0 && age >= c.opts.Life-c.opts.Ahead && now.Sub(e.failed) >= pause {
			c.begin(e, now)
		}
		return e.value, nil, nil
	case c.serves(e, now) && now.Sub(e.failed) < pause+c.opts.Timeout: // an outage is known: nobody waits
		if now.Sub(e.failed) >= pause {
			c.begin(e, now)
		}
		return e.value, nil, nil
	}
	return secrets.Value{}, c.begin(e, now), nil
}

// serves reports whether an entry may stand in for a source that does not answer.
func (c *cache[K]) serves(e *entry[K], now time.Time) bool {
	return !e.value.IsZero() && now.Sub(e.fetched) < c.opts.Life+c.opts.Stale
}

// entry returns the entry of a key and makes it if there is none; c.mu is held.
func (c *cache[K]) entry(key K) *entry[K] {
	if el, ok := c.entries[key]; ok {
		c.recent.MoveToFront(el)
		return el.Value.(*entry[K])
	}
	for c.recent.Len() >= c.opts.Max {
		oldest := c.recent.Remove(c.recent.Back()).(*entry[K])
		delete(c.entries, oldest.key)
	}
	e := &entry[K]{key: key}
	c.entries[key] = c.recent.PushFront(e)
	return e
}

// begin fetches the value of an entry, unless somebody does; c.mu is held.
func (c *cache[K]) begin(e *entry[K], now time.Time) *flight {
	if e.flight != nil {
		return e.flight
	}
	f := &flight{done: make(chan struct{})}
	e.flight = f
	c.wg.Go(func() {
		ctx, cancel := context.WithTimeout(c.ctx, c.opts.Timeout)
		defer cancel()
		value, err := c.fetch(ctx, e.key)
		c.land(e, f, now, value, err)
	})
	return f
}

// land notes what a fetch that began at a time brought.
func (c *cache[K]) land(e *entry[K], f *flight, began time.Time, value secrets.Value, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(f.done)
	f.value, f.err = value, outage(err)
	if e.flight != f { // forgotten meanwhile
		return
	}
	e.flight = nil
	switch {
	case err == nil:
		e.value, e.fetched, e.failed = value, began, time.Time{}
	case isAnswer(err):
		c.drop(e.key)
	default:
		e.failed = c.opts.Now()
		if c.serves(e, e.failed) {
			f.value, f.err = e.value, nil
		}
		if e.value.IsZero() {
			c.drop(e.key)
		}
	}
}

// isAnswer reports whether an error is what the source had to say, and no outage.
func isAnswer(err error) bool {
	for _, answer := range []error{secrets.ErrNotFound, secrets.ErrForbidden, secrets.ErrInvalid, secrets.ErrSealBroken, secrets.ErrKeyNotFound} {
		if errors.Is(err, answer) {
			return true
		}
	}
	return false
}

// outage hides that a fetch ran out of its own time: no caller's context has ended.
func outage(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return errors.New("cached: the source does not answer in time")
	}
	return err
}

// forget drops values by their keys; what fetches under way bring is not kept.
func (c *cache[K]) forget(doomed func(K) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.entries {
		if doomed(key) {
			c.drop(key)
		}
	}
}

// drop removes an entry; c.mu is held.
func (c *cache[K]) drop(key K) {
	el, ok := c.entries[key]
	if !ok {
		return
	}
	c.recent.Remove(el).(*entry[K]).flight = nil
	delete(c.entries, key)
}
