package hub_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/ratelimit"
)

// meanwhile lists edits that take from a call what it needs to run, while it waits.
var meanwhile = map[string]struct {
	edit func(t *testing.T, h *hub.Tenant, con hub.Connector)
	code hub.Code
}{
	"deactivated": {func(t *testing.T, h *hub.Tenant, con hub.Connector) {
		_, err := h.DeactivateRequest(t.Context(), con.ID, "go")
		require.NoError(t, err)
	}, hub.Inactive},
	"deleted": {func(t *testing.T, h *hub.Tenant, con hub.Connector) {
		require.NoError(t, h.DeleteRequest(t.Context(), con.ID, "go", con.Revision))
	}, hub.NotFound},
	"paused": {func(t *testing.T, h *hub.Tenant, con hub.Connector) {
		_, err := h.PauseConnector(t.Context(), con.ID)
		require.NoError(t, err)
	}, hub.Inactive},
	"host revoked": {func(t *testing.T, h *hub.Tenant, con hub.Connector) {
		require.NoError(t, h.RestrictTemplate(t.Context(), con.Template, []string{"elsewhere.example"}))
	}, hub.Forbidden},
}

// What is saved while a call waits for a place holds for the call, when the freshness bound is
// over.
func TestACallThatWaitsForAPlaceIsHeldToWhatIsSavedMeanwhile(t *testing.T) {
	for name, c := range meanwhile {
		t.Run(name, func(t *testing.T) {
			srv, d := hubtest.NewServer(t), newDoor()
			srv.Handle("/", d)
			h, _, _, now := twins(t, func(o *hub.Options) { o.Limits.ConnectorCalls = 1 })
			con := connector(t, h, srv, manual("go", "GET", srv.URL))
			first := start(t, h, "con", "go")
			<-d.entered
			second := start(t, h, "con", "go")
			until(t, func() bool {
				health, err := h.Health(t.Context(), con.ID)
				return err == nil && health.Queued == 1
			})
			c.edit(t, h, con)
			now.advance(time.Second)
			close(d.leave)
			require.NoError(t, <-first)
			assert.False(t, failed(t, <-second, c.code).Sent)
			assert.Len(t, srv.Requests(), 1)
		})
	}
}

// turns is a rate limiter whose turns come when the test says so.
type turns struct{ asked, come chan struct{} }

func newTurns() *turns { return &turns{make(chan struct{}, 1), make(chan struct{})} }

func (l *turns) Take(context.Context, string, []ratelimit.Demand, time.Duration) (ratelimit.Turn, error) {
	l.asked <- struct{}{}
	<-l.come
	return ratelimit.Turn{OK: true, Wait: time.Millisecond}, nil
}

// Likewise while it waits for its turn, and between two attempts: the last answer is its end
// then.
func TestACallThatWaitsForItsTurnIsHeldToWhatIsSavedMeanwhile(t *testing.T) {
	for name, c := range meanwhile {
		t.Run(name, func(t *testing.T) {
			srv, turns := hubtest.NewServer(t), newTurns()
			h, _, _, now := twins(t, func(o *hub.Options) { o.RateLimiter = turns })
			con := connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) { r.RateLimit = rate(1) }))
			call := start(t, h, "con", "go")
			<-turns.asked
			c.edit(t, h, con)
			now.advance(time.Second)
			close(turns.come)
			assert.False(t, failed(t, <-call, c.code).Sent)
			assert.Empty(t, srv.Requests())
		})
	}
}

func TestACallIsNotRepeatedAgainstWhatIsSavedMeanwhile(t *testing.T) {
	for name, c := range meanwhile {
		t.Run(name, func(t *testing.T) {
			srv, d := hubtest.NewServer(t), newDoor()
			srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				d.ServeHTTP(w, r)
				hubtest.Status(503).RetryAfter(0).ServeHTTP(w, r)
			}))
			h, _, _, now := twins(t)
			con := connector(t, h, srv, manual("go", "GET", srv.URL))
			call := start(t, h, "con", "go")
			<-d.entered
			c.edit(t, h, con)
			now.advance(time.Second)
			close(d.leave)
			e := failed(t, <-call, hub.Rejected)
			assert.Equal(t, 503, e.Status)
			assert.Equal(t, hub.BecauseChanged, e.NotRepeated)
			assert.Len(t, srv.Requests(), 1)
		})
	}
}

// What a call waits through while nothing that concerns it is saved changes nothing.
func TestACallThatWaitsGoesOn(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Sequence(hubtest.Status(503).RetryAfter(1), hubtest.Status(200)))
	h, other, _, now := twins(t)
	con := connector(t, h, srv, manual("go", "GET", srv.URL), manual("other", "GET", srv.URL))
	call := start(t, h, "con", "go")
	until(t, func() bool { return len(srv.Requests()) == 1 })
	_, err := other.DeactivateRequest(t.Context(), con.ID, "other")
	require.NoError(t, err)
	now.advance(time.Second)
	require.NoError(t, <-call)
	assert.Len(t, srv.Requests(), 2)
}
