package egress_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/egress"
)

// TestOneHostEverywhere compares the host of the policy, of DNS, SNI and the Host header.
func TestOneHostEverywhere(t *testing.T) {
	ca := newAuthority(t)
	cert := ca.issue(time.Hour, "api.test", "xn--bcher-kva.test", "127.0.0.1")
	type sight struct{ sni, host string }
	seen := make(chan sight, 1)
	_, port := upstream(t, &tls.Config{Certificates: []tls.Certificate{cert}}, true, func(_ http.ResponseWriter, r *http.Request) {
		seen <- sight{r.TLS.ServerName, r.Host}
	})
	loop := []string{"127.0.0.1"}
	dns := serveNames(t, hosts(map[string][]string{"api.test": loop, "xn--bcher-kva.test": loop}))
	for _, tc := range []struct{ spelling, host, sni string }{
		{"api.test", "api.test", "api.test"},
		{"API.Test", "api.test", "api.test"},
		{"api.test.", "api.test", "api.test"},
		{"ａｐｉ．ｔｅｓｔ", "api.test", "api.test"},
		{"api。test", "api.test", "api.test"},
		{"bücher.test", "xn--bcher-kva.test", "xn--bcher-kva.test"},
		{"XN--BCHER-KVA.TEST", "xn--bcher-kva.test", "xn--bcher-kva.test"},
		{"①②⑦.⓪.⓪.①", "127.0.0.1", ""},
		{"127.0.0.1.", "127.0.0.1", ""},
		{"[::ffff:127.0.0.1]", "127.0.0.1", ""},
		{"[::FFFF:7f00:1]", "127.0.0.1", ""},
	} {
		t.Run(tc.spelling, func(t *testing.T) {
			e := open(t, egress.Config{Policy: loopback, RootCAs: ca.pool(), Resolver: dns.resolver()})
			connected := watch(e)
			asked := len(dns.questions())
			u := mustParse(t, fmt.Sprintf("https://%s:%d/", tc.spelling, port))
			assert.True(t, rules(t, fmt.Sprintf("%s:%d", tc.spelling, port)).AllowsURL(u))
			assert.Equal(t, tc.host, egress.RuleFor(u).String()[:len(tc.host)])
			_, _, err := get(t, e.Transport(nil), "%s", u)
			require.NoError(t, err)
			assert.Equal(t, sight{tc.sni, fmt.Sprintf("%s:%d", tc.host, port)}, <-seen)
			assert.Equal(t, []string{fmt.Sprintf("127.0.0.1:%d", port)}, connected.all())
			for _, q := range dns.questions()[asked:] {
				assert.Equal(t, tc.host, q)
			}
		})
	}
}

func TestRoundTripTakesCanonicalURLsOnly(t *testing.T) {
	_, port := plain(t, hello)
	e := open(t, egress.Config{Policy: loopback})
	seen := watch(e)
	for _, spelling := range []string{"①②⑦.⓪.⓪.①", "127.0.0.1.", "[::ffff:127.0.0.1]", "LOCALHOST", "localhost.", "u@127.0.0.1", "127.1", "0x7f.1"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://%s:%d/", spelling, port), nil)
		require.NoError(t, err)
		_, _, err = send(t, e.Transport(nil), req)
		var refusal *egress.Refusal
		require.ErrorAs(t, err, &refusal, spelling)
		assert.Equal(t, egress.RefusedHost, refusal.Reason)
	}
	assert.Empty(t, seen.all())
}

// closing tells whether it was closed.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

func TestRefusedRequests(t *testing.T) {
	e := open(t, egress.Config{Policy: loopback})
	target := mustParse(t, "http://127.0.0.1:1/")
	for name, req := range map[string]*http.Request{
		"no URL":            {Method: http.MethodPost},
		"other Host header": {Method: http.MethodPost, URL: target, Host: "other.test"},
		"scheme":            {Method: http.MethodPost, URL: mustParseStd(t, "ftp://127.0.0.1/")},
	} {
		body := &closing{Reader: strings.NewReader("x")}
		req.Body = body
		_, _, err := send(t, e.Transport(nil), req)
		var refusal *egress.Refusal
		require.ErrorAs(t, err, &refusal, name)
		assert.True(t, body.closed, name)
	}
}

// mirror answers with the caller's address and whether its TLS session was resumed.
func mirror(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/close" {
		w.Header().Set("Connection", "close")
	}
	fmt.Fprintf(w, "%s %v", r.RemoteAddr, r.TLS.DidResume)
}

func TestIdentitiesShareNothing(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("h2=%v", h2), func(t *testing.T) {
			ca := newAuthority(t)
			_, port := upstream(t, &tls.Config{Certificates: []tls.Certificate{ca.issue(time.Hour, "127.0.0.1")}}, h2, mirror)
			e := open(t, egress.Config{Policy: loopback, RootCAs: ca.pool()})
			alice := identity(t, egress.IdentityOptions{Scope: "alice"})
			bob := identity(t, egress.IdentityOptions{Scope: "bob"})
			call := func(id *egress.Identity, path string) string {
				res, body, err := get(t, e.Transport(id), "https://127.0.0.1:%d%s", port, path)
				require.NoError(t, err)
				assert.Equal(t, h2, res.ProtoMajor == 2)
				return body
			}
			addr := func(s string) string { return strings.Fields(s)[0] }
			fresh := map[string]bool{}
			for _, id := range []*egress.Identity{alice, bob, nil} {
				first := call(id, "/")
				assert.Contains(t, first, "false", "no session of another is resumed")
				assert.False(t, fresh[addr(first)], "no connection of another is used")
				fresh[addr(first)] = true
				assert.Equal(t, addr(first), addr(call(id, "/close")), "its own connection is kept")
				if !h2 {
					assert.Contains(t, call(id, "/"), "true", "its own session is resumed")
				}
			}
			same := identity(t, egress.IdentityOptions{Scope: "bob"})
			assert.Equal(t, addr(call(bob, "/")), addr(call(same, "/")), "equal options are one identity")

			before := call(alice, "/")
			held := e.OpenConns()
			e.CloseIdle(alice)
			if !h2 { // a stream of HTTP/2 may still be winding up
				assert.Equal(t, held-1, e.OpenConns())
			}
			after := call(alice, "/")
			assert.NotEqual(t, addr(before), addr(after))
			assert.Contains(t, after, "false", "a new definition starts a new session")
			e.CloseIdle(identity(t, egress.IdentityOptions{Scope: "unknown"}))
		})
	}
}

func TestIdentitiesAreBounded(t *testing.T) {
	ca := newAuthority(t)
	_, port := upstream(t, &tls.Config{Certificates: []tls.Certificate{ca.issue(time.Hour, "127.0.0.1")}}, false, mirror)
	e := open(t, egress.Config{Policy: loopback, RootCAs: ca.pool(), MaxIdentities: 2})
	views := make([]http.RoundTripper, 3)
	for i := range views {
		views[i] = e.Transport(identity(t, egress.IdentityOptions{Scope: fmt.Sprint(i)}))
	}
	call := func(i int) string {
		_, body, err := get(t, views[i], "https://127.0.0.1:%d/", port)
		require.NoError(t, err)
		return strings.Fields(body)[0]
	}
	first, second := call(0), call(1)
	assert.Equal(t, first, call(0), "used last, so kept")
	call(2)
	assert.Equal(t, 2, e.Pools())
	assert.Equal(t, first, call(0))
	assert.NotEqual(t, second, call(1), "used longest ago, so dropped; its view still works")
	assert.Equal(t, 2, e.Pools())
}

func TestTransportHasOneMethod(t *testing.T) {
	rt := open(t, egress.Config{}).Transport(nil)
	_, canClose := rt.(interface{ CloseIdleConnections() })
	assert.False(t, canClose)

	_, port := plain(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RemoteAddr) })
	e := open(t, egress.Config{Policy: loopback})
	_, first, err := get(t, e.Transport(nil), "http://127.0.0.1:%d/", port)
	require.NoError(t, err)
	egress.NewClient(e.Transport(nil)).CloseIdleConnections()
	_, second, err := get(t, e.Transport(nil), "http://127.0.0.1:%d/", port)
	require.NoError(t, err)
	assert.Equal(t, first, second, "a client cannot empty the pool")
}

func TestStricterPolicyLeavesNoConnection(t *testing.T) {
	ca := newAuthority(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(hello))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.issue(time.Hour, "127.0.0.1")}}
	gone := make(chan struct{})
	var once sync.Once
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateClosed {
			once.Do(func() { close(gone) })
		}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	port := portOf(server.Listener)

	loose := open(t, egress.Config{Policy: loopback, RootCAs: ca.pool()})
	kept, seen := loose.Transport(nil), watch(loose)
	_, _, err := get(t, kept, "https://127.0.0.1:%d/", port)
	require.NoError(t, err)
	require.Equal(t, 1, loose.OpenConns())

	loose.Close()
	strict := open(t, egress.Config{Policy: egress.Policy{AllowAnyPort: true}, RootCAs: ca.pool()})
	<-gone
	_, _, err = get(t, strict.Transport(nil), "https://127.0.0.1:%d/", port)
	assert.True(t, egress.Unreachable(err))
	_, _, err = get(t, kept, "https://127.0.0.1:%d/", port)
	assert.ErrorIs(t, err, egress.ErrClosed)
	assert.Zero(t, loose.OpenConns())
	assert.Len(t, seen.all(), 1, "nothing is dialled any more")
	loose.Close() // again
}

func TestCloseEndsWhatRuns(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("h2=%v", h2), func(t *testing.T) {
			ca := newAuthority(t)
			begun := make(chan struct{})
			_, port := upstream(t, &tls.Config{Certificates: []tls.Certificate{ca.issue(time.Hour, "127.0.0.1")}}, h2,
				func(_ http.ResponseWriter, r *http.Request) {
					close(begun)
					<-r.Context().Done()
				})
			e := open(t, egress.Config{Policy: loopback, RootCAs: ca.pool()})
			go func() {
				<-begun
				e.Close()
			}()
			_, _, err := get(t, e.Transport(nil), "https://127.0.0.1:%d/", port)
			assert.Error(t, err)
			assert.NotErrorIs(t, err, context.DeadlineExceeded)
		})
	}
}

func TestCloseWhileDialling(t *testing.T) {
	_, port := plain(t, hello)
	e := open(t, egress.Config{Policy: loopback})
	e.OnConnect(func(string) error {
		e.Close()
		return nil
	})
	_, _, err := get(t, e.Transport(nil), "http://127.0.0.1:%d/", port)
	assert.ErrorIs(t, err, egress.ErrClosed)
	assert.Zero(t, e.OpenConns())
}

func TestNoRedirects(t *testing.T) {
	var calls atomic.Int64
	server, port := plain(t, nil)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		http.Redirect(w, r, "/again", http.StatusTemporaryRedirect)
	})
	client := egress.NewClient(open(t, egress.Config{Policy: loopback}).Transport(nil))
	for range 2 {
		res, err := client.Post(fmt.Sprintf("http://127.0.0.1:%d/", port), "text/plain", strings.NewReader("x"))
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		assert.Equal(t, http.StatusTemporaryRedirect, res.StatusCode)
		assert.Empty(t, res.Request.Cookies())
	}
	assert.EqualValues(t, 2, calls.Load())
}

func TestAnswersComeAsTheyAre(t *testing.T) {
	_, port := plain(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		fmt.Fprintf(w, "%q", r.Header["Accept-Encoding"])
	})
	e := open(t, egress.Config{Policy: loopback})
	u := mustParse(t, fmt.Sprintf("http://127.0.0.1:%d/", port))
	req := &http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}}
	_, body, err := send(t, e.Transport(nil), req)
	require.NoError(t, err)
	assert.Equal(t, "[]", body, "nothing is asked for, nothing decoded")
}

func TestHeadersAreBounded(t *testing.T) {
	ca := newAuthority(t)
	big := func(w http.ResponseWriter, r *http.Request) {
		var n int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &n)
		for i := range n {
			w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
		}
	}
	for _, h2 := range []bool{false, true} {
		_, port := upstream(t, &tls.Config{Certificates: []tls.Certificate{ca.issue(time.Hour, "127.0.0.1")}}, h2, big)
		e := open(t, egress.Config{Policy: loopback, RootCAs: ca.pool()})
		for path, want := range map[string]bool{"/240": true, "/280": false, "/3000": false} {
			_, _, err := get(t, e.Transport(nil), "https://127.0.0.1:%d%s", port, path)
			assert.Equal(t, want, err == nil, "h2=%v %s: %v", h2, path, err)
		}
	}
}

// TestInformationalFlood has a server send 1xx answers for ever.
func TestInformationalFlood(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	sent := make(chan int, 1)
	go func() {
		defer close(sent)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
			return
		}
		total := 0
		for {
			n, err := fmt.Fprintf(c, "HTTP/1.1 103 Early Hints\r\nLink: %s\r\n\r\n", strings.Repeat("x", 500))
			total += n
			if err != nil {
				sent <- total
				return
			}
		}
	}()
	e := open(t, egress.Config{Policy: loopback})
	_, _, err = get(t, e.Transport(nil), "http://127.0.0.1:%d/", portOf(l))
	require.Error(t, err)
	assert.NotErrorIs(t, err, context.DeadlineExceeded, "it ends by its size")
	require.NoError(t, l.Close())
	assert.Less(t, <-sent, 64<<20, "what the sockets held, and no more")

	ca := newAuthority(t)
	_, port := upstream(t, &tls.Config{Certificates: []tls.Certificate{ca.issue(time.Hour, "127.0.0.1")}}, true,
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", strings.Repeat("x", 500))
			for r.Context().Err() == nil {
				w.WriteHeader(http.StatusEarlyHints)
			}
		})
	secure := open(t, egress.Config{Policy: loopback, RootCAs: ca.pool()})
	_, _, err = get(t, secure.Transport(nil), "https://127.0.0.1:%d/", port)
	require.Error(t, err)
	assert.NotErrorIs(t, err, context.DeadlineExceeded)
}

func TestConcurrentUse(t *testing.T) {
	ca := newAuthority(t)
	_, port := upstream(t, &tls.Config{Certificates: []tls.Certificate{ca.issue(time.Hour, "127.0.0.1")}}, true, mirror)
	e := open(t, egress.Config{Policy: loopback, RootCAs: ca.pool(), MaxIdentities: 2})
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			id, err := egress.NewIdentity(egress.IdentityOptions{Scope: fmt.Sprint(i % 4)})
			if !assert.NoError(t, err) {
				return
			}
			if i%10 == 9 {
				e.CloseIdle(id)
				return
			}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, fmt.Sprintf("https://127.0.0.1:%d/", port), nil)
			if !assert.NoError(t, err) {
				return
			}
			res, err := e.Transport(id).RoundTrip(req)
			if assert.NoError(t, err) {
				assert.NoError(t, res.Body.Close())
			}
		})
	}
	wg.Wait()
}
