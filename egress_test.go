package hub_test

import (
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// bait is a listener that nobody should connect to. Nobody accepts there: whoever connects
// stays in its queue.
type bait struct{ *net.TCPListener }

func newBait(t testing.TB) bait {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return bait{l.(*net.TCPListener)}
}

// untouched demands that nobody connected.
func (b bait) untouched(t testing.TB) {
	t.Helper()
	require.NoError(t, b.SetDeadline(time.Now().Add(50*time.Millisecond)))
	conn, err := b.Accept()
	if err == nil {
		require.NoError(t, conn.Close())
	}
	require.ErrorIs(t, err, os.ErrDeadlineExceeded, "somebody connected")
}

func (b bait) port(t testing.TB) string {
	t.Helper()
	_, port, err := net.SplitHostPort(b.Addr().String())
	require.NoError(t, err)
	return port
}

// Loopback is refused unless the host application opens it, on every road: no connection is
// even tried.
func TestLoopbackIsRefusedOnEveryRoad(t *testing.T) {
	b := newBait(t)
	names := resolving(t, map[string]string{"inside.example": "127.0.0.1"})
	h := open(t, names, func(o *hub.Options) { o.Egress.AllowLoopback, o.Limits.Attempts = false, 1 }).Tenant("acme")
	roads := everyRoad(t, h, "inside", "https://inside.example:"+b.port(t))
	require.Len(t, roads, 6)
	for road, err := range roads {
		assert.ErrorIs(t, err, hub.Unreachable, road)
	}
	b.untouched(t)
}

// Addresses written as literals, in whatever spelling, are refused as well: when saved, or
// when called.
func TestLiteralAddressesAreRefused(t *testing.T) {
	b := newBait(t)
	h := open(t, func(o *hub.Options) { o.Egress.AllowLoopback, o.Limits.Attempts = false, 1 }).Tenant("acme")
	tpl := template(t, h)
	for i, host := range []string{
		"127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "localhost", "localhost.",
		"①②⑦.⓪.⓪.①", "0.0.0.0", "[::]", "user@127.0.0.1", "127.0.0.1%23.example", "127。0。0。1", "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1",
	} {
		url := "https://" + host + ":" + b.port(t) + "/"
		con, err := h.CreateConnector(t.Context(), hub.Connector{
			Name: "c" + string(rune('a'+i)), Template: tpl.ID, Requests: []hub.Request{
				{Name: "r", Method: "GET", URL: url}, {Name: "d", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadDynamic},
			},
		})
		if err != nil {
			require.ErrorIs(t, err, hub.Invalid, host)
			continue
		}
		_, err = h.Execute(t.Context(), hub.Call{Connector: con.Name, Request: "r"})
		require.ErrorIs(t, err, hub.Unreachable, host)
		_, err = h.Execute(t.Context(), hub.Call{Connector: con.Name, Request: "d", Payload: []byte(`{"method":"GET","url":"` + url + `"}`)})
		require.Error(t, err, host)
	}
	b.untouched(t)
}

// The environment of all tests names a proxy; see TestMain.
func TestTheEnvironmentsProxyIsIgnored(t *testing.T) {
	require.NotEmpty(t, os.Getenv("HTTPS_PROXY"))
	srv, trust := peers(t, 1)
	h := open(t, trust, resolving(t, map[string]string{"api.example.com": "127.0.0.1"})).Tenant("acme")
	srv[0].Handle("/token", hubtest.Token("token0123456789", time.Hour))
	url := "https://api.example.com:" + srv[0].Host()[len("127.0.0.1:"):]
	_, _, err := h.CreateTemplateAndConnector(t.Context(), hub.Template{Name: "T", Methods: []string{"GET"}, AuthType: hub.AuthOAuth2}, hub.Connector{
		Name: "con", Auth: hub.Auth{Request: &hub.AuthRequest{URL: url + "/token"}}, Requests: []hub.Request{{Name: "r", Method: "GET", URL: url + "/r"}},
	})
	require.NoError(t, err)
	require.NoError(t, callFor("r", nil)(t, h, ""))
	client, err := h.HTTPClient(t.Context(), "con")
	require.NoError(t, err)
	require.NoError(t, fetch(t, client, url))
	require.Len(t, srv[0].Requests(), 3)
	proxyBait.untouched(t)
}

// A redirect is an answer: nothing of the call goes where it points to.
func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		srv, trust := peers(t, 2)
		h := open(t, trust).Tenant("acme")
		con := leaky(t, h, srv[0], boundSecret, "token0123456789")
		setSecret(t, h, con.ID, "key", boundSecret)
		edit(t, h, con.ID, func(c *hub.Connector) { c.Hosts, c.Requests[0].Outputs = hostsOf(srv...), nil })
		for _, target := range []string{srv[1].URL + "/elsewhere", srv[0].URL + "/same", "//" + srv[1].Host() + "/", "http://127.0.0.1/"} {
			srv[0].Handle("/echo/", http.RedirectHandler(target, status))
			srv[0].Forget()
			res, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "r"})
			require.ErrorIs(t, err, hub.Rejected)
			require.Equal(t, status, res.Status)
			client, err := h.HTTPClient(t.Context(), "con")
			require.NoError(t, err)
			require.NoError(t, fetch(t, client, srv[0].URL+"/echo/"))
			for _, r := range srv[0].Requests() {
				require.NotContains(t, r.Target, "/same")
			}
			require.Empty(t, srv[1].Requests())
		}
	}
}

// An authentication request is not led away either, with its secret.
func TestTheTokenEndpointsRedirectsAreNotFollowed(t *testing.T) {
	srv, trust := peers(t, 2)
	h := open(t, trust).Tenant("acme")
	con := tokenConnector(t, h, srv[0])
	setSecret(t, h, con.ID, "key", boundSecret)
	srv[0].Handle("/token", http.RedirectHandler(srv[1].URL, http.StatusTemporaryRedirect))
	require.ErrorIs(t, callFor("r", nil)(t, h, ""), hub.Unauthorized)
	require.Empty(t, srv[1].Requests())
}

// Headers that belong to the connection cannot be set by a definition, nor by a payload.
func TestHeadersOfTheConnectionAreRefused(t *testing.T) {
	srv, trust := peers(t, 1)
	h := open(t, trust).Tenant("acme")
	con, err := h.CreateConnector(t.Context(), hub.Connector{Name: "con", Template: template(t, h).ID, Hosts: hostsOf(srv...),
		Requests: []hub.Request{{Name: "d", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadDynamic, Method: "GET", URL: srv[0].URL}}})
	require.NoError(t, err)
	for _, name := range []string{
		"Host", "content-length", "Transfer-Encoding", "Connection", "Proxy-Authorization", "Proxy-X", "Expect", "Upgrade", "TE", "Trailer", "Keep-Alive",
		"Accept-Encoding", "Transfer_Encoding", "X Y", "X:Y", "X\r\nY", "", "Ünicode",
	} {
		pair := hub.Header{Name: name, Value: "x"}
		for what, change := range map[string]func(*hub.Connector){
			"connector": func(c *hub.Connector) { c.Headers = []hub.Header{pair} },
			"request":   func(c *hub.Connector) { c.Requests[0].Headers = []hub.Header{pair} },
			"key":       func(c *hub.Connector) { c.Requests[0].Retry = &hub.Retry{IdempotencyHeader: name} },
		} {
			if what == "key" && name == "" {
				continue
			}
			wrong, err := h.GetConnector(t.Context(), con.ID)
			require.NoError(t, err)
			change(&wrong)
			_, err = h.UpdateConnector(t.Context(), wrong)
			require.ErrorIs(t, err, hub.Invalid, "%s: %q", what, name)
		}
		require.Error(t, callFor("d", map[string]any{"headers": map[string]string{name: "x"}})(t, h, ""), name)
	}
	require.Empty(t, srv[0].Requests())
}
