package egress_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/egress/egresstest"
)

func hello(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }

// plain starts an HTTP server on loopback.
func plain(t *testing.T, handler http.HandlerFunc) (*httptest.Server, uint16) {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s, portOf(s.Listener)
}

var loopback = egress.Policy{AllowLoopback: true, AllowHTTP: true, AllowAnyPort: true}

// TestHostileAddresses tries every hostile address by every way in, and counts connects.
func TestHostileAddresses(t *testing.T) {
	const public4, public6 = "8.8.8.8", "2606:4700:4700::1111"
	table := map[string][]string{}
	urls := map[string]string{}
	for name, a := range egresstest.Hostile() {
		if a.Zone() != "" {
			continue // has no place in a URL or in DNS
		}
		label := fmt.Sprintf("n%d", len(urls))
		table["one."+label+".test"] = []string{a.String()}
		table["mixed."+label+".test"] = []string{a.String(), public4, public6}
		if len(urls)%2 == 0 {
			slices.Reverse(table["mixed."+label+".test"])
		}
		urls[name+", literal"] = "https://" + bracketed(a) + "/"
		urls[name+", alone"] = "https://one." + label + ".test/"
		urls[name+", mixed"] = "https://mixed." + label + ".test/"
	}
	require.Greater(t, len(urls), 3*600)
	dns := serveNames(t, hosts(table))
	for name, policy := range map[string]egress.Policy{
		"zero policy": {},
		"all opened":  {AllowLoopback: true, AllowPrivate: true, AllowHTTP: true, AllowAnyPort: true},
	} {
		t.Run(name, func(t *testing.T) {
			e := open(t, egress.Config{Policy: policy, Resolver: dns.resolver()})
			seen := watch(e)
			for way, u := range urls {
				address, _, _ := strings.Cut(way, ", ")
				if policy.CheckAddr(egresstest.Hostile()[address]) == nil {
					continue
				}
				_, _, err := get(t, e.Transport(nil), "%s", u)
				var refusal *egress.Refusal
				require.ErrorAs(t, err, &refusal, way)
				assert.Equal(t, egress.RefusedAddress, refusal.Reason, way)
				assert.True(t, egress.Unreachable(err))
				assert.EqualError(t, err, "host unreachable")
			}
			assert.Empty(t, seen.all())
		})
	}
}

func bracketed(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// TestSocketChecksAgain goes past the check of the answers.
func TestSocketChecksAgain(t *testing.T) {
	e := open(t, egress.Config{})
	seen := watch(e)
	for name, a := range egresstest.Hostile() {
		_, err := e.ConnectUnchecked(t.Context(), netip.AddrPortFrom(a.Unmap(), 443))
		var refusal *egress.Refusal
		require.ErrorAs(t, err, &refusal, name)
	}
	_, err := e.ConnectUnchecked(t.Context(), netip.MustParseAddrPort("8.8.8.8:8443"))
	var refusal *egress.Refusal
	require.ErrorAs(t, err, &refusal)
	assert.Equal(t, egress.RefusedPort, refusal.Reason)
	assert.Empty(t, seen.all())
}

func TestWayOutIsOpenWherePolicySaysSo(t *testing.T) {
	_, port := plain(t, hello)
	dns := serveNames(t, hosts(map[string][]string{"api.test": {"127.0.0.1"}, "metadata.test": {"127.0.0.1", "169.254.169.254"}}))
	e := open(t, egress.Config{Policy: loopback, Resolver: dns.resolver()})
	seen := watch(e)
	for _, host := range []string{"127.0.0.1", "api.test", "[::ffff:127.0.0.1]"} {
		_, body, err := get(t, e.Transport(nil), "http://%s:%d/", host, port)
		require.NoError(t, err)
		assert.Equal(t, "hello", body)
	}
	assert.NotEmpty(t, seen.all())
	_, _, err := get(t, e.Transport(nil), "http://metadata.test:%d/", port)
	assert.True(t, egress.Unreachable(err))
}

func TestNameIsAskedOnceAndAsItStands(t *testing.T) {
	_, port := plain(t, hello)
	dns := serveNames(t, hosts(map[string][]string{"api.test": {"127.0.0.1"}}))
	e := open(t, egress.Config{Policy: loopback, Resolver: dns.resolver()})
	_, _, err := get(t, e.Transport(nil), "http://api.test:%d/", port)
	require.NoError(t, err)
	assert.Equal(t, []string{"api.test", "api.test"}, dns.questions(), "one A, one AAAA")
	_, _, err = get(t, e.Transport(nil), "http://other.test:%d/", port)
	require.True(t, egress.Unreachable(err))
	assert.Equal(t, []string{"other.test", "other.test"}, dns.questions()[2:], "no search list")
}

func TestRebinding(t *testing.T) {
	_, port := plain(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		hello(w, r)
	})
	var turn atomic.Int64
	dns := serveNames(t, func(_ string, v6 bool) []netip.Addr {
		switch {
		case v6:
			return []netip.Addr{}
		case turn.Add(1)%2 == 1:
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}
		}
		return []netip.Addr{netip.MustParseAddr("10.0.0.1")}
	})
	e := open(t, egress.Config{Policy: loopback, Resolver: dns.resolver()})
	seen := watch(e)
	for i := range 20 {
		_, _, err := get(t, e.Transport(nil), "http://rebind.test:%d/", port)
		if i%2 == 0 {
			require.NoError(t, err)
		} else {
			require.True(t, egress.Unreachable(err))
		}
	}
	assert.Len(t, seen.all(), 10)
	for _, address := range seen.all() {
		assert.True(t, strings.HasPrefix(address, "127.0.0.1:"))
	}
}

func TestManyAnswers(t *testing.T) {
	many := make([]string, 100) // more than fit into a UDP answer
	for i := range many {
		many[i] = fmt.Sprintf("127.0.1.%d", i)
	}
	closed := closedPort(t)
	dns := serveNames(t, hosts(map[string][]string{
		"many.test": many,
		"one.test":  append(many[:len(many):len(many)], "10.0.0.1"),
	}))
	e := open(t, egress.Config{Policy: loopback, Resolver: dns.resolver()})
	seen := watch(e)
	_, _, err := get(t, e.Transport(nil), "http://many.test:%d/", closed)
	assert.True(t, egress.Unreachable(err))
	assert.Len(t, seen.all(), 8, "not one connect per answer")
	_, _, err = get(t, e.Transport(nil), "http://one.test:%d/", closed)
	var refusal *egress.Refusal
	require.ErrorAs(t, err, &refusal)
	assert.Len(t, seen.all(), 8)
}

func TestNextAddressIsTried(t *testing.T) {
	_, port := plain(t, hello) // on 127.0.0.1 only
	dns := serveNames(t, hosts(map[string][]string{"api.test": {"127.0.0.2", "127.0.0.3", "127.0.0.1"}}))
	e := open(t, egress.Config{Policy: loopback, Resolver: dns.resolver()})
	_, body, err := get(t, e.Transport(nil), "http://api.test:%d/", port)
	require.NoError(t, err)
	assert.Equal(t, "hello", body)
}

// closedPort returns a port of 127.0.0.1 that nobody listens on.
func closedPort(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return portOf(l)
}

// silentResolver answers nothing until the test is over. (The resolver of package net works
// on after its caller has gone.)
func silentResolver(t *testing.T) *net.Resolver {
	t.Helper()
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		<-over
		return nil, errors.New("the test is over")
	}}
}

func TestAllFailuresReadTheSame(t *testing.T) {
	dns := serveNames(t, hosts(map[string][]string{"private.test": {"10.0.0.1"}, "empty.test": {}}))
	e := open(t, egress.Config{Policy: loopback, Resolver: dns.resolver()})
	silent := open(t, egress.Config{Policy: loopback, Resolver: silentResolver(t), DialTimeout: 50 * time.Millisecond})
	for name, tc := range map[string]struct {
		egress *egress.Egress
		url    string
	}{
		"refused by policy, literal": {e, "http://10.0.0.1/"},
		"refused by policy, name":    {e, "http://private.test/"},
		"metadata":                   {e, "http://169.254.169.254/"},
		"closed port":                {e, fmt.Sprintf("http://127.0.0.1:%d/", closedPort(t))},
		"no such name":               {e, "http://nowhere.test/"},
		"name without address":       {e, "http://empty.test/"},
		"no answer in time":          {silent, "http://slow.test/"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := get(t, tc.egress.Transport(nil), "%s", tc.url)
			assert.EqualError(t, err, "host unreachable")
			assert.True(t, egress.Unreachable(err))
			assert.NotErrorIs(t, err, context.DeadlineExceeded, "the deadline is not the caller's")
			_, err = egress.NewClient(tc.egress.Transport(nil)).Get(tc.url)
			assert.True(t, egress.Unreachable(err), "through *url.Error")
		})
	}
}

func TestCallerGoesAwayWhileDialling(t *testing.T) {
	e := open(t, egress.Config{Resolver: silentResolver(t)})
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("the caller has gone")
	cancel(gone)
	_, err := e.Dial(ctx, "slow.test:443")
	assert.ErrorIs(t, err, gone)
	assert.False(t, egress.Unreachable(err))

	short := open(t, egress.Config{Resolver: silentResolver(t), DialTimeout: 50 * time.Millisecond})
	req := &http.Request{Method: http.MethodGet, URL: mustParse(t, "https://slow.test/"), Header: http.Header{}}
	_, err = short.Transport(nil).RoundTrip(req.WithContext(ctx))
	assert.ErrorIs(t, err, gone)
	assert.False(t, egress.Unreachable(err))
}

func TestClosedConnectionsAreForgotten(t *testing.T) {
	_, port := plain(t, hello)
	e := open(t, egress.Config{Policy: loopback})
	c, err := e.Dial(t.Context(), fmt.Sprintf("127.0.0.1:%d", port))
	require.NoError(t, err)
	assert.Equal(t, 1, e.OpenConns())
	require.NoError(t, c.Close())
	assert.Zero(t, e.OpenConns())
	assert.Error(t, c.Close(), "closed")
}

func TestDialRefusesNonsense(t *testing.T) {
	e := open(t, egress.Config{Policy: loopback})
	seen := watch(e)
	for _, address := range []string{"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:-1", "[::1%lo]:80"} {
		_, err := e.Dial(t.Context(), address)
		assert.True(t, egress.Unreachable(err), address)
	}
	assert.Empty(t, seen.all())
}

func TestUnreachable(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want bool
	}{
		"nil":             {nil, false},
		"other":           {errors.New("other"), false},
		"cancelled":       {context.Canceled, false},
		"address":         {&egress.Refusal{Reason: egress.RefusedAddress}, true},
		"port":            {&egress.Refusal{Reason: egress.RefusedPort}, false},
		"dns":             {fmt.Errorf("x: %w", &net.DNSError{}), true},
		"dial":            {&net.OpError{Op: "dial", Err: errors.New("x")}, true},
		"read":            {&net.OpError{Op: "read", Err: errors.New("x")}, false},
		"closed":          {egress.ErrClosed, false},
		"wrapped refusal": {fmt.Errorf("x: %w", &egress.Refusal{Reason: egress.RefusedAddress}), true},
	} {
		assert.Equal(t, tc.want, egress.Unreachable(tc.err), name)
	}
}

func TestRefusalTellsTheLogMore(t *testing.T) {
	err := egress.Policy{}.CheckAddr(netip.MustParseAddr("169.254.169.254"))
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("call failed", "cause", err)
	assert.Contains(t, out.String(), "cause.class=metadata")
	assert.Contains(t, out.String(), "cause.addr=169.254.169.254")
	out.Reset()
	slog.New(slog.NewTextHandler(&out, nil)).Info("call failed", "cause", &egress.Refusal{Reason: egress.RefusedPort})
	assert.Contains(t, out.String(), "cause.refused=port")
	assert.NotContains(t, out.String(), "class")
}

func TestNoProxy(t *testing.T) {
	_, port := plain(t, hello)
	dns := serveNames(t, hosts(map[string][]string{"api.test": {"127.0.0.1"}}))
	e := open(t, egress.Config{Policy: loopback, Resolver: dns.resolver()})
	_, body, err := get(t, e.Transport(nil), "http://api.test:%d/", port)
	require.NoError(t, err)
	assert.Equal(t, "hello", body)
	bait := proxyBait.(*net.TCPListener)
	require.NoError(t, bait.SetDeadline(time.Now()))
	_, err = bait.Accept()
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded, "somebody asked the proxy")
}
