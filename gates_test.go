package hub_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// door is a handler that lets the test see who is inside, and let them out.
type door struct {
	entered chan string
	leave   chan struct{}
}

func newDoor() *door { return &door{entered: make(chan string, 100), leave: make(chan struct{})} }

func (d *door) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	d.entered <- r.URL.Path
	select {
	case <-d.leave:
	case <-r.Context().Done():
	}
}

// start runs a request in the background.
func start(t *testing.T, h *hub.Tenant, connector, request string) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := h.Execute(t.Context(), hub.Call{Connector: connector, Request: request})
		done <- err
	}()
	return done
}

// until waits for what another goroutine is about to bring about.
func until(t *testing.T, cond func() bool) {
	t.Helper()
	require.Eventually(t, cond, time.Minute, time.Millisecond)
}

// two connectors of one tenant, "con" and "other", whose requests pass the door.
func behind(t *testing.T, h *hub.Tenant, srv *hubtest.Server) {
	tpl := template(t, h)
	for _, name := range []string{"con", "other"} {
		connector(t, h, srv, manual("go", "GET", srv.URL+"/"+name), func(c *hub.Connector) {
			c.Name, c.Template, c.Timeout = name, tpl.ID, 60_000
		})
	}
}

func TestCallsBeyondTheBoundWaitTheirTurnAndThoseBeyondTheQueueAreRefused(t *testing.T) {
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("/", d)
	h := open(t, func(o *hub.Options) { o.Limits.ConnectorCalls, o.Limits.QueuedCalls = 2, 1 }).Tenant("acme")
	behind(t, h, srv)

	inside := []<-chan error{start(t, h, "con", "go"), start(t, h, "con", "go")}
	<-d.entered
	<-d.entered
	// Of the next two one waits and one is refused, whichever comes first.
	results := make(chan error, 2)
	for range 2 {
		go func() { results <- <-start(t, h, "con", "go") }()
	}
	e := failed(t, <-results, hub.Busy)
	assert.True(t, e.Retryable)
	assert.False(t, e.Sent)
	assert.Empty(t, d.entered, "nobody else came in")

	other := start(t, h, "other", "go")
	assert.Equal(t, "/other", <-d.entered, "another connector is not kept waiting")

	d.leave <- struct{}{}
	d.leave <- struct{}{}
	assert.Equal(t, "/con", <-d.entered, "a free place goes to the one who waits")
	close(d.leave)
	for _, done := range append(inside, results, other) {
		require.NoError(t, <-done)
	}
}

func TestATenantBoundsItsCallsAndNoOther(t *testing.T) {
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("/", d)
	h := open(t, func(o *hub.Options) { o.Limits.TenantCalls, o.Limits.QueuedCalls = 2, -1 })
	noisy, quiet := h.Tenant("noisy"), h.Tenant("quiet")
	behind(t, noisy, srv)
	behind(t, quiet, srv)
	var all []<-chan error
	for i := range 20 {
		all = append(all, start(t, noisy, []string{"con", "other"}[i%2], "go"))
	}
	<-d.entered
	<-d.entered
	all = append(all, start(t, quiet, "con", "go"))
	assert.Equal(t, "/con", <-d.entered)
	assert.Empty(t, d.entered, "of the noisy tenant two are inside")
	close(d.leave)
	for _, done := range all {
		require.NoError(t, <-done)
	}
}

// One slow third party must not use up what all connectors of the tenant share: those who
// wait for it keep no place.
func TestWaitingForAConnectorTakesNoPlaceOfTheTenant(t *testing.T) {
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("/", d)
	h := open(t, func(o *hub.Options) { o.Limits.ConnectorCalls, o.Limits.TenantCalls, o.Limits.QueuedCalls = 1, 2, 1 }).Tenant("acme")
	behind(t, h, srv)
	first := start(t, h, "con", "go")
	<-d.entered
	results := make(chan error, 2)
	for range 2 {
		go func() { results <- <-start(t, h, "con", "go") }()
	}
	failed(t, <-results, hub.Busy) // so the other one waits
	other := start(t, h, "other", "go")
	assert.Equal(t, "/other", <-d.entered)
	close(d.leave)
	for _, done := range []<-chan error{first, other, results} {
		require.NoError(t, <-done)
	}
}

func TestWhoGivesUpInTheQueueLosesNobodyAPlace(t *testing.T) {
	srv, d := hubtest.NewServer(t), newDoor()
	srv.Handle("/go", d)
	srv.Handle("/next", hubtest.Hang())
	h := open(t, func(o *hub.Options) { o.Limits.ConnectorCalls, o.Limits.QueuedCalls = 1, 1 }).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL+"/go"), manual("next", "GET", srv.URL+"/next"), func(c *hub.Connector) { c.Timeout = 60_000 })
	for range 20 {
		first := start(t, h, "con", "go")
		<-d.entered
		ctx, giveUp := context.WithCancel(t.Context())
		waiting := make(chan error, 2)
		for range 2 { // one is refused at once: so the other waits
			go func() {
				_, err := h.Execute(ctx, hub.Call{Connector: "con", Request: "next"})
				waiting <- err
			}()
		}
		failed(t, <-waiting, hub.Busy)
		var wg sync.WaitGroup
		wg.Go(giveUp) // at the moment when its turn comes, or before, or after
		wg.Go(func() { d.leave <- struct{}{} })
		wg.Wait()
		require.NoError(t, <-first)
		failed(t, <-waiting, hub.Canceled)
	}
	last := start(t, h, "con", "go")
	<-d.entered
	close(d.leave)
	require.NoError(t, <-last, "the place is still there")
}
