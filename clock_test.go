package hub_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// The steps of a call share what the clock said last: when it began, before it is sent, when the
// answer is there, and at its end.
func TestACallReadsTheClockOnceForSeveralSteps(t *testing.T) {
	srv, now := hubtest.NewServer(t), newClock()
	srv.Handle("POST /token", issuer("600"))
	srv.Handle("/things", hubtest.Status(200))
	var read atomic.Int64
	h := open(t, func(o *hub.Options) { o.Now = func() time.Time { read.Add(1); return now.Now() } }).Tenant("acme")
	connector(t, h, srv, oauth(srv))
	_, err := execute(t, h, "read")
	require.NoError(t, err)
	least := int64(100)
	for range 20 { // the hub reads it for itself, too
		before := read.Load()
		_, err = execute(t, h, "read")
		require.NoError(t, err)
		least = min(least, read.Load()-before)
	}
	assert.LessOrEqual(t, least, int64(5), "and once for its deadline, as the runtime has another clock")
}

// What takes time within a call is seen by the steps after it.
func TestTheTimesOfACallAreThoseOfItsClock(t *testing.T) {
	srv, now := hubtest.NewServer(t), newClock()
	srv.Handle("/", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { now.advance(3 * time.Second) }))
	var events []hub.Event
	h := open(t, now.on, func(o *hub.Options) {
		o.Observer = func(_ context.Context, e hub.Event) { events = append(events, e) }
	}).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	begun := now.Now()
	res, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "go", BeforeSend: func(context.Context, hub.Sending) error {
		now.advance(2 * time.Second)
		return nil
	}})
	require.NoError(t, err)
	assert.Equal(t, 5*time.Second, res.Duration)
	require.Len(t, res.Attempts, 1)
	assert.Equal(t, begun.Add(2*time.Second), res.Attempts[0].Start)
	assert.Equal(t, 3*time.Second, res.Attempts[0].Duration)
	assert.Zero(t, res.Attempts[0].Wait)
	require.Len(t, events, 2)
	assert.Equal(t, begun.Add(2*time.Second), events[0].Started)
	assert.Equal(t, 3*time.Second, events[0].Duration)
	assert.Equal(t, begun, events[1].Started)
	assert.Equal(t, 5*time.Second, events[1].Duration)
}

// A token that was good when a call began to wait for its place is judged again when it has one.
func TestACallThatHasWaitedForItsPlaceTakesATokenThatIsGoodThen(t *testing.T) {
	srv, d, now := hubtest.NewServer(t), newDoor(), newClock()
	srv.Handle("POST /token", issuer("600"))
	srv.Handle("/things", d)
	h := open(t, now.on, func(o *hub.Options) {
		o.Limits.ConnectorCalls, o.Limits.Freshness, o.Limits.Staleness = 1, time.Hour, time.Hour
	}).Tenant("acme")
	con := connector(t, h, srv, oauth(srv))
	first := start(t, h, "con", "read")
	<-d.entered
	second := start(t, h, "con", "read")
	until(t, func() bool {
		health, err := h.Health(t.Context(), con.ID)
		return err == nil && health.Queued == 1
	})
	now.advance(10 * time.Minute)
	close(d.leave)
	require.NoError(t, <-first)
	require.NoError(t, <-second)
	requests := srv.Requests()
	assert.Equal(t, "Bearer tok-0000000002", requests[len(requests)-1].Header.Get("Authorization"))
	assert.Equal(t, 2, received(srv, "/token"))
}
