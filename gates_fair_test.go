package hub_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// waiting waits until so many calls of a connector wait for a place.
func waiting(t *testing.T, h *hub.Tenant, connector string, n int) {
	t.Helper()
	until(t, func() bool {
		health, err := h.Health(t.Context(), connector)
		require.NoError(t, err)
		return health.Queued == n
	})
}

func startAll(t *testing.T, h *hub.Tenant, connector string, n int) []<-chan error {
	var all []<-chan error
	for range n {
		all = append(all, start(t, h, connector, "go"))
	}
	return all
}

// Of a tenant's calls that wait, those of each connector have their turn.
func TestConnectorsOfATenantHaveTheirTurn(t *testing.T) {
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("/", d)
	h := open(t, func(o *hub.Options) { o.Limits.TenantCalls = 1 }).Tenant("acme")
	behind(t, h, srv)
	all := startAll(t, h, "con", 1)
	<-d.entered
	all = append(all, startAll(t, h, "con", 6)...)
	waiting(t, h, "con", 6)
	all = append(all, startAll(t, h, "other", 3)...)
	waiting(t, h, "other", 3)
	var order []string
	for range 9 {
		d.leave <- struct{}{}
		order = append(order, <-d.entered)
	}
	close(d.leave)
	for _, done := range all {
		require.NoError(t, <-done)
	}
	assert.Equal(t, []string{"/con", "/con", "/con", "/con", "/con", "/con", "/other", "/other", "/other"}, slices.Sorted(slices.Values(order)))
	for i := range 3 {
		assert.Contains(t, order[2*i:2*i+2], "/other", "in turn: %v", order)
	}
}

// The hub's places go to the tenants in turn, however many calls of one wait.
func TestTenantsOfAHubHaveTheirTurn(t *testing.T) {
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("/", d)
	h := open(t, func(o *hub.Options) { o.Limits.HubCalls = 1 })
	noisy, quiet := h.Tenant("noisy"), h.Tenant("quiet")
	behind(t, noisy, srv)
	tpl := template(t, quiet)
	connector(t, quiet, srv, manual("go", "GET", srv.URL+"/quiet"), func(c *hub.Connector) { c.Template, c.Timeout = tpl.ID, 60_000 })
	all := startAll(t, noisy, "con", 1)
	<-d.entered
	all = append(all, startAll(t, noisy, "con", 40)...)
	all = append(all, startAll(t, noisy, "other", 40)...)
	waiting(t, noisy, "con", 40)
	waiting(t, noisy, "other", 40)
	for range 5 { // each time the quiet tenant waits for one call of others at most
		mine := start(t, quiet, "con", "go")
		waiting(t, quiet, "con", 1)
		var order []string
		for range 2 {
			d.leave <- struct{}{}
			order = append(order, <-d.entered)
		}
		assert.Contains(t, order, "/quiet")
		all = append(all, mine)
	}
	close(d.leave)
	for _, done := range all {
		require.NoError(t, <-done)
	}
}

// A full queue of a tenant makes room for a connector that has fewer calls in it.
func TestAFullQueueGivesWayToWhoHasFewerCallsInIt(t *testing.T) {
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("/", d)
	h := open(t, func(o *hub.Options) { o.Limits.TenantCalls, o.Limits.QueuedCalls = 1, 2 }).Tenant("acme")
	tpl := template(t, h)
	for i := range 11 {
		connector(t, h, srv, manual("go", "GET", fmt.Sprintf("%s/%d", srv.URL, i)), func(c *hub.Connector) {
			c.Name, c.Template, c.Timeout = fmt.Sprint(i), tpl.ID, 60_000
		})
	}
	first := start(t, h, "0", "go")
	<-d.entered
	results := make(chan error, 20)
	for i := range 20 { // as many as may wait of a tenant, two of each of ten connectors
		go func() { results <- <-start(t, h, fmt.Sprint(i/2), "go") }()
	}
	for i := range 10 {
		waiting(t, h, fmt.Sprint(i), 2)
	}
	last := start(t, h, "10", "go")
	waiting(t, h, "10", 1)
	failed(t, <-results, hub.Busy)
	_, err := h.Execute(t.Context(), hub.Call{Connector: "10", Request: "go"})
	failed(t, err, hub.Busy) // nobody has more than one call more than it would have
	close(d.leave)
	for range 19 {
		require.NoError(t, <-results)
	}
	require.NoError(t, <-first)
	require.NoError(t, <-last)
}

// What could not be served in time is refused at once, not kept until it is too late.
func TestACallThatWouldWaitInVainIsRefusedAtOnce(t *testing.T) {
	const stay = 30 * time.Millisecond
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("/con", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(stay) }))
	srv.Handle("/other", d)
	h := open(t, func(o *hub.Options) { o.Limits.TenantCalls = 2 }).Tenant("acme")
	behind(t, h, srv)
	all := startAll(t, h, "other", 1)
	<-d.entered
	for range 8 { // the gate of the tenant learns how long calls stay
		require.NoError(t, <-start(t, h, "con", "go"))
	}
	all = append(all, startAll(t, h, "other", 1)...)
	<-d.entered
	all = append(all, startAll(t, h, "other", 2)...)
	waiting(t, h, "other", 2)
	refused := false
	for range 50 { // a machine that is slow may need several
		ctx, cancel := context.WithTimeout(t.Context(), stay)
		_, err := h.Execute(ctx, hub.Call{Connector: "other", Request: "go"})
		cancel()
		if refused = errors.Is(err, hub.Busy); refused {
			break
		}
	}
	assert.True(t, refused)
	close(d.leave)
	for _, done := range all {
		require.NoError(t, <-done)
	}
}

// The narrowest of host, template and connector bounds a connector's calls.
func TestConcurrencyIsNarrowedByTemplateAndConnector(t *testing.T) {
	for name, tt := range map[string]struct{ host, template, connector, want int }{
		"the host's":             {2, 0, 0, 2},
		"the template's":         {0, 2, 0, 2},
		"the connector's":        {0, 3, 2, 2},
		"a wider one is useless": {2, 5, 9, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, d := hubtest.NewServer(t), newDoor()
			srv.Handle("/", d)
			h := open(t, func(o *hub.Options) { o.Limits.ConnectorCalls, o.Limits.QueuedCalls = tt.host, 1 }).Tenant("acme")
			tpl := template(t, h, func(tpl *hub.Template) { tpl.Limits.Concurrency = tt.template })
			connector(t, h, srv, manual("go", "GET", srv.URL), func(c *hub.Connector) {
				c.Template, c.Concurrency, c.Timeout = tpl.ID, tt.connector, 60_000
			})
			all := startAll(t, h, "con", tt.want)
			for range tt.want {
				<-d.entered
			}
			results := make(chan error, 2)
			for range 2 {
				go func() { results <- <-start(t, h, "con", "go") }()
			}
			failed(t, <-results, hub.Busy)
			close(d.leave)
			for _, done := range append(all, results) {
				require.NoError(t, <-done)
			}
		})
	}
}

// A slow third party holds up the calls of its own connector: others neither wait nor fail.
func TestASlowThirdPartyStarvesNobodyElse(t *testing.T) {
	slow, quick, d := hubtest.NewServer(t), hubtest.NewServer(t), newDoor()
	slow.Handle("/", d)
	quick.Handle("/", hubtest.Status(200))
	h := open(t, func(o *hub.Options) { o.Limits.ConnectorCalls, o.Limits.TenantCalls, o.Limits.QueuedCalls = 40, 50, 40 }).Tenant("acme")
	tpl := template(t, h)
	for name, srv := range map[string]*hubtest.Server{"con": slow, "other": quick} {
		connector(t, h, srv, manual("go", "GET", srv.URL), func(c *hub.Connector) { c.Name, c.Template, c.Timeout = name, tpl.ID, 60_000 })
	}
	stuck := startAll(t, h, "con", 80)
	for range 40 {
		<-d.entered
	}
	waiting(t, h, "con", 40)
	for range 20 {
		for _, done := range startAll(t, h, "other", 10) {
			require.NoError(t, <-done)
		}
	}
	assert.Len(t, quick.Requests(), 200)
	assert.Empty(t, d.entered)
	close(d.leave)
	for _, done := range stuck {
		require.NoError(t, <-done)
	}
}
