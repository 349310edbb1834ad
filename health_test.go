package hub_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

func TestHealthShowsHowAConnectorFares(t *testing.T) {
	srv, now := hubtest.NewServer(t), newClock()
	srv.Handle("/things", hubtest.Status(200).Header("X-RateLimit-Limit", "100").Header("X-RateLimit-Remaining", "7").Header("X-RateLimit-Reset", "30"))
	srv.Handle("/broken", hubtest.Status(404))
	srv.Handle("/busy", hubtest.Status(429).Header("Retry-After", "50"))
	h := open(t, now.on).Tenant("acme")
	tpl := template(t, h, func(tpl *hub.Template) { tpl.Limits.RateLimit = rate(1000) })
	con := connector(t, h, srv, func(c *hub.Connector) { c.Template, c.RateLimit = tpl.ID, rate(100) },
		manual("go", "GET", srv.URL+"/things", func(r *hub.Request) { r.RateLimit = &hub.RateLimit{Requests: 10, Per: 86_400_000, Burst: 5} }),
		manual("broken", "GET", srv.URL+"/broken"),
		manual("busy", "POST", srv.URL+"/busy"))

	health, err := h.Health(t.Context(), "con")
	require.NoError(t, err)
	assert.Empty(t, health.Origins)
	assert.Zero(t, health.LastSuccess)
	assert.Equal(t, hub.AuthUnknown, health.Auth.State)

	_, err = execute(t, h, "go")
	require.NoError(t, err)
	succeeded := now.Now()
	now.advance(time.Minute)
	_, err = execute(t, h, "broken")
	failed(t, err, hub.Rejected)

	health, err = h.Health(t.Context(), con.ID)
	require.NoError(t, err)
	assert.True(t, health.LastSuccess.Equal(succeeded))
	assert.True(t, health.LastFailure.Equal(now.Now()))
	assert.Equal(t, hub.Rejected, health.LastCode)
	assert.Zero(t, health.InFlight)
	require.Len(t, health.Origins, 1)
	origin := health.Origins[0]
	assert.Equal(t, srv.URL, origin.Origin)
	assert.Equal(t, hub.CircuitClosed, origin.Circuit)
	assert.Zero(t, origin.HeldUntil)
	require.NotNil(t, origin.Told)
	assert.EqualValues(t, 100, origin.Told.Limit)
	assert.EqualValues(t, 7, origin.Told.Remaining)
	assert.WithinDuration(t, now.Now().Add(30*time.Second), origin.Told.Reset, 30*time.Second)
	left := map[string]int{}
	for _, l := range health.RateLimits {
		left[l.Of] = l.Left
	}
	assert.Equal(t, map[string]int{"template": 998, "connector": 98, "request:go": 4}, left)

	_, err = execute(t, h, "busy")
	require.Error(t, err)
	health, err = h.Health(t.Context(), "con")
	require.NoError(t, err)
	assert.WithinDuration(t, now.Now().Add(50*time.Second), health.Origins[0].HeldUntil, 40*time.Second)
}

func TestHealthIsATenantsOwn(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t)
	connector(t, h.Tenant("acme"), srv, manual("go", "GET", srv.URL), func(c *hub.Connector) { c.ID = "same" })
	connector(t, h.Tenant("other"), srv, manual("go", "GET", srv.URL), func(c *hub.Connector) { c.ID = "same" })
	_, err := execute(t, h.Tenant("acme"), "go")
	require.NoError(t, err)
	health, err := h.Tenant("other").Health(t.Context(), "con")
	require.NoError(t, err)
	assert.Empty(t, health.Origins)
	_, err = h.Tenant("third").Health(t.Context(), "con")
	failed(t, err, hub.NotFound)
}

// What is remembered is bounded, for a hub and for a connector.
func TestWhatIsRememberedIsBounded(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t, func(o *hub.Options) { o.Limits.Remembered = 2 }).Tenant("acme")
	tpl := template(t, h)
	names := []string{"a", "b", "con"}
	for _, name := range names {
		connector(t, h, srv, manual("go", "GET", srv.URL), func(c *hub.Connector) { c.Name, c.Template = name, tpl.ID })
		_, err := h.Execute(t.Context(), hub.Call{Connector: name, Request: "go"})
		require.NoError(t, err)
	}
	for i, name := range names {
		health, err := h.Health(t.Context(), name)
		require.NoError(t, err)
		assert.Len(t, health.Origins, min(i, 1), "%s", name)
	}
}
