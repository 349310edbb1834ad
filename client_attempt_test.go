package hub_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// What an SDK makes of its answer is what is told of the attempt, when it is over.
func TestAnAttemptOfAnSDKIsToldAsFarAsItWasRead(t *testing.T) {
	ten := hubtest.Text(200, "0123456789")
	all := func(t *testing.T, resp *http.Response) {
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	for name, tt := range map[string]struct {
		answer  http.Handler
		read    func(*testing.T, *http.Response)
		bytes   int64
		failure string
		code    hub.Code
	}{
		"whole":      {ten, all, 10, "", ""},
		"an error":   {hubtest.Text(404, "0123456789"), all, 10, "", hub.Rejected},
		"no body":    {hubtest.Status(204), func(*testing.T, *http.Response) {}, 0, "", ""},
		"in part":    {ten, func(t *testing.T, resp *http.Response) { _, _ = io.ReadFull(resp.Body, make([]byte, 3)) }, 3, "", ""},
		"cut off":    {ten.DropAfter(4), all, 4, "read", hub.BadAnswer},
		"too late":   {ten.HangAfter(4), all, 4, "timeout", hub.Timeout},
		"left alone": {ten.HangAfter(4), func(t *testing.T, resp *http.Response) { <-resp.Request.Context().Done() }, 0, "canceled", hub.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			unhurried(t, func(ms int) bool {
				late := tt.code == hub.Timeout
				srv := hubtest.NewServer(t)
				srv.Handle("/", tt.answer)
				var events []hub.Event
				h := open(t, observeThose(&events, func(hub.Event) bool { return true })).Tenant("acme")
				connector(t, h, srv, func(c *hub.Connector) {
					if c.Timeout = 120_000; late {
						c.Timeout = ms
					}
				})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				req, err := http.NewRequestWithContext(ctx, "GET", srv.URL, nil)
				require.NoError(t, err)
				resp, err := lend(t, h).Do(req)
				if late && err != nil {
					return false
				}
				require.NoError(t, err)
				if name == "left alone" {
					cancel()
				}
				tt.read(t, resp)
				require.NoError(t, resp.Body.Close())
				require.Len(t, events, 2)
				attempt, call := events[0], events[1]
				assert.Equal(t, []string{"Attempt", "RoundTrip"}, []string{attempt.Op, call.Op})
				require.Len(t, attempt.Attempts, 1)
				a := attempt.Attempts[0]
				if late && a.BytesIn < tt.bytes {
					return false
				}
				assert.Equal(t, tt.bytes, a.BytesIn)
				assert.Equal(t, tt.failure, a.Failure)
				assert.Equal(t, "loopback", a.Address)
				assert.True(t, a.Sent)
				assert.Equal(t, resp.StatusCode, a.Status)
				assert.Equal(t, tt.code, call.Code)
				assert.Equal(t, attempt.Attempts, call.Attempts)
				return true
			})
		})
	}
}

// A body that nobody closes is over with the call's time, and told of then.
func TestAnAnswerThatNobodyClosesIsTold(t *testing.T) {
	unhurried(t, func(ms int) bool {
		srv := hubtest.NewServer(t)
		srv.Handle("/", hubtest.Text(200, "0123456789").HangAfter(4))
		var mu sync.Mutex
		var events []hub.Event
		h := open(t, func(o *hub.Options) {
			o.Observer = func(_ context.Context, e hub.Event) {
				mu.Lock()
				defer mu.Unlock()
				events = append(events, e)
			}
		}).Tenant("acme")
		connector(t, h, srv, func(c *hub.Connector) { c.Timeout = ms })
		resp, err := lend(t, h).Get(srv.URL)
		if err != nil {
			return false
		}
		until(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(events) == 2 })
		require.NoError(t, resp.Body.Close())
		assert.Len(t, events, 2, "once")
		assert.Equal(t, hub.Timeout, events[1].Code)
		return true
	})
}

// Beyond the bound nothing more is read, and the attempt failed.
func TestAnAnswerThatIsTooLargeForAnSDKIsToldSo(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Text(200, strings.Repeat("a", 1001)))
	var events []hub.Event
	h := open(t, observe(&events), func(o *hub.Options) { o.Limits.AnswerBytes = 1000 }).Tenant("acme")
	connector(t, h, srv)
	resp, err := lend(t, h).Get(srv.URL)
	require.NoError(t, err)
	_, err = io.ReadAll(resp.Body)
	require.Error(t, err)
	require.NoError(t, resp.Body.Close())
	require.Len(t, events, 1)
	assert.Equal(t, hub.BadAnswer, events[0].Code)
	assert.Equal(t, "too-large", events[0].Attempts[0].Failure)
}

// net/http sends nothing again by itself that must not be: an idempotency key is no leave.
func TestARequestOfAnSDKIsSentOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		method, body string
		again        bool
	}{
		"POST":              {"POST", "body", false},
		"POST without body": {"POST", "", false},
		"PUT":               {"PUT", "body", false},
		"GET":               {"GET", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			var count atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { // HTTP/1.1, and plain
				if count.Add(1) == 2 {
					panic(http.ErrAbortHandler)
				}
			}))
			defer srv.Close()
			var events []hub.Event
			h := open(t, observeAttempts(&events), func(o *hub.Options) { o.Egress.AllowHTTP = true }).Tenant("acme")
			_, err := h.CreateConnector(t.Context(), hub.Connector{Name: "con", Template: template(t, h).ID, Hosts: []string{srv.Listener.Addr().String()}})
			require.NoError(t, err)
			client := lend(t, h)
			send := func() error {
				var body io.Reader
				if tt.body != "" {
					body = strings.NewReader(tt.body)
				}
				req, err := http.NewRequestWithContext(t.Context(), tt.method, srv.URL, body)
				require.NoError(t, err)
				req.Header.Set("Idempotency-Key", "k")
				resp, err := client.Do(req)
				if err != nil {
					return err
				}
				_, err = io.Copy(io.Discard, resp.Body)
				require.NoError(t, err)
				return resp.Body.Close()
			}
			require.NoError(t, send())
			err = send()
			a := events[1].Attempts[0]
			if tt.again {
				require.NoError(t, err)
				assert.EqualValues(t, 3, count.Load())
				assert.Equal(t, 1, a.Resends)
				return
			}
			assert.True(t, failed(t, err, hub.BadAnswer).Sent)
			assert.EqualValues(t, 2, count.Load())
			assert.Equal(t, "read", a.Failure)
			assert.Zero(t, a.Resends)
		})
	}
}
