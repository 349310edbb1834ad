package riverqueue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/queues/riverqueue"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// One server for all that does not kill it.
func TestQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.srv.Handle("POST /post/{any}", hubtest.Status(204))
	for name, test := range map[string]func(*testing.T, *world){
		"outcomes and answers":    testOutcomes,
		"keys":                    testKeys,
		"the first of a key":      testFirst,
		"the host's transaction":  testTransaction,
		"retries":                 testRetries,
		"too late":                testTooLate,
		"what is repeated":        testRepeats,
		"a late start":            testLateStart,
		"cancellation":            testCancel,
		"a stop":                  testStop,
		"what lies in the tables": testSealed,
		"retention":               testRetention,
		"jobs that River gave up": testGivenUp,
		"what is refused":         testRefusals,
		"several at once":         testMigrations,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, w)
		})
	}
}

func testOutcomes(t *testing.T, w *world) {
	w.srv.Handle("POST /post/good", hubtest.JSON(201, map[string]any{"number": 12345678901234567}))
	w.srv.Handle("POST /post/bad", hubtest.Text(409, "no"))
	w.srv.Handle("POST /post/silent", hubtest.Drop())
	w.srv.Handle("POST /post/large", hubtest.Text(200, strings.Repeat("x", 101)))
	q := running(t, w.queue(t, riverqueue.Options{AnswerBytes: 100}))
	added, err := q.Enqueue(t.Context(), tenant, call(post, "good"), call(post, "bad"), call(post, "silent"), call(post, "large"), call("none", "x"))
	require.NoError(t, err)
	assert.Equal(t, 5, added)

	good := ended(t, q, "post/good")
	assert.Equal(t, riverqueue.Succeeded, good.Outcome)
	assert.Equal(t, 201, good.Answer.Status)
	assert.Equal(t, json.Number("12345678901234567"), good.Answer.Outputs["number"])
	assert.Contains(t, string(good.Answer.Body), "12345678901234567")
	assert.Nil(t, good.Failure)
	assert.False(t, good.Started.Before(good.Enqueued) || good.Ended.Before(good.Started))
	assert.Equal(t, []string{tenant, "con", post}, []string{good.Tenant, good.Connector, good.Request})

	bad := ended(t, q, "post/bad")
	assert.Equal(t, riverqueue.Failed, bad.Outcome)
	assert.Equal(t, "no", string(bad.Answer.Body))
	assert.ErrorIs(t, bad.Failure, hub.Rejected)
	assert.Equal(t, hub.Rejected, bad.Code)

	silent := ended(t, q, "post/silent")
	assert.Equal(t, riverqueue.Unknown, silent.Outcome, "it arrived, and no answer came")
	assert.True(t, silent.Failure.Sent)

	large := ended(t, q, "post/large")
	assert.True(t, large.Answer.Cut)
	assert.Empty(t, large.Answer.Body)

	none := ended(t, q, "none/x")
	assert.ErrorIs(t, none.Failure, hub.NotFound)
	assert.Zero(t, none.Started, "it was never sent")

	var unknown []string
	for e, err := range q.List(t.Context(), tenant, riverqueue.Unknown) {
		require.NoError(t, err)
		unknown = append(unknown, e.Key)
	}
	assert.Equal(t, []string{"post/silent"}, unknown)
}

func testKeys(t *testing.T, w *world) {
	q := running(t, w.queue(t, riverqueue.Options{}))
	var many []hub.BatchCall
	for i := range 1200 { // several round trips
		many = append(many, call(post, fmt.Sprintf("same-%d", i%40)))
	}
	var both sync.WaitGroup
	added := make([]int, 4)
	for i := range added {
		both.Go(func() {
			calls := slices.Clone(many)
			if i%2 == 1 {
				slices.Reverse(calls)
			}
			n, err := q.Enqueue(t.Context(), tenant, calls...)
			assert.NoError(t, err)
			added[i] = n
		})
	}
	both.Wait()
	assert.Equal(t, 40, added[0]+added[1]+added[2]+added[3], "a key is enqueued once")
	for i := range 40 {
		key := fmt.Sprintf("post/same-%d", i)
		ended(t, q, key)
		assert.Equal(t, 1, w.sent(key))
	}
	n, err := q.Enqueue(t.Context(), tenant, many...)
	require.NoError(t, err)
	assert.Zero(t, n, "also after it ended")
	n, err = q.Enqueue(t.Context(), "other", many[0])
	require.NoError(t, err)
	assert.Equal(t, 1, n, "tenants share no keys")
	_, err = q.Get(t.Context(), "third", many[0].Key)
	assert.ErrorIs(t, err, hub.NotFound)
}

// Of calls with one key that are enqueued at once the first is made.
func testFirst(t *testing.T, w *world) {
	q := running(t, w.queue(t, riverqueue.Options{}))
	var many []hub.BatchCall
	for i := range 400 {
		c := call(post, fmt.Sprintf("number-%d", i))
		c.Key = fmt.Sprintf("key-%d", i%20)
		many = append(many, c)
	}
	n, err := q.Enqueue(t.Context(), tenant, many...)
	require.NoError(t, err)
	assert.Equal(t, 20, n)
	for i := range 20 {
		ended(t, q, fmt.Sprintf("key-%d", i))
		assert.Equal(t, 1, w.sent(fmt.Sprintf("post/number-%d", i)), i)
	}
}

func testTransaction(t *testing.T, w *world) {
	q := running(t, w.queue(t, riverqueue.Options{}))
	undone := errors.New("undone")
	err := pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error {
		_, err := q.EnqueueTx(t.Context(), tx, tenant, call(post, "tx-1"))
		require.NoError(t, err)
		return undone
	})
	require.ErrorIs(t, err, undone)
	err = pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error {
		_, err := q.EnqueueTx(t.Context(), tx, tenant, call(post, "tx-2"))
		require.NoError(t, err)
		_, err = q.Get(t.Context(), tenant, "post/tx-2")
		assert.ErrorIs(t, err, hub.NotFound, "nobody sees it before the commit")
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, riverqueue.Succeeded, ended(t, q, "post/tx-2").Outcome)
	_, err = q.Get(t.Context(), tenant, "post/tx-1")
	assert.ErrorIs(t, err, hub.NotFound)
	assert.Zero(t, w.sent("post/tx-1"))
}

func testRetries(t *testing.T, w *world) {
	w.srv.Handle("POST /post/later", hubtest.Sequence(hubtest.Status(429).RetryAfter(1), hubtest.Status(204)))
	w.srv.Handle("POST /post/never", hubtest.Status(503).RetryAfter(1))
	q := running(t, w.queue(t, riverqueue.Options{Attempts: 2}))
	_, err := q.Enqueue(t.Context(), tenant, call(post, "later"), call(post, "never"))
	require.NoError(t, err)
	later := ended(t, q, "post/later")
	assert.Equal(t, riverqueue.Succeeded, later.Outcome)
	assert.Equal(t, 2, later.Attempts)
	assert.Equal(t, 2, w.sent("post/later"))
	never := ended(t, q, "post/never")
	assert.Equal(t, riverqueue.Failed, never.Outcome)
	assert.Equal(t, 503, never.Failure.Status)
	assert.Equal(t, 2, w.sent("post/never"))
}

// Who is told to come back when it is too late for that has an outcome, and does not wait.
func testTooLate(t *testing.T, w *world) {
	w.srv.Handle("POST /post/decades", hubtest.Status(429).Header("Retry-After", "1795348800")) // a date, to some servers
	h, closed, err := newHub(t.Context(), w.srv.URL, string(w.srv.CA()))                        // the others need not wait either
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, closed()) })
	own := *w
	own.hub = h
	q := running(t, own.queue(t, riverqueue.Options{MaxAge: time.Minute}))
	_, err = q.Enqueue(t.Context(), tenant, call(post, "decades"))
	require.NoError(t, err)
	e := ended(t, q, "post/decades")
	assert.Equal(t, riverqueue.Failed, e.Outcome)
	assert.ErrorIs(t, e.Failure, hub.RateLimited)
	assert.Equal(t, 429, e.Answer.Status)
	assert.Equal(t, 1, w.sent("post/decades"))
}

func testRepeats(t *testing.T, w *world) {
	once := hubtest.Sequence(hubtest.Drop(), hubtest.Status(204))
	w.srv.Handle("POST /declared/again", once)
	w.srv.Handle("PUT /put/again", hubtest.Sequence(hubtest.Drop(), hubtest.Status(204)))
	w.srv.Handle("POST /post/again", hubtest.Sequence(hubtest.Drop(), hubtest.Status(204)))
	q := running(t, w.queue(t, riverqueue.Options{Pause: time.Millisecond}))
	_, err := q.Enqueue(t.Context(), tenant, call(declared, "again"), call(put, "again"), call(post, "again"))
	require.NoError(t, err)
	for key, want := range map[string]riverqueue.Outcome{
		"declared/again": riverqueue.Succeeded, "put/again": riverqueue.Succeeded, "post/again": riverqueue.Unknown,
	} {
		assert.Equal(t, want, ended(t, q, key).Outcome, key)
	}
	assert.Equal(t, []int{2, 2, 1}, []int{w.sent("declared/again"), w.sent("put/again"), w.sent("post/again")})
	assert.Len(t, w.idempotencyKeys("declared/again"), 1, "all attempts carry the same idempotency key")
}

// idempotencyKeys are those that the requests of a call carried.
func (w *world) idempotencyKeys(key string) map[string]bool {
	out := map[string]bool{}
	for _, r := range w.srv.Requests() {
		if strings.TrimPrefix(r.URL.Path, "/") == key {
			out[r.Header.Get("Idempotency-Key")] = true
		}
	}
	return out
}

func testCancel(t *testing.T, w *world) {
	w.srv.Handle("POST /post/hangs", hubtest.Hang())
	w.srv.Handle("PUT /put/hangs", hubtest.Hang())
	q := w.queue(t, riverqueue.Options{})
	_, err := q.Enqueue(t.Context(), tenant, call(post, "waits"), call(post, "hangs"), call(put, "hangs"))
	require.NoError(t, err)
	require.NoError(t, q.Cancel(t.Context(), tenant, "post/waits"))
	waits := ended(t, q, "post/waits")
	assert.Equal(t, riverqueue.Failed, waits.Outcome)
	assert.True(t, waits.Canceled)
	assert.ErrorIs(t, waits.Failure, hub.Canceled)

	running(t, q)
	for key, want := range map[string]riverqueue.Outcome{"post/hangs": riverqueue.Unknown, "put/hangs": riverqueue.Failed} {
		require.Eventually(t, func() bool { return w.sent(key) == 1 }, time.Minute, time.Millisecond)
		require.NoError(t, q.Cancel(t.Context(), tenant, key))
		e := ended(t, q, key)
		assert.Equal(t, want, e.Outcome, key)
		assert.Equal(t, hub.Canceled, e.Code)
		require.NoError(t, q.Cancel(t.Context(), tenant, key), "again")
	}
	assert.Zero(t, w.sent("post/waits"))
	assert.ErrorIs(t, q.Cancel(t.Context(), tenant, "post/none"), hub.NotFound)
}

// A stop waits; one that runs out of patience cancels, and no call is left without a state
// that says what is known.
func testStop(t *testing.T, w *world) {
	inside := make(chan struct{}, 3)
	leave := make(chan struct{})
	var first sync.Map
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, again := first.LoadOrStore(r.URL.Path, true); again {
			return
		}
		inside <- struct{}{}
		select {
		case <-leave:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler) // an answer of nothing might still arrive
		}
	})
	w.srv.Handle("POST /post/stopped", handler)
	w.srv.Handle("PUT /put/stopped", handler)
	q := w.queue(t, riverqueue.Options{})
	require.NoError(t, q.Start(context.Background()))
	_, err := q.Enqueue(t.Context(), tenant, call(post, "stopped"))
	require.NoError(t, err)
	<-inside
	stopped := make(chan error)
	go func() { stopped <- q.Stop(context.Background()) }()
	close(leave)
	require.NoError(t, <-stopped)
	e, err := q.Get(t.Context(), tenant, "post/stopped")
	require.NoError(t, err)
	assert.Equal(t, riverqueue.Succeeded, e.Outcome)

	leave = make(chan struct{})
	q = w.queue(t, riverqueue.Options{})
	require.NoError(t, q.Start(context.Background()))
	first.Clear()
	_, err = q.Enqueue(t.Context(), tenant, call(post, "stopped"), call(put, "stopped"))
	require.NoError(t, err)
	<-inside
	<-inside
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, q.Stop(ctx), context.Canceled)
	e, err = q.Get(t.Context(), tenant, "post/stopped")
	require.NoError(t, err)
	assert.Equal(t, riverqueue.Unknown, e.Outcome)
	e, err = q.Get(t.Context(), tenant, "put/stopped")
	require.NoError(t, err)
	assert.Equal(t, riverqueue.Waiting, e.State, "it may be repeated: it goes back")
	running(t, q)
	assert.Equal(t, riverqueue.Succeeded, ended(t, q, "put/stopped").Outcome, "and is made by whoever works next")
}

func testRefusals(t *testing.T, w *world) {
	q := w.queue(t, riverqueue.Options{})
	own := call(post, "x")
	own.BeforeSend = func(context.Context, hub.Sending) error { return nil }
	garbled := call(post, "x")
	garbled.Payload = json.RawMessage(`{`)
	keyless := call(post, "x")
	keyless.Key = ""
	filed := call(post, "x")
	filed.Files = map[string]hub.File{"f": hub.FileBytes("f", "", []byte("x"))}
	for name, c := range map[string]hub.BatchCall{
		"a BeforeSend": own, "a file": filed, "no JSON": garbled, "no key": keyless, "a long key": call(post, strings.Repeat("k", 256)), "a control": call(post, "a\x00"),
	} {
		n, err := q.Enqueue(t.Context(), tenant, call(post, "fine"), c)
		assert.ErrorIs(t, err, hub.Invalid, name)
		assert.Zero(t, n)
	}
	_, err := q.Get(t.Context(), tenant, "post/fine")
	assert.ErrorIs(t, err, hub.NotFound, "all or none")

	simple, err := pgxpool.ParseConfig(w.dsn)
	require.NoError(t, err)
	simple.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	pool, err := pgxpool.NewWithConfig(t.Context(), simple)
	require.NoError(t, err)
	defer pool.Close()
	_, err = riverqueue.New(t.Context(), w.hub, w.keys, pool, nil)
	assert.ErrorContains(t, err, "simple_protocol")
	for _, o := range []riverqueue.Options{{Schema: "Bad"}, {Schema: `x"; DROP`}, {Workers: -1}} {
		_, err = riverqueue.New(t.Context(), w.hub, w.keys, w.pool, &o)
		assert.ErrorContains(t, err, "Options.")
	}
	_, err = riverqueue.New(t.Context(), nil, w.keys, w.pool, nil)
	assert.Error(t, err)
}

// Processes that start at once make the tables once; a schema that is newer is left alone.
func testMigrations(t *testing.T, w *world) {
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { assert.NoError(t, riverqueue.Migrate(t.Context(), w.pool, "raced")) })
	}
	all.Wait()
	_, err := riverqueue.New(t.Context(), w.hub, w.keys, w.pool, &riverqueue.Options{Schema: "raced", NoMigrate: true})
	require.NoError(t, err)
	_, err = w.pool.Exec(t.Context(), `UPDATE raced.hub_calls_version SET version = version + 1`)
	require.NoError(t, err)
	assert.ErrorContains(t, riverqueue.Migrate(t.Context(), w.pool, "raced"), "newer")
}

func TestPausesGrowUpToTheLongest(t *testing.T) {
	t.Parallel()
	for attempts := range 100 {
		for _, first := range []time.Duration{1, time.Second, time.Hour, 24 * time.Hour, math.MaxInt64} {
			pause := riverqueue.PauseAfter(attempts, first)
			assert.LessOrEqual(t, pause, 10*time.Minute)
			assert.GreaterOrEqual(t, pause, min(first, 10*time.Minute))
		}
	}
	assert.Equal(t, 40*time.Second, riverqueue.PauseAfter(3, 5*time.Second))
}
