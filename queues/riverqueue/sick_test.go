package riverqueue_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/internal/toxics"
	"github.com/integrationhub/hub/queues/riverqueue"
)

// sickVariable says how often TestASickDatabase goes through all sicknesses.
const sickVariable = "HUB_QUEUE_SICK_ROUNDS"

// The times of a sick link: brief ones are over before a call's time is, long ones are not.
const (
	callTime = time.Second
	brief    = 200 * time.Millisecond
	long     = callTime + brief
)

// sickness is what happens to the link to the database.
type sickness struct {
	name  string
	toxic toxics.Toxic // nil: strike it is
	whole func(*toxics.Proxy)
	lasts time.Duration
}

// sicknesses are toxiproxy's eight toxics.
var sicknesses = []sickness{
	{name: "latency", toxic: toxics.Latency{Delay: 30 * time.Millisecond, Jitter: 20 * time.Millisecond}, lasts: brief},
	{name: "bandwidth", toxic: toxics.Bandwidth{BytesPerSecond: 20_000}, lasts: brief},
	{name: "slow close", toxic: toxics.SlowClose{Delay: time.Minute}, lasts: brief},
	{name: "timeout", toxic: toxics.Timeout{}, lasts: long},
	{name: "reset peer", toxic: toxics.ResetPeer{}, lasts: brief},
	{name: "slicer", toxic: toxics.Slicer{Size: 24, Variation: 12, Delay: 100 * time.Microsecond}, lasts: brief},
	{name: "limit data", toxic: toxics.LimitData{Bytes: 20}, lasts: brief},
	{name: "down", whole: (*toxics.Proxy).Down, lasts: brief},
}

func (s sickness) strike(p *toxics.Proxy, d toxics.Direction) {
	if s.whole != nil {
		s.whole(p)
		return
	}
	p.Set(d, s.toxic)
}

// sickWorld is a queue whose worker reaches the database over a link that can be sick.
type sickWorld struct {
	*world
	proxy  *toxics.Proxy
	strike atomic.Pointer[func(point string)] // what happens at each point of a call's way
}

func newSickWorld(t *testing.T) *sickWorld {
	w := &sickWorld{world: newWorld(t)}
	dsn, err := url.Parse(w.dsn)
	require.NoError(t, err)
	w.proxy, err = toxics.New(net.JoinHostPort(dsn.Hostname(), dsn.Port()), 1)
	require.NoError(t, err)
	t.Cleanup(w.proxy.Close)
	w.srv.Handle("/{name}/{key}", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	acme := w.hub.Tenant(tenant)
	con, err := acme.GetConnector(t.Context(), "con")
	require.NoError(t, err)
	con.Timeout = int(callTime.Milliseconds())
	_, err = acme.UpdateConnector(t.Context(), con)
	require.NoError(t, err)
	return w
}

// through opens a pool over the link.
func (w *sickWorld) through(t *testing.T) *pgxpool.Pool {
	t.Helper()
	dsn, err := url.Parse(w.dsn)
	require.NoError(t, err)
	dsn.Host = w.proxy.Addr()
	q := dsn.Query()
	q.Set("pool_max_conns", "20")            // a closed connection that leads nowhere keeps its place for 15 s
	q.Set("default_query_exec_mode", "exec") // each statement in one piece
	dsn.RawQuery = q.Encode()
	pool, err := pgxpool.New(t.Context(), dsn.String())
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// worker starts a queue that works over the link.
func (w *sickWorld) worker(t *testing.T, schema string, at func(point, key string)) *riverqueue.Queue {
	t.Helper()
	o := riverqueue.Options{Schema: schema, NoMigrate: true, Workers: 20, Attempts: 100, Pause: brief, Logger: quiet()}
	q, err := riverqueue.New(t.Context(), w.hub, w.keys, w.through(t), riverqueue.At(riverqueue.Fast(o, time.Minute, true), at))
	require.NoError(t, err)
	require.NoError(t, q.Start(context.Background()))
	return q
}

// The link between a worker and its database is slow, cut, down or hanging, in both directions, at
// a point of a call's way. Each call has an outcome, and none is repeated undeclared.
// HUB_QUEUE_SICK_ROUNDS says how often.
func TestASickDatabase(t *testing.T) {
	t.Parallel()
	rounds := 1
	if text := os.Getenv(sickVariable); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err)
		rounds = n
	}
	w := newSickWorld(t)
	const schema = "sick"
	direct, err := riverqueue.New(t.Context(), w.hub, w.keys, w.pool, &riverqueue.Options{Schema: schema})
	require.NoError(t, err)
	worker := w.worker(t, schema, func(point, _ string) {
		if f := w.strike.Load(); f != nil {
			(*f)(point)
		}
	})
	points := []string{riverqueue.BeforeMark, riverqueue.AfterMark, riverqueue.BeforeOutcome, riverqueue.AfterOutcome}
	var keys []string
	n := 0
	for range rounds {
		for _, s := range sicknesses {
			for _, d := range toxics.Directions {
				if s.whole != nil && d != toxics.Up {
					continue // it has no direction
				}
				keys = append(keys, w.live(t, direct, s, d, points[n%len(points)], n)...)
				n++
			}
		}
	}
	require.NoError(t, worker.Stop(context.Background()))
	entries := w.finish(t, schema, keys)
	w.judge(t, keys, entries)
	for _, key := range keys {
		assert.NotEqual(t, riverqueue.Abandoned, entries[key].Code, "%s: its worker lives", key)
	}
}

// live strikes the link when a call passes a point, heals it after a while, and returns the
// keys of the calls that were enqueued meanwhile.
func (w *sickWorld) live(t *testing.T, q *riverqueue.Queue, s sickness, d toxics.Direction, point string, n int) (keys []string) {
	t.Helper()
	struck := make(chan struct{})
	var once atomic.Bool
	strike := func(at string) {
		if at == point && !once.Swap(true) {
			s.strike(w.proxy, d)
			close(struck)
		}
	}
	w.strike.Store(&strike)
	for i, request := range []string{post, declared, put, post, declared, put} {
		c := call(request, fmt.Sprintf("%d-%d", n, i))
		keys = append(keys, c.Key)
		_, err := q.Enqueue(t.Context(), tenant, c)
		require.NoError(t, err)
	}
	select {
	case <-struck:
	case <-time.After(time.Minute):
		assert.Fail(t, "the worker makes no calls", "after sickness %d, before %s %s", n, s.name, d)
	}
	time.Sleep(s.lasts)
	require.NoError(t, w.proxy.Heal())
	return keys
}

// A firewall forgets the connections of a worker that has got its answers. It writes them down
// over new ones: none is lost, and none is asked for again.
func TestAForgottenDatabase(t *testing.T) {
	t.Parallel()
	w := newSickWorld(t)
	const schema = "forgotten"
	direct, err := riverqueue.New(t.Context(), w.hub, w.keys, w.pool, &riverqueue.Options{Schema: schema})
	require.NoError(t, err)
	calls := []hub.BatchCall{call(post, "x"), call(declared, "x"), call(put, "x")}
	answered, on := make(chan struct{}, len(calls)), make(chan struct{})
	worker := w.worker(t, schema, func(point, _ string) {
		if point == riverqueue.BeforeOutcome {
			answered <- struct{}{}
			<-on
		}
	})
	_, err = direct.Enqueue(t.Context(), tenant, calls...)
	require.NoError(t, err)
	for range calls {
		<-answered
	}
	w.proxy.Strand()
	close(on)
	for _, c := range calls {
		assert.Equal(t, riverqueue.Succeeded, ended(t, direct, c.Key).Outcome, c.Key)
		assert.Equal(t, 1, w.sent(c.Key), c.Key)
	}
	w.proxy.Down() // and so ends what waits for the dead
	require.NoError(t, worker.Stop(context.Background()))
}
