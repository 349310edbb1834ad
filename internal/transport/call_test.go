package transport_test

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/transport"
)

func TestWhichAnswersAreRepeated(t *testing.T) {
	told := []string{"Retry-After", "1"}
	tests := map[string]struct {
		method string
		policy transport.Policy
		status int
		header []string
		want   int
	}{
		"200 is final":                    {"GET", transport.Policy{}, 200, nil, 1},
		"200 with Retry-After is final":   {"GET", transport.Policy{}, 200, told, 1},
		"404 is final":                    {"GET", transport.Policy{}, 404, nil, 1},
		"500 is final":                    {"GET", transport.Policy{}, 500, nil, 1},
		"GET 429":                         {"GET", transport.Policy{}, 429, nil, 3},
		"HEAD 502":                        {"HEAD", transport.Policy{}, 502, nil, 3},
		"PUT 503":                         {"PUT", transport.Policy{}, 503, nil, 3},
		"DELETE 504":                      {"DELETE", transport.Policy{}, 504, nil, 3},
		"OPTIONS 504":                     {"OPTIONS", transport.Policy{}, 504, nil, 3},
		"POST 503":                        {"POST", transport.Policy{}, 503, nil, 1},
		"PATCH 503":                       {"PATCH", transport.Policy{}, 503, nil, 1},
		"POST 503 told":                   {"POST", transport.Policy{}, 503, told, 3},
		"POST 429 told":                   {"POST", transport.Policy{}, 429, told, 3},
		"POST 502 told":                   {"POST", transport.Policy{}, 502, told, 1},
		"POST 503 told nonsense":          {"POST", transport.Policy{}, 503, []string{"Retry-After", "soon"}, 1},
		"POST declared idempotent 502":    {"POST", transport.Policy{Idempotent: true}, 502, nil, 3},
		"own statuses":                    {"GET", transport.Policy{Statuses: []int{500}}, 500, nil, 3},
		"own statuses exclude":            {"GET", transport.Policy{Statuses: []int{500}}, 503, nil, 1},
		"own statuses do not free a POST": {"POST", transport.Policy{Statuses: []int{500}}, 500, told, 1},
		"no statuses":                     {"GET", transport.Policy{Statuses: []int{}}, 503, told, 1},
		"attempts 5":                      {"GET", transport.Policy{Attempts: 5}, 503, nil, 5},
		"attempts 1":                      {"GET", transport.Policy{Attempts: 1}, 503, nil, 1},
		"attempts off":                    {"GET", transport.Policy{Attempts: -1}, 503, nil, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				handler, count := always(tt.status, tt.header...)
				out := transport.New(nil).Do(t.Context(), to(t, tt.method, here, inMemory(t, handler)), &tt.policy)
				require.NoError(t, out.Err)
				assert.Equal(t, tt.want, count())
				assert.Len(t, out.Attempts, tt.want)
				assert.Equal(t, tt.status, out.Answer.Status)
			})
		})
	}
}

func TestWaitsAreRandomBelowADoublingCeiling(t *testing.T) {
	for name, pick := range map[string]func(int64) int64{
		"highest": func(n int64) int64 { return n - 1 },
		"lowest":  func(int64) int64 { return 0 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ceilings []time.Duration
				client := transport.New(&transport.Options{Rand: func(n int64) int64 {
					ceilings = append(ceilings, time.Duration(n))
					return pick(n)
				}})
				handler, _ := always(503)
				policy := transport.Policy{Attempts: 6, BaseWait: 100 * time.Millisecond, MaxWait: time.Second}
				start := time.Now()
				out := client.Do(t.Context(), to(t, "GET", here, inMemory(t, handler)), &policy)
				require.Len(t, out.Attempts, 6)
				ms := time.Millisecond
				assert.Equal(t, []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1000 * ms}, ceilings)
				var sum time.Duration
				for i, a := range out.Attempts {
					sum += a.Wait
					if i > 0 {
						assert.Equal(t, time.Duration(pick(int64(ceilings[i-1]))), a.Wait)
					}
				}
				assert.Equal(t, sum, time.Since(start), "the waits are real")
				assert.Zero(t, out.RetryAt)
			})
		})
	}
}

func TestDefaultWaitsStayInBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler, _ := always(503)
		via, client := inMemory(t, handler), transport.New(nil)
		for range 50 {
			out := client.Do(t.Context(), to(t, "GET", here, via), &transport.Policy{Attempts: 8})
			for i, a := range out.Attempts[1:] {
				assert.Less(t, a.Wait, min(5*time.Second, 200*time.Millisecond<<i))
			}
		}
		out := client.Do(t.Context(), to(t, "GET", here, via), &transport.Policy{BaseWait: -1})
		assert.Zero(t, out.Attempts[1].Wait+out.Attempts[2].Wait)
	})
}

func TestRetryAfterIsObeyed(t *testing.T) {
	lowest := func(int64) int64 { return 0 }
	tests := map[string]struct {
		value    func() string
		policy   transport.Policy
		deadline time.Duration
		attempts int
		wait     time.Duration
		retryIn  time.Duration
	}{
		"seconds":               {fixed("7"), transport.Policy{Attempts: 2}, 0, 2, 7 * time.Second, 7 * time.Second},
		"date":                  {date(9), transport.Policy{Attempts: 2}, 0, 2, 9 * time.Second, 9 * time.Second},
		"zero":                  {fixed("0"), transport.Policy{Attempts: 2}, 0, 2, 0, 0},
		"past date":             {date(-100), transport.Policy{Attempts: 2}, 0, 2, 0, 0},
		"longest":               {fixed("60"), transport.Policy{Attempts: 2}, 0, 2, time.Minute, time.Minute},
		"too long":              {fixed("61"), transport.Policy{}, 0, 1, 0, 61 * time.Second},
		"a day":                 {fixed("86400"), transport.Policy{}, 0, 1, 0, 24 * time.Hour},
		"beyond any clock":      {fixed("99999999999999999999999"), transport.Policy{}, 0, 1, 0, 1e9 * time.Second},
		"own maximum":           {fixed("61"), transport.Policy{Attempts: 2, MaxRetryAfter: 2 * time.Minute}, 0, 2, 61 * time.Second, 61 * time.Second},
		"maximum off":           {fixed("1"), transport.Policy{MaxRetryAfter: -1}, 0, 1, 0, time.Second},
		"up to the deadline":    {fixed("10"), transport.Policy{}, 10 * time.Second, 1, 0, 10 * time.Second},
		"shorter than deadline": {fixed("9"), transport.Policy{Attempts: 2}, 10 * time.Second, 2, 9 * time.Second, 9 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				handler := func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Retry-After", tt.value())
					w.WriteHeader(503)
				}
				ctx, cancel := t.Context(), context.CancelFunc(func() {})
				if tt.deadline > 0 {
					ctx, cancel = context.WithTimeout(ctx, tt.deadline)
				}
				defer cancel()
				start := time.Now()
				out := transport.New(&transport.Options{Rand: lowest}).Do(ctx, to(t, "GET", here, inMemory(t, handler)), &tt.policy)
				require.NoError(t, out.Err)
				assert.Equal(t, 503, out.Answer.Status)
				require.Len(t, out.Attempts, tt.attempts)
				assert.Equal(t, tt.wait, out.Attempts[tt.attempts-1].Wait)
				assert.Equal(t, tt.wait, time.Since(start))
				if tt.retryIn > 0 {
					assert.Equal(t, tt.retryIn, time.Until(out.RetryAt))
				}
			})
		})
	}
}

func fixed(v string) func() string { return func() string { return v } }

func date(seconds int) func() string {
	return func() string {
		return time.Now().Add(time.Duration(seconds) * time.Second).UTC().Format(http.TimeFormat)
	}
}

func TestADateCountsFromTheServersClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler, _ := always(503, "Date", "Wed, 21 Oct 2015 07:28:00 GMT", "Retry-After", "Wed, 21 Oct 2015 07:28:04 GMT")
		lowest := transport.New(&transport.Options{Rand: func(int64) int64 { return 0 }})
		out := lowest.Do(t.Context(), to(t, "GET", here, inMemory(t, handler)), &transport.Policy{Attempts: 2})
		require.Len(t, out.Attempts, 2)
		assert.Equal(t, 4*time.Second, out.Attempts[1].Wait)
	})
}

func TestAWaitThatDoesNotFitEndsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		handler, count := always(503)
		client := transport.New(&transport.Options{Rand: func(n int64) int64 { return n - 1 }})
		start := time.Now()
		out := client.Do(ctx, to(t, "GET", here, inMemory(t, handler)), &transport.Policy{BaseWait: 2 * time.Second})
		require.NoError(t, out.Err)
		assert.Zero(t, time.Since(start))
		assert.Equal(t, 1, count())
		assert.Equal(t, 2*time.Second-1, time.Until(out.RetryAt))
		assert.Equal(t, "1", string(out.Answer.Body))
	})
}

func TestTheLastAnswerStays(t *testing.T) {
	first := func(then http.HandlerFunc) http.HandlerFunc {
		answered := false
		return func(w http.ResponseWriter, r *http.Request) {
			if answered {
				then(w, r)
				return
			}
			answered = true
			w.WriteHeader(503)
			_, _ = w.Write([]byte("busy"))
		}
	}
	die := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	t.Run("when a later attempt fails", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			out := transport.New(nil).Do(t.Context(), to(t, "GET", here, inMemory(t, first(die))), &transport.Policy{})
			assert.Equal(t, transport.Read, kindOf(t, out))
			assert.Equal(t, "busy", string(out.Answer.Body))
			require.Len(t, out.Attempts, 3)
			assert.Equal(t, 503, out.Attempts[0].Status)
			assert.Zero(t, out.Attempts[2].Status)
		})
	})
	t.Run("when a wait is canceled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			handler, _ := always(503, "Retry-After", "30")
			start := time.Now()
			out := transport.New(nil).Do(ctx, to(t, "POST", here, inMemory(t, handler)), &transport.Policy{})
			assert.Equal(t, time.Second, time.Since(start))
			assert.Equal(t, transport.Canceled, kindOf(t, out))
			assert.Equal(t, 503, out.Answer.Status)
			assert.Len(t, out.Attempts, 1)
		})
	})
	t.Run("when a body breaks off", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			handler := func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "10")
				w.WriteHeader(404)
				_, _ = w.Write([]byte("half"))
			}
			out := transport.New(nil).Do(t.Context(), to(t, "POST", here, inMemory(t, handler)), &transport.Policy{})
			assert.Equal(t, transport.Read, kindOf(t, out))
			assert.Equal(t, 404, out.Answer.Status)
			assert.True(t, out.Answer.Incomplete)
			assert.Nil(t, out.Answer.Body)
			assert.EqualValues(t, 4, out.Attempts[0].BytesIn)
		})
	})
}

func TestASuccessAfterAFailureHasNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		via := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			if n++; n == 1 {
				panic(http.ErrAbortHandler)
			}
		})
		out := transport.New(nil).Do(t.Context(), to(t, "GET", here, via), &transport.Policy{})
		require.NoError(t, out.Err)
		assert.Equal(t, 200, out.Answer.Status)
		assert.Equal(t, transport.Read, out.Attempts[0].Kind)
		assert.Empty(t, out.Attempts[1].Kind)
	})
}

// A room is the memory of the first attempt that is given it, and of no other: net/http may still look at that one.
func TestARoomServesOneAttempt(t *testing.T) {
	handler, _ := always(503)
	via := inMemory(t, handler)
	var sent []*http.Request
	var bodies []string
	req := to(t, "PUT", here, acting(func(r *http.Request, _ *httptrace.ClientTrace) (*http.Response, error) {
		sent = append(sent, r)
		return via.RoundTrip(r)
	}))
	req.Room, req.Body = new(transport.Room), []byte("body")
	for range 2 {
		out := transport.New(nil).Do(t.Context(), req, &transport.Policy{Attempts: 2, BaseWait: -1})
		require.NoError(t, out.Err)
		bodies = append(bodies, string(out.Answer.Body))
		assert.Len(t, out.Attempts, 2)
	}
	assert.Equal(t, []string{"2", "4"}, bodies)
	require.Len(t, sent, 4)
	for i, r := range sent {
		assert.Equal(t, "PUT", r.Method)
		for _, other := range sent[:i] {
			assert.NotSame(t, other, r)
		}
	}
}

// Who gives up meanwhile has not waited: it is still true that the server turned the request away.
func TestRetryAtIsKnownAsLongAsItIsWaitedFor(t *testing.T) {
	for name, gate := range map[string]*gate{"between attempts": nil, "at the gate": {passes: 9, wait: 10 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				handler, count := always(503, "Retry-After", "7")
				req := to(t, "POST", here, inMemory(t, handler))
				if gate != nil {
					req.Gate = gate
				}
				time.AfterFunc(15*time.Second, cancel)
				if gate == nil {
					time.AfterFunc(time.Second, cancel)
				}
				out := transport.New(nil).Do(ctx, req, &transport.Policy{BaseWait: -1})
				assert.Equal(t, transport.Canceled, kindOf(t, out))
				assert.Equal(t, 1, count())
				answered := out.Attempts[0].Start.Add(out.Attempts[0].Duration)
				assert.Equal(t, 7*time.Second, out.RetryAt.Sub(answered))
			})
		})
	}
}
