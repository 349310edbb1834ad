package hub_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// lend returns a connector's client.
func lend(t testing.TB, h *hub.Tenant) *http.Client {
	t.Helper()
	client, err := h.HTTPClient(t.Context(), "con")
	require.NoError(t, err)
	return client
}

func TestAClientLendsTheConnectorsAuthorization(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", issuer("3600"))
	srv.Handle("/things", hubtest.Text(201, "made").Header("X-Trace", "1"))
	h := open(t).Tenant("acme")
	connector(t, h, srv, oauth(srv))
	req, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL+"/things?a=1", strings.NewReader("body"))
	require.NoError(t, err)
	req.Header.Set("X-Own", "yes")
	resp, err := lend(t, h).Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, "made", string(body))
	assert.Equal(t, 201, resp.StatusCode)
	assert.Equal(t, "1", resp.Header.Get("X-Trace"))
	assert.Empty(t, req.Header.Get("Authorization"), "the request of the SDK is left as it is")
	assert.Empty(t, resp.Request.Header.Get("Authorization"), "the token is lent, not given")

	sent := srv.Requests()[1]
	assert.Equal(t, "Bearer tok-0000000001", sent.Header.Get("Authorization"))
	assert.Equal(t, "yes", sent.Header.Get("X-Own"))
	assert.Equal(t, "/things?a=1", sent.Target)
	assert.Equal(t, "body", string(sent.Body))
}

func TestAClientStaysWithinTheConnector(t *testing.T) {
	srv, other := hubtest.NewServer(t), hubtest.NewServer(t)
	srv.Handle("/from", hubtest.Status(302).Header("Location", other.URL))
	for name, tt := range map[string]struct {
		change func(*testing.T, *hub.Tenant, hub.Connector)
		method string
		url    string
		code   hub.Code
	}{
		"another host": {nil, "GET", other.URL, hub.Forbidden},
		"no https":     {nil, "GET", strings.Replace(srv.URL, "https", "http", 1), hub.Forbidden},
		"another verb": {nil, "TRACE", srv.URL, hub.Forbidden},
		"userinfo":     {nil, "GET", strings.Replace(srv.URL, "https://", "https://u:p@", 1), hub.Forbidden},
		"paused": {func(t *testing.T, h *hub.Tenant, c hub.Connector) {
			_, err := h.PauseConnector(t.Context(), c.ID)
			require.NoError(t, err)
		}, "GET", srv.URL, hub.Inactive},
		"deleted": {func(t *testing.T, h *hub.Tenant, c hub.Connector) {
			require.NoError(t, h.DeleteConnector(t.Context(), c.ID, c.Revision))
		}, "GET", srv.URL, hub.NotFound},
		"nobody listens": {func(t *testing.T, _ *hub.Tenant, _ hub.Connector) { srv.Close() }, "GET", srv.URL, hub.Unreachable},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.code == hub.Unreachable {
				srv = hubtest.NewServer(t)
				tt.url = srv.URL
			}
			h := open(t).Tenant("acme")
			con := connector(t, h, srv)
			client := lend(t, h)
			if tt.change != nil {
				tt.change(t, h, con)
			}
			body := &closable{Reader: strings.NewReader("x")}
			req, err := http.NewRequestWithContext(t.Context(), tt.method, tt.url, body)
			require.NoError(t, err)
			_, err = client.Do(req)
			e := failed(t, err, tt.code)
			assert.Equal(t, "RoundTrip", e.Op)
			assert.Empty(t, other.Requests())
			assert.True(t, body.closed.Load(), "a round trip closes the body, whatever happens")
		})
	}
}

type closable struct {
	io.Reader
	closed atomic.Bool
}

func (c *closable) Close() error { c.closed.Store(true); return nil }

func TestAClientFollowsNoRedirect(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/from", hubtest.Status(302).Header("Location", srv.URL+"/to"))
	h := open(t).Tenant("acme")
	connector(t, h, srv)
	resp, err := lend(t, h).Get(srv.URL + "/from")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, 302, resp.StatusCode)
	assert.Len(t, srv.Requests(), 1)
}

func TestAClientGetsANewTokenAfterOneWasRefused(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", issuer("3600"))
	srv.Handle("/things", only("tok-0000000002"))
	h := open(t).Tenant("acme")
	connector(t, h, srv, oauth(srv))
	client := lend(t, h)
	for _, want := range []int{401, 200, 200} {
		resp, err := client.Get(srv.URL + "/things")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, want, resp.StatusCode)
	}
	assert.Equal(t, 2, received(srv, "/token"))
}

func TestAClientsAnswersAreBounded(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/exact", hubtest.Text(200, strings.Repeat("a", 1000)))
	srv.Handle("/over", hubtest.Text(200, strings.Repeat("a", 1001)))
	h := open(t, func(o *hub.Options) { o.Limits.AnswerBytes = 1000 }).Tenant("acme")
	connector(t, h, srv)
	for path, good := range map[string]bool{"/exact": true, "/over": false} {
		resp, err := lend(t, h).Get(srv.URL + path)
		require.NoError(t, err)
		_, err = io.ReadAll(resp.Body)
		assert.Equal(t, good, err == nil, path)
		require.NoError(t, resp.Body.Close())
	}
}

func TestAClientIsBoundByTheTimeoutAndTheCallersContext(t *testing.T) {
	unhurried(t, func(ms int) bool {
		srv := hubtest.NewServer(t)
		srv.Handle("/never", hubtest.Hang())
		srv.Handle("/half", hubtest.Text(200, "0123456789").HangAfter(4))
		h := open(t).Tenant("acme")
		connector(t, h, srv, func(c *hub.Connector) { c.Timeout = ms })
		client := lend(t, h)
		_, err := client.Get(srv.URL + "/never")
		failed(t, err, hub.Timeout)

		resp, err := client.Get(srv.URL + "/half")
		if err != nil {
			failed(t, err, hub.Timeout)
			return false
		}
		_, err = io.ReadAll(resp.Body)
		require.Error(t, err, "the time is for the body, too")
		require.NoError(t, resp.Body.Close())

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		req, err := http.NewRequestWithContext(ctx, "GET", srv.URL+"/never", nil)
		require.NoError(t, err)
		_, err = client.Do(req)
		require.ErrorIs(t, err, context.Canceled)
		return true
	})
}

func TestAClientHoldsItsPlaceUntilTheBodyIsClosed(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Text(200, "ok"))
	h := open(t, func(o *hub.Options) { o.Limits.ConnectorCalls, o.Limits.QueuedCalls = 1, 1 }).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL), manual("brief", "GET", srv.URL, func(r *hub.Request) { r.Timeout = 100 }))
	resp, err := lend(t, h).Get(srv.URL)
	require.NoError(t, err)
	_, err = execute(t, h, "brief")
	failed(t, err, hub.Timeout)
	require.NoError(t, resp.Body.Close())
	require.NoError(t, resp.Body.Close(), "closing again does no harm")
	_, err = execute(t, h, "go")
	require.NoError(t, err)
}

func TestAClientOfAnUnknownConnectorIsNotMade(t *testing.T) {
	_, err := open(t).Tenant("acme").HTTPClient(t.Context(), "absent")
	e := failed(t, err, hub.NotFound)
	assert.Equal(t, "HTTPClient", e.Op)
}

func TestARoundTripIsReportedOnce(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	var events []hub.Event
	h := open(t, observe(&events)).Tenant("acme")
	connector(t, h, srv)
	resp, err := lend(t, h).Get(srv.URL)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	_, err = lend(t, h).Get("https://elsewhere.example")
	require.Error(t, err)
	require.Len(t, events, 2)
	assert.Equal(t, "RoundTrip", events[0].Op)
	assert.Equal(t, 200, events[0].Status)
	assert.Equal(t, hub.Forbidden, events[1].Code)
	var e *hub.Error
	require.True(t, errors.As(err, &e))
	assert.Less(t, events[1].Duration, time.Minute)
}

// A third party that shows no certificate to trust was sent nothing.
func TestAnUntrustedThirdPartyOfAnSDKIsSentNothing(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t).Tenant("acme")
	connector(t, h, srv, func(c *hub.Connector) { c.TLS = nil }, manual("go", "POST", srv.URL))
	client, err := h.HTTPClient(t.Context(), "con")
	require.NoError(t, err)
	_, err = client.Post(srv.URL, "text/plain", strings.NewReader("x"))
	e := failed(t, err, hub.Unreachable)
	assert.False(t, e.Sent)
	assert.Empty(t, srv.Requests())
}

// Whoever keeps an answer keeps nothing of the calls that came after: not though one was always
// under way.
func TestWhoKeepsAnAnswerKeepsNoOtherCalls(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	doors := []*door{newDoor(), newDoor()}
	for i, path := range []string{"/0", "/1"} {
		srv.Handle(path, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			doors[i].ServeHTTP(w, r)
			_, _ = w.Write(make([]byte, 256<<10))
		}))
	}
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("0", "GET", srv.URL+"/0"), manual("1", "GET", srv.URL+"/1"))
	resp, err := lend(t, h).Get(srv.URL)
	require.NoError(t, err)
	begin := func(i int) <-chan error {
		call := start(t, h, "con", []string{"0", "1"}[i%2])
		<-doors[i%2].entered
		return call
	}
	call := begin(0)
	require.NoError(t, resp.Body.Close())
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 64 {
		next := begin(i + 1)
		doors[i%2].leave <- struct{}{}
		require.NoError(t, <-call)
		call = next
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	doors[0].leave <- struct{}{}
	require.NoError(t, <-call)
	assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(8<<20), "64 answers have 16 MiB")
	runtime.KeepAlive(resp)
}
