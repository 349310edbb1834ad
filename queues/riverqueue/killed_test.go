package riverqueue_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/queues/riverqueue"
	"github.com/integrationhub/hub/secrets/keyset"
)

// workerVariable has what a worker process needs to know.
const workerVariable = "HUB_QUEUE_WORKER"

// roundsVariable says how often TestKilledWorkers kills.
const roundsVariable = "HUB_QUEUE_ROUNDS"

const defaultRounds = 6

// abandonedAfter is when the calls of a dead worker are taken up. Those of a living one, on a machine
// that is busy or was paused, must not take as long.
const abandonedAfter = 4 * time.Second

// orders are what a worker process needs to know.
type orders struct {
	DSN, Schema, URL, CA string
	Keys                 string
	// Freeze has calls stop for ever at the point that ends their key; KillAt has the
	// worker kill itself at the point that it passes as that one.
	Freeze bool
	KillAt int64
}

// work is a worker process: it works until it is killed, or its parent is gone.
func work() {
	err := func() error {
		var o orders
		if err := json.Unmarshal([]byte(os.Getenv(workerVariable)), &o); err != nil {
			return err
		}
		ctx := context.Background()
		keys, err := keyset.Parse([]byte(o.Keys))
		if err != nil {
			return err
		}
		h, _, err := newHub(ctx, o.URL, o.CA)
		if err != nil {
			return err
		}
		pool, err := pgxpool.New(ctx, o.DSN)
		if err != nil {
			return err
		}
		opts := riverqueue.At(riverqueue.Fast(riverqueue.Options{Schema: o.Schema, NoMigrate: true, Workers: 20}, time.Minute, false), o.at())
		q, err := riverqueue.New(ctx, h, keys, pool, opts)
		if err != nil {
			return err
		}
		if err := q.Start(ctx); err != nil {
			return err
		}
		fmt.Println("works")
		_, err = io.Copy(io.Discard, os.Stdin) // until the parent is gone
		return err
	}()
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// at is what happens to the worker at each point.
func (o orders) at() func(point, key string) {
	var passed atomic.Int64
	return func(point, key string) {
		if o.Freeze && path.Base(key) == slug(point) {
			fmt.Println("frozen")
			select {}
		}
		if passed.Add(1) == o.KillAt {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
}

func slug(point string) string { return strings.ReplaceAll(point, " ", "-") }

// process is a worker process.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	out *bufio.Reader
	in  io.Closer
}

// spawn starts a worker process and returns once it works.
func (w *world) spawn(o orders) *process {
	w.t.Helper()
	o.DSN, o.URL, o.CA = w.dsn, w.srv.URL, string(w.srv.CA())
	o.Keys = string(w.keys.Encode().Reveal())
	text, err := json.Marshal(o)
	require.NoError(w.t, err)
	self, err := os.Executable()
	require.NoError(w.t, err)
	cmd := exec.CommandContext(w.t.Context(), self)
	cmd.Env = append(os.Environ(), workerVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(w.t, err)
	in, err := cmd.StdinPipe()
	require.NoError(w.t, err)
	require.NoError(w.t, cmd.Start())
	p := &process{w.t, cmd, bufio.NewReader(out), in}
	p.await("works")
	return p
}

func (p *process) await(line string) {
	p.t.Helper()
	got, err := p.out.ReadString('\n')
	require.NoError(p.t, err)
	require.Equal(p.t, line, strings.TrimSpace(got))
}

// kill kills the worker as the kernel would; it may have done so itself.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // it says "killed"
}

// finish has workers take up what is left until every call has ended. A queue that starts
// leads, and looks for calls of dead workers at once.
func (w *world) finish(t *testing.T, schema string, keys []string) map[string]*riverqueue.Entry {
	t.Helper()
	opts := riverqueue.Fast(riverqueue.Options{Schema: schema, Attempts: 100, Logger: quiet()}, abandonedAfter, true)
	q, err := riverqueue.New(t.Context(), w.hub, w.keys, w.pool, opts)
	require.NoError(t, err)
	deadline := time.Now().Add(2 * time.Minute)
	for open := 1; open > 0; {
		require.Less(t, time.Now(), deadline, "calls without an outcome: %d", open)
		require.NoError(t, q.Start(context.Background()))
		time.Sleep(time.Second) // for one round of River's leader
		require.NoError(t, q.Stop(context.Background()))
		require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT count(*) FROM `+schema+`.hub_calls WHERE state <> 'ended'`).Scan(&open))
	}
	out := map[string]*riverqueue.Entry{}
	for _, key := range keys {
		out[key], err = q.Get(t.Context(), tenant, key)
		require.NoError(t, err)
	}
	return out
}

// Calls stop at each point of their way, then their worker is killed. Whoever comes after it
// ends them: a call that cannot have been sent is made, one that may have been is made again
// only if it is idempotent, and the rest is unknown.
func TestKilledAtEachPoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const during = "during-the-call"
	inside := make(chan struct{}, 3)
	var seen sync.Map
	w.srv.Handle("/{name}/{key}", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, again := seen.LoadOrStore(r.URL.Path, true); !again && r.PathValue("key") == during {
			inside <- struct{}{}
			<-r.Context().Done()
		}
	}))
	const schema = "points"
	q, err := riverqueue.New(t.Context(), w.hub, w.keys, w.pool, &riverqueue.Options{Schema: schema})
	require.NoError(t, err)
	type want struct {
		outcome riverqueue.Outcome
		sent    int
	}
	succeeded, unknown := riverqueue.Succeeded, riverqueue.Unknown
	points := map[string]struct{ once, idempotent want }{
		slug(riverqueue.BeforeMark):    {want{succeeded, 1}, want{succeeded, 1}},
		slug(riverqueue.AfterMark):     {want{unknown, 0}, want{succeeded, 1}},
		during:                         {want{unknown, 1}, want{succeeded, 2}},
		slug(riverqueue.BeforeOutcome): {want{unknown, 1}, want{succeeded, 2}},
		slug(riverqueue.AfterOutcome):  {want{succeeded, 1}, want{succeeded, 1}},
	}
	var calls []hub.BatchCall
	var keys []string
	for point := range points {
		for _, request := range []string{post, declared, put} {
			calls = append(calls, call(request, point))
			keys = append(keys, request+"/"+point)
		}
	}
	_, err = q.Enqueue(t.Context(), tenant, calls...)
	require.NoError(t, err)

	p := w.spawn(orders{Schema: schema, Freeze: true})
	for range 3 {
		<-inside
	}
	for range len(calls) - 3 {
		p.await("frozen")
	}
	p.kill()
	entries := w.finish(t, schema, keys)
	for point, c := range points {
		for _, request := range []string{post, declared, put} {
			key, want := request+"/"+point, c.idempotent
			if request == post {
				want = c.once
			}
			assert.Equal(t, want.outcome, entries[key].Outcome, key)
			assert.Equal(t, want.sent, w.sent(key), key)
			assert.LessOrEqual(t, len(w.idempotencyKeys(key)), 1, key)
		}
	}
}

// A worker that was taken for dead goes on. What it finds out is written down; what another has
// taken over is not sent by it any more, but if that does no harm.
func TestASlowWorker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.srv.Handle("/{name}/{key}", hubtest.Status(204))
	const schema = "slow"
	before, after := slug(riverqueue.BeforeMark), slug(riverqueue.AfterMark)
	frozen, thaw := make(chan struct{}, 3), make(chan struct{})
	frozenOnly := riverqueue.Options{Schema: schema, Workers: cap(frozen)} // it has no place for what it lost
	opts := riverqueue.At(riverqueue.Fast(frozenOnly, time.Minute, false), func(point, key string) {
		if path.Base(key) == slug(point) {
			frozen <- struct{}{}
			<-thaw
		}
	})
	slow, err := riverqueue.New(t.Context(), w.hub, w.keys, w.pool, opts)
	require.NoError(t, err)
	keys := []string{post + "/" + before, post + "/" + after, put + "/" + after}
	_, err = slow.Enqueue(t.Context(), tenant, call(post, before), call(post, after), call(put, after))
	require.NoError(t, err)
	require.NoError(t, slow.Start(context.Background()))
	for range keys {
		<-frozen
	}
	entries := w.finish(t, schema, keys)
	want := []riverqueue.Outcome{riverqueue.Succeeded, riverqueue.Unknown, riverqueue.Succeeded}
	sent := []int{1, 0, 1}
	for i, key := range keys {
		assert.Equal(t, want[i], entries[key].Outcome, key)
		assert.Equal(t, sent[i], w.sent(key), key)
	}
	close(thaw)
	require.NoError(t, slow.Stop(context.Background()))
	sent = []int{1, 1, 2}
	for i, key := range keys {
		e, err := slow.Get(t.Context(), tenant, key)
		require.NoError(t, err)
		assert.Equal(t, riverqueue.Succeeded, e.Outcome, key)
		assert.Equal(t, sent[i], w.sent(key), key)
	}
}

// Workers are killed at random moments, by themselves at a random point and by others, while
// calls are enqueued. HUB_QUEUE_ROUNDS says how often.
func TestKilledWorkers(t *testing.T) {
	t.Parallel()
	rounds := defaultRounds
	if text := os.Getenv(roundsVariable); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		rounds = n
	}
	w := newWorld(t)
	w.srv.Handle("/{name}/{key}", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		time.Sleep(rand.N(20 * time.Millisecond))
	}))
	const schema = "killed"
	q, err := riverqueue.New(t.Context(), w.hub, w.keys, w.pool, &riverqueue.Options{Schema: schema})
	require.NoError(t, err)
	var keys []string
	for round := range rounds {
		var calls []hub.BatchCall
		for i := range 60 {
			request := []string{post, declared, put}[i%3]
			calls = append(calls, call(request, fmt.Sprintf("%d-%d", round, i)))
			keys = append(keys, calls[i].Key)
		}
		p := w.spawn(orders{Schema: schema, KillAt: rand.Int64N(200) + 1})
		_, err := q.Enqueue(t.Context(), tenant, calls...)
		require.NoError(t, err)
		time.Sleep(rand.N(300 * time.Millisecond))
		p.kill()
	}
	entries := w.finish(t, schema, keys)
	w.judge(t, keys, entries)
}

// judge demands that each call has an outcome that agrees with what arrived.
func (w *world) judge(t *testing.T, keys []string, entries map[string]*riverqueue.Entry) {
	t.Helper()
	sent := map[string]int{}
	for _, r := range w.srv.Requests() {
		sent[strings.TrimPrefix(r.URL.Path, "/")]++
	}
	counts := map[string]int{}
	for _, key := range keys {
		e, n := entries[key], sent[key]
		once := e.Request == post
		switch e.Outcome {
		case riverqueue.Succeeded:
			assert.Positive(t, n, key)
		case riverqueue.Unknown:
			assert.True(t, once, "%s is idempotent and so made again", key)
		default:
			assert.Fail(t, "there is no reason to fail", "%s: %q %v", key, e.Outcome, e.Failure)
		}
		if once {
			assert.LessOrEqual(t, n, 1, "%s was repeated", key)
		}
		counts[e.Request+" "+string(e.Outcome)]++
		if n > 1 {
			counts[e.Request+" repeated"]++
		}
	}
	t.Logf("%d calls: %v", len(keys), counts)
}
