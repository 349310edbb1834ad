package hub_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// manual gives a connector one more manual request.
func manual(name, method, url string, change ...func(*hub.Request)) func(*hub.Connector) {
	r := hub.Request{Name: name, Method: method, URL: url}
	return withRequest(r, change...)
}

// mapped gives a connector one more Studio request that its payload fills.
func mapped(name, method, url string, change ...func(*hub.Request)) func(*hub.Connector) {
	r := hub.Request{Name: name, Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped, Method: method, URL: url}
	return withRequest(r, change...)
}

// dynamic gives a connector a Studio request named "any" whose payload describes the call.
func dynamic(change ...func(*hub.Request)) func(*hub.Connector) {
	return withRequest(hub.Request{Name: "any", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadDynamic}, change...)
}

func withRequest(r hub.Request, change ...func(*hub.Request)) func(*hub.Connector) {
	for _, f := range change {
		f(&r)
	}
	return func(c *hub.Connector) { c.Requests = append(c.Requests, r) }
}

// execute runs a request of the connector named "con".
func execute(t testing.TB, h *hub.Tenant, request string, payload ...string) (*hub.Result, error) {
	t.Helper()
	call := hub.Call{Connector: "con", Request: request}
	if len(payload) > 0 {
		call.Payload = json.RawMessage(payload[0])
	}
	return h.Execute(t.Context(), call)
}

// failed demands an error of the hub with a code and the branch that belongs to it.
func failed(t testing.TB, err error, code hub.Code) *hub.Error {
	t.Helper()
	var e *hub.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code, "%v", err)
	require.ErrorIs(t, err, code)
	branch := hub.OnError
	if code == hub.Timeout {
		branch = hub.OnTimeout
	}
	assert.Equal(t, branch, e.Branch())
	return e
}

// brokenRules are the broken rules of an error, as "path rule".
func brokenRules(e *hub.Error) []string {
	list := []string{}
	for _, f := range e.Fields {
		list = append(list, f.Path+" "+f.Rule)
	}
	return list
}

// clock is a clock that only the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// on makes a hub run by the clock.
func (c *clock) on(o *hub.Options) { o.Now = c.Now }

// received counts what a server got at a path.
func received(srv *hubtest.Server, path string) int {
	n := 0
	for _, r := range srv.Requests() {
		if r.URL.Path == path {
			n++
		}
	}
	return n
}
