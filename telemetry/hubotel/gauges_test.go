package hubotel_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/telemetry/hubotel"
)

// asked are the instruments of hubs as a whole.
var asked = []string{"hub.call.active", "hub.call.max", "hub.call.waits", "hub.circuit.count", "hub.origin.held"}

// figures are what the instruments tell.
func (c *collected) figures() map[string]map[string]int {
	out := map[string]map[string]int{}
	for _, name := range asked {
		out[name] = c.counted(name)
	}
	return out
}

// states are the figures of an instrument that tells states.
func states(label string, counts map[string]int) map[string]int {
	out := map[string]int{}
	for state, n := range counts {
		out[`{"`+label+`":"`+state+`"}`] = n
	}
	return out
}

// figured are all figures there can be: what is there with no call is there with many.
func figured(running, held, queued, most, waits, closed, opened, origins int) map[string]map[string]int {
	return map[string]map[string]int{
		"hub.call.active":   states("hub.call.state", map[string]int{"running": running, "held": held, "queued": queued}),
		"hub.call.max":      {`{}`: most},
		"hub.call.waits":    {`{}`: waits},
		"hub.circuit.count": states("hub.circuit.state", map[string]int{"closed": closed, "open": opened, "half-open": 0}),
		"hub.origin.held":   {`{}`: origins},
	}
}

// busyHub is a hub with one call under way, one queued, and an open circuit.
func busyHub(t *testing.T, tel *hubotel.Telemetry, leave chan struct{}, ended chan<- error) *hub.Hub {
	t.Helper()
	srv, entered := hubtest.NewServer(t), make(chan struct{}, 8)
	srv.Handle("/slow", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-leave
	}))
	srv.Handle("/down", hubtest.Status(503))
	h := hubtest.New(t, &hub.Options{
		Tracer: tel, Breaker: hub.Breaker{Calls: 3, Open: time.Hour}, Limits: hub.Limits{ConnectorCalls: 1, HubCalls: 30},
	})
	for _, name := range []string{"slow", "down"} {
		connector(t, h.Tenant(name), srv, func(c *hub.Connector) { c.Timeout = 60_000 },
			request(hub.Request{Name: "go", Method: "GET", URL: srv.URL + "/" + name}))
	}
	call := func(tenant string) error {
		_, err := execute(t, h.Tenant(tenant), "go")
		return err
	}
	require.ErrorIs(t, call("down"), hub.Rejected)
	for range 2 {
		go func() { ended <- call("slow") }()
	}
	<-entered
	require.Eventually(t, func() bool { return h.Stats().Queued == 1 }, time.Minute, time.Millisecond)
	return h
}

func TestTheFiguresOfAllHubsTogether(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	tel, err := hubotel.New(&hubotel.Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))})
	require.NoError(t, err)
	c := &collected{t: t, reader: reader}
	assert.Equal(t, figured(0, 0, 0, 0, 0, 0, 0, 0), c.figures(), "before there is a hub")

	leave, ended := make(chan struct{}), make(chan error, 4)
	one, two := busyHub(t, tel, leave, ended), busyHub(t, tel, leave, ended)
	assert.Equal(t, figured(2, 0, 2, 60, 0, 2, 2, 0), c.figures())
	close(leave)
	for range cap(ended) {
		require.NoError(t, <-ended)
	}
	assert.Equal(t, figured(0, 0, 0, 60, 2, 2, 2, 0), c.figures())

	require.NoError(t, one.Close(t.Context()))
	assert.Equal(t, figured(0, 0, 0, 30, 2, 1, 1, 0), c.figures(), "what only grows has not shrunk")
	require.NoError(t, two.Close(t.Context()))
	assert.Equal(t, figured(0, 0, 0, 0, 2, 0, 0, 0), c.figures())

	for _, name := range append(asked, "hub.call.wait_time") {
		switch data := c.metrics()[name].Data.(type) {
		case metricdata.Sum[int64]:
			assert.Equal(t, name == "hub.call.waits", data.IsMonotonic, name)
		case metricdata.Sum[float64]:
			assert.True(t, data.IsMonotonic)
			assert.Positive(t, data.DataPoints[0].Value)
		default:
			assert.Failf(t, "no sum", "%s: %T", name, data)
		}
	}
}

// Calls that are held, and why.
func TestCallsThatAreHeldAreTold(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	tel, err := hubotel.New(&hubotel.Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))})
	require.NoError(t, err)
	c, stats := &collected{t: t, reader: reader}, hub.Stats{InFlight: 5, Held: 3, Queued: 7, HeldOrigins: 2}
	stats.Circuits.HalfOpen = 4
	closed := tel.HubOpened(func() hub.Stats { return stats })
	told := c.figures()
	assert.Equal(t, states("hub.call.state", map[string]int{"running": 2, "held": 3, "queued": 7}), told["hub.call.active"])
	assert.Equal(t, states("hub.circuit.state", map[string]int{"closed": 0, "open": 0, "half-open": 4}), told["hub.circuit.count"])
	assert.Equal(t, map[string]int{`{}`: 2}, told["hub.origin.held"])
	closed()
	assert.Equal(t, figured(0, 0, 0, 0, 0, 0, 0, 0), c.figures())
}
