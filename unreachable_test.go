package hub_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
)

// closedPort returns a port of loopback on which nobody listens, and nobody can before the test is over:
// a connection goes out from there.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, conn.Close())
		require.NoError(t, l.Close())
	})
	_, port, err := net.SplitHostPort(conn.LocalAddr().String())
	require.NoError(t, err)
	return port
}

// fact is what a tenant sees of a call to a host that gave no answer.
type fact struct {
	text                  string
	code                  hub.Code
	attempts              int
	sent, retryable, more bool
}

func factOf(t *testing.T, err error) fact {
	t.Helper()
	var e *hub.Error
	require.ErrorAs(t, err, &e)
	return fact{e.Error(), e.Code, e.Attempts, e.Sent, e.Retryable, e.Status != 0 || !e.RetryAt.IsZero() || len(e.Fields) > 0}
}

// A tenant who calls host after host learns nothing of a network: a port that is closed, an
// address that is refused, a name that does not exist and one that never answers read the
// same on every road. The host application's log tells them apart.
func TestWhatCannotBeReachedReadsTheSame(t *testing.T) {
	var log bytes.Buffer
	port := closedPort(t)
	names := map[string]string{"closed.example": "127.0.0.1", "refused.example": "169.254.169.254", "private.example": "10.0.0.1", "silent.example": ""}
	h := open(t, resolving(t, names), func(o *hub.Options) {
		o.Limits.DialTimeout, o.Limits.Attempts = 150*time.Millisecond, 2
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	}).Tenant("acme")
	facts := map[string]map[fact][]string{}
	for _, name := range []string{"closed", "refused", "private", "missing", "silent"} {
		url := "https://" + name + ".example:" + port
		for road, err := range everyRoad(t, h, name, url) {
			if facts[road] == nil {
				facts[road] = map[fact][]string{}
			}
			f := factOf(t, err)
			assert.Equal(t, hub.Unreachable, f.code)
			f.text = strings.ReplaceAll(f.text, name, "NAME")
			facts[road][f] = append(facts[road][f], name)
		}
	}
	require.Len(t, facts, 6)
	for road, seen := range facts {
		assert.Len(t, seen, 1, "%s tells hosts apart: %v", road, seen)
	}
	assert.Contains(t, log.String(), "refusal.class=metadata")
	assert.Contains(t, log.String(), "refusal.addr=10.0.0.1")
}

// everyRoad calls a URL on every road out and returns the errors.
func everyRoad(t *testing.T, h *hub.Tenant, name, url string) map[string]error {
	t.Helper()
	ctx := t.Context()
	_, _, err := h.CreateTemplateAndConnector(ctx, hub.Template{
		Name: "V " + name, Methods: []string{"GET"}, Verify: &hub.Verify{Method: "GET", URL: url},
	}, hub.Connector{Name: name, Hosts: []string{url[len("https://"):]}, Requests: []hub.Request{
		{Name: "r", Method: "GET", URL: url},
		{Name: "d", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadDynamic},
	}})
	require.NoError(t, err)
	_, _, err = h.CreateTemplateAndConnector(ctx, hub.Template{
		Name: "A " + name, Methods: []string{"GET"}, AuthType: hub.AuthOAuth2,
	}, hub.Connector{Name: name + " auth", Auth: hub.Auth{Request: &hub.AuthRequest{URL: url}}, Requests: []hub.Request{{Name: "r", Method: "GET", URL: url}}})
	require.NoError(t, err)

	roads := map[string]error{}
	_, roads["Execute"] = h.Execute(ctx, hub.Call{Connector: name, Request: "r"})
	_, roads["dynamic"] = h.Execute(ctx, hub.Call{Connector: name, Request: "d", Payload: []byte(`{"method":"GET","url":"` + url + `"}`)})
	_, roads["TestConnector"] = h.TestConnector(ctx, name)
	_, roads["Authenticate"] = h.Authenticate(ctx, name+" auth")
	_, roads["token"] = h.Execute(ctx, hub.Call{Connector: name + " auth", Request: "r"})
	client, err := h.HTTPClient(ctx, name)
	require.NoError(t, err)
	roads["HTTPClient"] = errors.Unwrap(fetch(t, client, url))
	return roads
}
