package hubotel_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// A substitute is no answer, and no failure either.
func TestSubstitutesAreMarked(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/stale", hubtest.Sequence(hubtest.JSON(200, map[string]int{"n": 1}), hubtest.Status(500)))
	srv.Handle("/fixed", hubtest.Status(429))
	h, c := open(t, sdktrace.AlwaysSample())
	with := func(name string, f hub.Fallback) func(*hub.Connector) {
		return request(hub.Request{Name: name, Method: "GET", URL: srv.URL + "/" + name, Retry: &hub.Retry{Attempts: 1}, Fallback: &f})
	}
	connector(t, h, srv, with("stale", hub.Fallback{StaleFor: 60}), with("fixed", hub.Fallback{Outputs: json.RawMessage("{}")}))
	for _, name := range []string{"stale", "stale", "fixed"} {
		_, err := execute(t, h, name)
		require.NoError(t, err)
	}

	for i, want := range []struct{ substitute, cause any }{{nil, nil}, {"stale", "rejected"}, {"outputs", "rate-limited"}} {
		call := c.named("hub.Execute")[i]
		got := attributes(call)
		assert.Equal(t, "OnSuccess", got["hub.branch"])
		assert.Equal(t, want.substitute, got["hub.substitute"])
		assert.Equal(t, want.cause, got["hub.substitute.cause"])
		assert.NotContains(t, got, "error.type")
		assert.Equal(t, codes.Unset, call.Status.Code)
	}
	assert.Equal(t, map[string]int{
		`{"hub.branch":"OnSuccess","hub.operation":"Execute"}`:                            1,
		`{"hub.branch":"OnSuccess","hub.operation":"Execute","hub.substitute":"stale"}`:   1,
		`{"hub.branch":"OnSuccess","hub.operation":"Execute","hub.substitute":"outputs"}`: 1,
	}, c.counted("hub.call.duration"))
}
