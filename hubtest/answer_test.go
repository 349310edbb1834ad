package hubtest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/hubtest"
)

func TestAnswers(t *testing.T) {
	tests := []struct {
		name   string
		answer hubtest.Answer
		status int
		header http.Header
		body   string
	}{
		{"zero value", hubtest.Answer{}, 200, nil, ""},
		{"status", hubtest.Status(404), 404, nil, ""},
		{"text", hubtest.Text(200, "hi"), 200, http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, "hi"},
		{"bytes", hubtest.Bytes(200, "image/png", []byte{1, 2}), 200, http.Header{"Content-Type": {"image/png"}}, "\x01\x02"},
		{"JSON value", hubtest.JSON(201, map[string]int{"id": 1}), 201, http.Header{"Content-Type": {"application/json"}}, `{"id":1}`},
		{"JSON text", hubtest.JSON(200, json.RawMessage(`{"a":1e2}`)), 200, nil, `{"a":1e2}`},
		{"JSON impossible", hubtest.JSON(200, func() {}), 500, nil, "hubtest: cannot encode func(): json: unsupported type: func()"},
		{"retry after", hubtest.Status(503).RetryAfter(7), 503, http.Header{"Retry-After": {"7"}}, ""},
		{"repeated header", hubtest.Status(200).Header("X-A", "1").Header("X-A", "2"), 200, http.Header{"X-A": {"1", "2"}}, ""},
		{
			"token", hubtest.Token("tok", 90*time.Second), 200, http.Header{"Cache-Control": {"no-store"}},
			`{"access_token":"tok","expires_in":90,"token_type":"Bearer"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			tt.answer.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			assert.Equal(t, tt.status, w.Code)
			assert.Equal(t, tt.body, w.Body.String())
			for name, values := range tt.header {
				assert.Equal(t, values, w.Header()[name], name)
			}
		})
	}
}

func TestAnswerIsAValue(t *testing.T) {
	base := hubtest.Status(200).Header("X-Base", "1").Header("X-Base", "2").Header("X-Base", "3")
	left, right := base.Header("X-Side", "left"), base.Header("X-Side", "right")

	for want, answer := range map[string]hubtest.Answer{"left": left, "right": right, "": base} {
		w := httptest.NewRecorder()
		answer.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		assert.Equal(t, want, w.Header().Get("X-Side"))
	}

	body := []byte("kept")
	answer := hubtest.Bytes(200, "text/plain", body)
	body[0] = 'X'
	w := httptest.NewRecorder()
	answer.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	assert.Equal(t, "kept", w.Body.String())
}

func TestAfterWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		hubtest.Status(200).After(3*time.Second).
			ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		assert.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestAfterEndsWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		w := httptest.NewRecorder()
		assert.PanicsWithValue(t, http.ErrAbortHandler, func() {
			hubtest.Text(200, "late").After(time.Hour).
				ServeHTTP(w, httptest.NewRequest("GET", "/", nil).WithContext(ctx))
		})
		assert.Equal(t, time.Second, time.Since(start))
		assert.Empty(t, w.Body.String())
	})
}

func TestFaults(t *testing.T) {
	text := hubtest.Text(200, "0123456789")
	tests := []struct {
		name    string
		handler http.Handler
		body    string // what arrives before the fault
		early   bool   // the fault comes before the header
	}{
		{"drop", hubtest.Drop(), "", true},
		{"drop after 4", text.DropAfter(4), "0123", false},
		{"drop after the announced length", text.DropAfter(99), "0123456789", false},
		{"drop after less than nothing", text.DropAfter(-1), "", false},
	}
	for _, tt := range tests {
		for _, h2 := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				srv := hubtest.NewServer(t)
				srv.Handle("/", tt.handler)
				c := client(t, srv)
				c.Transport.(*http.Transport).ForceAttemptHTTP2 = h2
				req, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL, nil)
				require.NoError(t, err)
				resp, err := c.Do(req)
				if tt.early {
					require.Error(t, err)
					return
				}
				require.NoError(t, err)
				defer resp.Body.Close()
				assert.Equal(t, int64(10), resp.ContentLength)
				body, err := io.ReadAll(resp.Body)
				assert.Equal(t, tt.body, string(body))
				if len(tt.body) < 10 {
					assert.Error(t, err)
				}
			})
		}
	}
}

func TestHangLastsUntilTheClientLeaves(t *testing.T) {
	for name, handler := range map[string]http.Handler{
		"without an answer":    hubtest.Hang(),
		"in the middle of one": hubtest.Text(200, "0123456789").HangAfter(4),
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			over := make(chan struct{})
			srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(over)
				handler.ServeHTTP(w, r)
			}))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
			require.NoError(t, err)
			result := make(chan string, 1)
			c := client(t, srv)
			go func() { result <- readUntilError(c, req) }()

			require.Eventually(t, func() bool { return len(srv.Requests()) == 1 }, time.Minute, time.Millisecond)
			select {
			case <-result:
				t.Fatal("the client was let go")
			case <-over:
				t.Fatal("the server gave up")
			default:
			}
			cancel()
			<-over
			<-result
		})
	}
}

// readUntilError returns the part of the answer's body that arrived.
func readUntilError(c *http.Client, req *http.Request) string {
	resp, err := c.Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return string(body)
}

func TestSequence(t *testing.T) {
	statuses := func(h http.Handler, n int) []int {
		var out []int
		for range n {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			out = append(out, w.Code)
		}
		return out
	}
	assert.Equal(t, []int{503, 429, 200, 200}, statuses(hubtest.Sequence(
		hubtest.Status(503), hubtest.Status(429), hubtest.Status(200)), 4))
	assert.Equal(t, []int{404, 404}, statuses(hubtest.Sequence(), 2))
}

func TestSequenceGivesEachPlaceOnce(t *testing.T) {
	const failures, callers = 8, 32
	var handlers []http.Handler
	for range failures {
		handlers = append(handlers, hubtest.Status(503))
	}
	h := hubtest.Sequence(append(handlers, hubtest.Status(200))...)
	var (
		mu    sync.Mutex
		count = make(map[int]int)
		wg    sync.WaitGroup
	)
	for range callers {
		wg.Go(func() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			mu.Lock()
			defer mu.Unlock()
			count[w.Code]++
		})
	}
	wg.Wait()
	assert.Equal(t, map[int]int{503: failures, 200: callers - failures}, count)
}
