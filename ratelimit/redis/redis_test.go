package redis_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/internal/dbtest"
	"github.com/integrationhub/hub/ratelimit"
	"github.com/integrationhub/hub/ratelimit/ratelimittest"
	"github.com/integrationhub/hub/ratelimit/redis"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// connect returns a client of a server.
func connect(t testing.TB, srv *dbtest.Server) *goredis.Client {
	t.Helper()
	opts, err := goredis.ParseURL(srv.DSN())
	require.NoError(t, err)
	opts.ContextTimeoutEnabled = true
	opts.MaxRetries = -1
	client := goredis.NewClient(opts)
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	return client
}

func limiter(t testing.TB, client goredis.UniversalClient, opts redis.Options) *redis.Limiter {
	t.Helper()
	if opts.Timeout == 0 {
		opts.Timeout = 20 * time.Second // what is slow here is not down
	}
	l, err := redis.New(client, &opts)
	require.NoError(t, err)
	return l
}

// slow is a limit of which nothing comes back during a test.
func slow(burst int) []ratelimit.Demand {
	return []ratelimit.Demand{{Key: "k", Limit: ratelimit.Limit{Requests: 1, Per: time.Hour, Burst: burst}}}
}

// taken counts how many of n may go at once.
func taken(t testing.TB, l ratelimit.Limiter, owner string, d []ratelimit.Demand, n int) int {
	t.Helper()
	ok := 0
	for range n {
		turn, err := l.Take(t.Context(), owner, d, 0)
		require.NoError(t, err)
		if turn.OK {
			ok++
		}
	}
	return ok
}

func TestContract(t *testing.T) {
	srv := dbtest.Redis(t)
	ratelimittest.Run(t, func(t testing.TB) ratelimit.Limiter { return limiter(t, connect(t, srv), redis.Options{}) })
}

func TestInstancesShareABudgetAndKeysExpire(t *testing.T) {
	srv := dbtest.Redis(t)
	client := connect(t, srv)
	all := []*redis.Limiter{limiter(t, connect(t, srv), redis.Options{Prefix: "a:"}), limiter(t, connect(t, srv), redis.Options{Prefix: "a:"}), limiter(t, client, redis.Options{Prefix: "b:"})}
	var mu sync.Mutex
	var group sync.WaitGroup
	count := map[int]int{}
	for i, l := range all {
		for range 50 {
			group.Go(func() {
				turn, err := l.Take(t.Context(), "owner", slow(30), 0)
				mu.Lock()
				defer mu.Unlock()
				if assert.NoError(t, err) && turn.OK {
					count[i]++
				}
			})
		}
	}
	group.Wait()
	assert.Equal(t, 30, count[0]+count[1])
	assert.Equal(t, 30, count[2], "another prefix is another budget")

	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"a:owner", "b:owner"}, keys)
	life, err := client.PTTL(t.Context(), "a:owner").Result()
	require.NoError(t, err)
	assert.InDelta(t, 30*time.Hour, life, float64(time.Hour))
	one := []ratelimit.Demand{{Key: "short", Limit: ratelimit.Limit{Requests: 1, Per: time.Millisecond, Burst: 1}}}
	assert.Equal(t, 1, taken(t, all[0], "owner", one, 1))
	after, err := client.PTTL(t.Context(), "a:owner").Result()
	require.NoError(t, err)
	assert.InDelta(t, life, after, float64(time.Hour), "a shorter limit does not end the others")
}

// logs collects lines.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

// While Redis is down each instance has its share; it is said once, and over by itself.
func TestWithoutRedisEachInstanceHasItsShareAndItRecovers(t *testing.T) {
	srv := dbtest.Redis(t)
	var told logs
	l := limiter(t, connect(t, srv), redis.Options{
		Instances: 2, Pause: 10 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&told, nil)),
	})
	for round := 1; round <= 2; round++ {
		owner := fmt.Sprint("owner", round)
		assert.Equal(t, 10, taken(t, l, owner, slow(10), 12))
		srv.Kill()
		assert.Equal(t, 5, taken(t, l, owner, slow(10), 50), "its share")
		left, err := l.Left(t.Context(), owner, slow(10))
		require.NoError(t, err)
		assert.Equal(t, []int{0}, left)
		assert.Equal(t, round, told.count("does not answer"), "once")
		srv.Start()
		require.Eventually(t, func() bool {
			_, err := l.Take(t.Context(), "somebody", slow(1), 0)
			return err == nil && told.count("answers again") == round
		}, time.Minute, 5*time.Millisecond)
		assert.Equal(t, 10, taken(t, l, owner, slow(10), 12), "a server that has forgotten begins anew")
	}
}

// A caller that gives up does not make Redis look down.
func TestACallerThatGivesUpSaysNothingAboutRedis(t *testing.T) {
	srv := dbtest.Redis(t)
	var told logs
	l := limiter(t, connect(t, srv), redis.Options{Logger: slog.New(slog.NewTextHandler(&told, nil))})
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Microsecond)
		_, _ = l.Take(ctx, "owner", slow(1000), 0)
		cancel()
	}
	assert.Zero(t, told.count("does not answer"))
}

func TestClientsThatDoNotHeedContextsAreRefused(t *testing.T) {
	client := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:1"})
	defer client.Close()
	_, err := redis.New(client, nil)
	require.ErrorContains(t, err, "ContextTimeoutEnabled")
	_, err = redis.New(nil, nil)
	require.Error(t, err)
	heeding := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:1", ContextTimeoutEnabled: true})
	defer heeding.Close()
	_, err = redis.New(heeding, &redis.Options{Instances: -1})
	require.Error(t, err)
}

// Two hubs, as in two processes, never send more than one rate between them.
func TestTwoHubsShareOneBudget(t *testing.T) {
	srv := dbtest.Redis(t)
	third := hubtest.NewServer(t)
	third.Handle("/", hubtest.Status(200))
	store := memory.New()
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	var hubs []*hub.Hub
	for range 2 {
		h, err := hub.New(store, keeper, &hub.Options{
			Egress:      hub.Egress{AllowLoopback: true, AllowAnyPort: true},
			RateLimiter: limiter(t, connect(t, srv), redis.Options{Instances: 2}),
		})
		require.NoError(t, err)
		t.Cleanup(func() { assert.NoError(t, h.Close(context.Background())) })
		hubs = append(hubs, h)
	}
	_, _, err = hubs[0].CreateTemplateAndConnector(t.Context(), hub.Template{Name: "App", Methods: []string{"GET"}}, hub.Connector{
		Name: "con", Hosts: []string{third.Host()}, TLS: &hub.TLS{CA: string(third.CA())},
		RateLimit: &hub.RateLimit{Requests: 10, Per: 86_400_000},
		Requests:  []hub.Request{{Name: "go", Method: "GET", URL: third.URL}},
	})
	require.NoError(t, err)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			_, err := hubs[i%2].Execute(t.Context(), hub.Call{Connector: "con", Request: "go"})
			if err != nil {
				assert.ErrorIs(t, err, hub.RateLimited)
			}
		})
	}
	all.Wait()
	assert.Len(t, third.Requests(), 10)
	health, err := hubs[1].Health(t.Context(), "con")
	require.NoError(t, err)
	assert.Equal(t, 0, health.RateLimits[0].Left)
}
