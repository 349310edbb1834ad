package hub_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// numbered are calls of the request "n" of the connector "con": /calls/0, /calls/1 …
func numbered(n int) iter.Seq[hub.BatchCall] {
	return func(yield func(hub.BatchCall) bool) {
		for i := range n {
			if !yield(numberedCall(i)) {
				return
			}
		}
	}
}

func numberedCall(i int) hub.BatchCall {
	payload := fmt.Appendf(nil, `{"n": %d}`, i)
	return hub.BatchCall{Key: strconv.Itoa(i), Call: hub.Call{Connector: "con", Request: "n", Payload: payload}}
}

// batched is a hub whose connector "con" has a request for numbered.
func batched(t *testing.T, method string, handler http.Handler, change ...func(*hub.Options)) *hub.Tenant {
	t.Helper()
	srv := hubtest.NewServer(t)
	srv.Handle(method+" /calls/{n}", handler)
	h := open(t, change...).Tenant("acme")
	connector(t, h, srv, mapped("n", method, srv.URL+"/calls/{{n}}", func(r *hub.Request) {
		r.Retry = &hub.Retry{Attempts: 1}
	}), func(c *hub.Connector) { c.Timeout = 60_000 })
	return h
}

// crowd answers and counts who is inside at once.
type crowd struct {
	inside, most atomic.Int64
	wait         time.Duration
}

func (c *crowd) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	n := c.inside.Add(1)
	defer c.inside.Add(-1)
	for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
		continue
	}
	time.Sleep(c.wait)
	w.WriteHeader(http.StatusNoContent)
}

func TestABatchMakesEachCallOnceAndNeverMoreAtOnceThanItMay(t *testing.T) {
	for name, c := range map[string]struct {
		opts *hub.BatchOptions
		most int64
	}{
		"by default":      {nil, 8},
		"bounded":         {&hub.BatchOptions{Concurrency: 3}, 3},
		"by places":       {&hub.BatchOptions{Concurrency: 99}, 10},
		"in order":        {&hub.BatchOptions{Ordered: true, Concurrency: 4}, 4},
		"window of one":   {&hub.BatchOptions{Ordered: true, Window: 1, Concurrency: 1}, 1},
		"narrower window": {&hub.BatchOptions{Ordered: true, Window: 1, Concurrency: 5}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			inside := &crowd{wait: time.Millisecond}
			h := batched(t, "POST", inside, func(o *hub.Options) { o.Limits.ConnectorCalls = 10 })
			var indexes []int
			for r, err := range h.ExecuteAll(t.Context(), numbered(100), c.opts) {
				require.NoError(t, err)
				assert.Equal(t, http.StatusNoContent, r.Result.Status)
				assert.Equal(t, strconv.Itoa(r.Index), r.Call.Key)
				indexes = append(indexes, r.Index)
			}
			if c.opts != nil && c.opts.Ordered {
				assert.IsIncreasing(t, indexes)
			}
			slices.Sort(indexes)
			assert.Equal(t, slices.Collect(seq(100)), indexes)
			assert.LessOrEqual(t, inside.most.Load(), c.most)
		})
	}
}

func seq(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// The first call is slow: in order nothing comes before it, and only as many calls begin as
// the window holds. Out of order the others need not wait.
func TestOrderedResultsWaitInABoundedWindow(t *testing.T) {
	for _, ordered := range []bool{true, false} {
		t.Run(fmt.Sprint("ordered ", ordered), func(t *testing.T) {
			release := make(chan struct{})
			var calls atomic.Int64
			h := batched(t, "GET", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if calls.Add(1); r.PathValue("n") == "0" {
					<-release
				}
			}))
			var mu sync.Mutex
			var last hub.BatchProgress
			opts := &hub.BatchOptions{Concurrency: 4, Ordered: ordered, Window: 10, Progress: func(p hub.BatchProgress) {
				mu.Lock()
				defer mu.Unlock()
				last = p
				if ordered && p == (hub.BatchProgress{Begun: 10, Succeeded: 9}) {
					close(release)
				}
			}}
			var got []int
			for r, err := range h.ExecuteAll(t.Context(), numbered(50), opts) {
				require.NoError(t, err)
				if len(got) == 0 && ordered {
					assert.LessOrEqual(t, calls.Load(), int64(11), "the window, and the one for which it just opened")
				}
				if got = append(got, r.Index); len(got) == 49 && !ordered {
					close(release)
				}
			}
			assert.Equal(t, hub.BatchProgress{Begun: 50, Succeeded: 50}, last)
			if ordered {
				assert.IsIncreasing(t, got)
			} else {
				assert.Equal(t, 0, got[49], "the slow one comes last")
			}
		})
	}
}

// The hub's places are taken by others: the batch waits and loses no call.
func TestABatchWaitsWhileTheHubIsBusy(t *testing.T) {
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("/door", d)
	h := open(t, func(o *hub.Options) { o.Limits.ConnectorCalls, o.Limits.QueuedCalls = 1, 1 }).Tenant("acme")
	connector(t, h, srv, manual("go", "POST", srv.URL+"/door"), func(c *hub.Connector) { c.Timeout = 60_000 })
	inside := start(t, h, "con", "go")
	<-d.entered
	queued := start(t, h, "con", "go")
	call := hub.Call{Connector: "con", Request: "go"}
	ctx, giveUp := context.WithCancel(t.Context())
	probe := make(chan error)
	go func() { _, err := h.Execute(ctx, call); probe <- err }()
	until(t, func() bool { // whichever of the two came second was refused
		select {
		case err := <-queued:
			failed(t, err, hub.Busy)
			queued = probe
		case err := <-probe:
			failed(t, err, hub.Busy)
		default:
			return false
		}
		return true
	})
	defer giveUp()

	for _, err := range h.ExecuteAll(t.Context(), slices.Values([]hub.BatchCall{{Call: call}}), &hub.BatchOptions{Patience: -1}) {
		failed(t, err, hub.Busy)
	}
	asked := make(chan struct{})
	free := sync.OnceFunc(func() { close(d.leave) })
	many := slices.Repeat([]hub.BatchCall{{Call: call}}, 5)
	go func() { <-asked; free() }()
	ended := 0
	opts := &hub.BatchOptions{Progress: func(p hub.BatchProgress) {
		if p.Begun == 1 && p.Succeeded+p.Failed == 0 {
			close(asked)
		}
	}}
	for _, err := range h.ExecuteAll(t.Context(), slices.Values(many), opts) {
		require.NoError(t, err)
		ended++
	}
	assert.Equal(t, 5, ended)
	require.NoError(t, <-inside)
	require.NoError(t, <-queued)
}

func TestABatchComesBackWhenTheThirdPartyAsksItTo(t *testing.T) {
	for name, c := range map[string]struct {
		first    http.Handler
		patience time.Duration
		sent     int
		code     hub.Code // empty: success
	}{
		"turned away with a time":    {hubtest.Status(429).RetryAfter(1), 0, 2, ""},
		"unavailable until":          {hubtest.Status(503).RetryAfter(1), 0, 2, ""},
		"to come back at once":       {hubtest.Status(429).RetryAfter(0), 0, 2, ""},
		"beyond patience":            {hubtest.Status(429).RetryAfter(3600), 0, 1, hub.RateLimited},
		"without patience":           {hubtest.Status(429).RetryAfter(1), -1, 1, hub.RateLimited},
		"turned away without a time": {hubtest.Status(503), 0, 1, hub.Rejected},
		"perhaps it arrived":         {hubtest.Drop(), 0, 1, hub.BadAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := hubtest.NewServer(t)
			srv.Handle("POST /calls/0", hubtest.Sequence(c.first, hubtest.Status(204)))
			h := open(t).Tenant("acme")
			connector(t, h, srv, mapped("n", "POST", srv.URL+"/calls/{{n}}", func(r *hub.Request) {
				r.Retry = &hub.Retry{Attempts: 1}
			}))
			results := 0
			for _, err := range h.ExecuteAll(t.Context(), numbered(1), &hub.BatchOptions{Patience: c.patience}) {
				results++
				if c.code == "" {
					assert.NoError(t, err)
				} else {
					failed(t, err, c.code)
				}
			}
			assert.Equal(t, 1, results)
			assert.Len(t, srv.Requests(), c.sent)
		})
	}
}

// Who made a call does not know whether it had its effect: the key tells the third party.
func TestABatchMakesACallAgainWithItsKey(t *testing.T) {
	for name, key := range map[string]string{"given": "order-17", "made": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := hubtest.NewServer(t)
			srv.Handle("/", hubtest.Sequence(hubtest.Status(503).RetryAfter(1), hubtest.Status(503).RetryAfter(1), hubtest.Status(204)))
			h := open(t).Tenant("acme")
			connector(t, h, srv, manual("go", "POST", srv.URL+"/", func(r *hub.Request) {
				r.Retry = &hub.Retry{Attempts: 1, Idempotent: true, IdempotencyHeader: "Idempotency-Key"}
			}))
			call := hub.BatchCall{Call: hub.Call{Connector: "con", Request: "go", IdempotencyKey: key}}
			got := map[string]int{}
			for r, err := range h.ExecuteAll(t.Context(), slices.Values([]hub.BatchCall{call, call}), nil) {
				require.NoError(t, err)
				if key != "" {
					assert.Equal(t, key, r.Call.IdempotencyKey)
				}
				got[r.Call.IdempotencyKey] = 0
			}
			for _, r := range srv.Requests() {
				got[r.Header.Get("Idempotency-Key")]++
			}
			if key == "" {
				assert.Len(t, got, 2, "one for each call: %v", got)
			} else {
				assert.Len(t, got, 1)
			}
			assert.Len(t, srv.Requests(), 4)
		})
	}
}

// An error after a call was put off still tells that it was sent before.
func TestABatchForgetsNotThatACallWasSentBefore(t *testing.T) {
	h := batched(t, "POST", hubtest.Status(429).RetryAfter(1))
	call, times := numberedCall(0), 0
	call.BeforeSend = func(context.Context, hub.Sending) error {
		if times++; times > 1 {
			return errLedger
		}
		return nil
	}
	for _, err := range h.ExecuteAll(t.Context(), slices.Values([]hub.BatchCall{call}), nil) {
		e := failed(t, err, hub.Unavailable)
		require.ErrorIs(t, e, errLedger)
		assert.True(t, e.Sent)
		assert.True(t, e.Repeatable(), "it was turned away")
	}
}

func TestABatchSendsAFileThatCanBeReadOnceOnce(t *testing.T) {
	for once, sent := range map[bool]int{true: 1, false: 2} {
		srv := hubtest.NewServer(t)
		srv.Handle("/", hubtest.Sequence(hubtest.Status(429).RetryAfter(1), hubtest.Status(204)))
		h := open(t).Tenant("acme")
		connector(t, h, srv, manual("go", "PUT", srv.URL+"/", func(r *hub.Request) {
			r.BodyFile, r.Retry = "f", &hub.Retry{Attempts: 1}
		}))
		file := hub.FileBytes("", "", []byte("the only copy"))
		file.Once = once
		calls := []hub.BatchCall{{Call: hub.Call{Connector: "con", Request: "go", Files: map[string]hub.File{"f": file}}}}
		for _, err := range h.ExecuteAll(t.Context(), slices.Values(calls), nil) {
			if !once {
				require.NoError(t, err)
				continue
			}
			e := failed(t, err, hub.RateLimited)
			assert.False(t, e.Repeatable())
		}
		assert.Len(t, srv.Requests(), sent)
	}
}

// Leaving the loop ends all that the batch began before the next line runs.
func TestLeavingTheLoopEndsTheBatch(t *testing.T) {
	d := newDoor()
	h := batched(t, "GET", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("n") != "0" {
			d.ServeHTTP(w, r)
		}
	}))
	taken, running := 0, true
	endless := func(yield func(hub.BatchCall) bool) {
		defer func() { running = false }()
		for ; yield(numberedCall(taken)); taken++ {
			continue
		}
	}
	var progress hub.BatchProgress
	opts := &hub.BatchOptions{Concurrency: 3, Progress: func(p hub.BatchProgress) { progress = p }}
	for r, err := range h.ExecuteAll(t.Context(), endless, opts) {
		require.NoError(t, err)
		assert.Zero(t, r.Index)
		<-d.entered
		break
	}
	assert.False(t, running, "the input has ended")
	assert.LessOrEqual(t, taken, 5, "what is under way, and one that waits for room")
	assert.Equal(t, progress.Begun, progress.Succeeded+progress.Failed, "all that began has ended")
}

func TestCallsThatNeverBeganHaveNoResult(t *testing.T) {
	d := newDoor()
	h := batched(t, "POST", d)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for range 4 {
			<-d.entered
		}
		cancel()
	}()
	var keys []string
	for r, err := range h.ExecuteAll(ctx, numbered(100), &hub.BatchOptions{Concurrency: 4, Ordered: true, Window: 4}) {
		e := failed(t, err, hub.Canceled)
		assert.True(t, e.Sent)
		assert.False(t, e.Repeatable())
		keys = append(keys, r.Call.Key)
	}
	assert.Equal(t, []string{"0", "1", "2", "3"}, keys)
	for range h.ExecuteAll(ctx, numbered(3), nil) {
		assert.Fail(t, "nothing begins once ctx has ended")
	}
}

// An input that waits for more hands over what there is, and ends with its own context.
func TestAnInputMayBlock(t *testing.T) {
	h := batched(t, "GET", hubtest.Status(204))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	blocking := func(yield func(hub.BatchCall) bool) {
		if yield(numberedCall(0)) {
			<-ctx.Done()
		}
	}
	ended := 0
	for _, err := range h.ExecuteAll(ctx, blocking, nil) {
		require.NoError(t, err)
		ended++
		cancel()
	}
	assert.Equal(t, 1, ended)
}

func TestPanicsOfInputAndLoopReachTheCallerAfterAllHasEnded(t *testing.T) {
	h := batched(t, "GET", &crowd{wait: time.Millisecond})
	results := 0
	assert.PanicsWithValue(t, "input", func() {
		for _, err := range h.ExecuteAll(t.Context(), func(yield func(hub.BatchCall) bool) {
			yield(numberedCall(0))
			panic("input")
		}, nil) {
			require.NoError(t, err)
			results++
		}
	})
	assert.Equal(t, 1, results, "what began before comes")
	var progress hub.BatchProgress
	opts := &hub.BatchOptions{Progress: func(p hub.BatchProgress) { progress = p }}
	assert.PanicsWithValue(t, "loop", func() {
		for range h.ExecuteAll(t.Context(), numbered(100), opts) {
			panic("loop")
		}
	})
	assert.Positive(t, progress.Begun)
	assert.Equal(t, progress.Begun, progress.Succeeded+progress.Failed)
}

// Whoever recovers from panics of the loop recovers from those of what it handed over, which run
// elsewhere.
func TestPanicsOfWhatABatchCallsReachTheLoop(t *testing.T) {
	h := batched(t, "GET", hubtest.Status(204))
	fault := func() { panic("fault") }
	announced := numberedCall(0)
	announced.BeforeSend = func(context.Context, hub.Sending) error { fault(); return nil }
	for name, tt := range map[string]struct {
		first hub.BatchCall
		opts  hub.BatchOptions
	}{
		"Done":       {numberedCall(0), hub.BatchOptions{Done: func(context.Context, string) (bool, error) { fault(); return false, nil }}},
		"Record":     {numberedCall(0), hub.BatchOptions{Record: func(context.Context, hub.BatchResult, error) error { fault(); return nil }}},
		"Progress":   {numberedCall(0), hub.BatchOptions{Progress: func(hub.BatchProgress) { fault() }}},
		"BeforeSend": {announced, hub.BatchOptions{}},
	} {
		for _, ordered := range []bool{true, false} {
			t.Run(fmt.Sprint(name, ", ordered ", ordered), func(t *testing.T) {
				tt.opts.Ordered, tt.opts.Concurrency = ordered, 2
				assert.PanicsWithValue(t, "fault", func() {
					for _, err := range h.ExecuteAll(t.Context(), func(yield func(hub.BatchCall) bool) {
						for range 100 {
							if !yield(tt.first) {
								return
							}
						}
					}, &tt.opts) {
						_ = err // another call with the key may be under way
					}
				})
				_, err := h.Execute(t.Context(), numberedCall(1).Call)
				assert.NoError(t, err, "its place is free again")
			})
		}
	}
}

// ledger is what a host application keeps of its batch.
type ledger struct {
	mu   sync.Mutex
	ends map[string]error // :: key → how it ended
	fail string           // key that cannot be recorded
}

func (l *ledger) options() *hub.BatchOptions {
	return &hub.BatchOptions{Concurrency: 2, Ordered: true, Done: l.done, Record: l.record}
}

var errLedger = errors.New("the ledger is full")

func (l *ledger) done(_ context.Context, key string) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.ends[key]
	return ok, nil
}

func (l *ledger) record(ctx context.Context, r hub.BatchResult, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ctx.Err() != nil || r.Call.Key == l.fail {
		return errLedger
	}
	if l.ends == nil {
		l.ends = map[string]error{}
	}
	l.ends[r.Call.Key] = err
	return nil
}

func TestABatchGoesOnWhereItEnded(t *testing.T) {
	var mu sync.Mutex
	sent := map[string]int{}
	h := batched(t, "POST", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if sent[r.PathValue("n")]++; r.PathValue("n") == "3" {
			w.WriteHeader(http.StatusConflict)
		}
	}))
	var l ledger
	for r := range h.ExecuteAll(t.Context(), numbered(20), l.options()) {
		if r.Index == 9 {
			break
		}
	}
	first := len(l.ends)
	assert.GreaterOrEqual(t, first, 10)
	failed(t, l.ends["3"], hub.Rejected)
	skipped := 0
	for r, err := range h.ExecuteAll(t.Context(), numbered(20), l.options()) {
		require.NoError(t, err)
		if r.Skipped {
			assert.Nil(t, r.Result)
			skipped++
		}
	}
	assert.Equal(t, first, skipped)
	assert.Len(t, l.ends, 20)
	mu.Lock() // a call that was given up may be answered still
	defer mu.Unlock()
	assert.Equal(t, []int{1}, slices.Compact(slices.Collect(maps.Values(sent))), "each was sent once")
}

func TestABatchThatCannotRecordStops(t *testing.T) {
	h := batched(t, "POST", hubtest.Status(204))
	l := &ledger{fail: "2"}
	var last hub.BatchResult
	var errs []error
	for r, err := range h.ExecuteAll(t.Context(), numbered(1000), l.options()) {
		if last = r; err != nil {
			assert.Equal(t, "2", r.Call.Key)
			assert.Equal(t, 204, r.Result.Status)
			errs = append(errs, err)
		}
	}
	require.Len(t, errs, 1)
	e := failed(t, errs[0], hub.Unavailable)
	assert.ErrorIs(t, e, errLedger)
	assert.False(t, e.Repeatable(), "the call was made")
	assert.Less(t, last.Index, 20)
}

// What is known of the sending is not lost with the record.
func TestARecordThatFailsHidesNotThatACallWasSent(t *testing.T) {
	for method, repeatable := range map[string]bool{"POST": false, "PUT": true} {
		h := batched(t, method, hubtest.Drop())
		for _, err := range h.ExecuteAll(t.Context(), numbered(1), (&ledger{fail: "0"}).options()) {
			e := failed(t, err, hub.Unavailable)
			require.ErrorIs(t, e, errLedger)
			assert.True(t, e.Sent)
			assert.Equal(t, 1, e.Attempts)
			assert.Equal(t, repeatable, e.Repeatable())
		}
	}
	h := batched(t, "POST", hubtest.Status(409))
	for _, err := range h.ExecuteAll(t.Context(), numbered(1), (&ledger{fail: "0"}).options()) {
		e := failed(t, err, hub.Unavailable)
		assert.Equal(t, 409, e.Status)
		assert.True(t, e.Sent)
	}
}

func TestWhatABatchRefuses(t *testing.T) {
	d := newDoor()
	h := batched(t, "POST", d)
	twins := slices.Values([]hub.BatchCall{numberedCall(1), numberedCall(1)})
	var codes []error
	for _, err := range h.ExecuteAll(t.Context(), twins, nil) {
		if err != nil { // the other one is refused while this is under way
			failed(t, err, hub.Exists)
			<-d.entered
			close(d.leave)
		}
		codes = append(codes, err)
	}
	assert.Len(t, codes, 2)

	asked := &hub.BatchOptions{Done: func(context.Context, string) (bool, error) { return false, errLedger }}
	for _, err := range h.ExecuteAll(t.Context(), numbered(1), asked) {
		e := failed(t, err, hub.Unavailable)
		assert.ErrorIs(t, e, errLedger)
		assert.True(t, e.Repeatable())
	}
	assert.Empty(t, d.entered, "nothing was sent")
}

func TestABatchEndsWhenTheHubIsClosed(t *testing.T) {
	h := open(t)
	require.NoError(t, h.Close(t.Context()))
	results := 0
	for _, err := range h.ExecuteAll(t.Context(), numbered(1_000_000), nil) {
		failed(t, err, hub.Closed)
		results++
	}
	assert.LessOrEqual(t, results, 16)
}

// What a batch may hold costs nothing until it holds it.
func TestABatchTakesAnyBounds(t *testing.T) {
	h := batched(t, "GET", hubtest.Status(204), func(o *hub.Options) { o.Limits.ConnectorCalls, o.Limits.TenantCalls = -1, -1 })
	for name, opts := range map[string]hub.BatchOptions{
		"concurrency":         {Concurrency: math.MaxInt},
		"window":              {Ordered: true, Window: math.MaxInt},
		"ordered concurrency": {Ordered: true, Concurrency: math.MaxInt},
		"patience":            {Patience: math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) {
			ended := 0
			for _, err := range h.ExecuteAll(t.Context(), numbered(20), &opts) {
				require.NoError(t, err)
				ended++
			}
			assert.Equal(t, 20, ended)
		})
	}
}

// An input that cannot be read again, such as a queue, loses nothing to a batch that ends: what
// was taken from it was made.
func TestABatchTakesNoMoreThanThereIsRoomFor(t *testing.T) {
	inside := make(chan struct{}, 1)
	h := batched(t, "GET", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		inside <- struct{}{}
		<-r.Context().Done()
	}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-inside; cancel() }()
	taken, ended := 0, 0
	input := func(yield func(hub.BatchCall) bool) {
		for call := range numbered(5) {
			if taken++; !yield(call) {
				return
			}
		}
	}
	for _, err := range h.ExecuteAll(ctx, input, &hub.BatchOptions{Concurrency: 1}) {
		failed(t, err, hub.Canceled)
		ended++
	}
	assert.Equal(t, 1, taken)
	assert.Equal(t, 1, ended)
}
