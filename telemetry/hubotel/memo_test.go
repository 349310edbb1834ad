package hubotel_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric/noop"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/telemetry/hubotel"
)

// recorder returns a Telemetry that records all, and what it recorded.
func recorder(t testing.TB) (*hubotel.Telemetry, *tracetest.InMemoryExporter) {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	tel, err := hubotel.New(&hubotel.Options{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)), MeterProvider: noop.NewMeterProvider(),
	})
	require.NoError(t, err)
	return tel, spans
}

// tell makes two spans of an event: of its call, and of an attempt.
func tell(t testing.TB, tel *hubotel.Telemetry, e hub.Event) {
	ctx, endCall := tel.StartCall(t.Context(), hub.Event{Op: e.Op})
	_, endAttempt := tel.StartAttempt(ctx, e, nil)
	endAttempt(e)
	endCall(e)
}

// ofCall is what the span of a call has to say.
func ofCall(e hub.Event) map[string]any {
	want := map[string]any{"hub.operation": e.Op, "hub.tenant": e.Tenant, "hub.connector.name": e.Connector, "hub.branch": string(e.Branch)}
	for key, value := range map[string]string{"hub.connector.id": e.ConnectorID, "hub.request.name": e.Request, "error.type": string(e.Code)} {
		if value != "" {
			want[key] = value
		}
	}
	if e.TokenRenewed {
		want["hub.token.renewed"] = true
	}
	return want
}

// ofAttempt is what the span of an attempt has to say.
func ofAttempt(e hub.Event) (string, map[string]any) {
	name := map[string]string{"BREW": "_OTHER"}[e.Method]
	if name == "" {
		name = e.Method
	}
	want := map[string]any{
		"http.request.method": name, "http.request.body.size": int64(0), "http.response.body.size": e.Attempts[0].BytesIn,
	}
	if e.Host != "" {
		host, port, _ := strings.Cut(e.Host, ":")
		want["server.address"], want["server.port"] = host, int64(443)
		if port != "" {
			want["server.port"] = int64(8443)
		}
	}
	if e.Path != "" {
		name += " " + e.Path
		want["url.template"] = e.Path
	}
	if e.Number > 1 {
		want["http.request.resend_count"] = int64(e.Number - 1)
	}
	if e.Attempts[0].Wait > 0 {
		want["hub.attempt.wait"] = e.Attempts[0].Wait.Seconds()
	}
	return name, want
}

// events are more than can be remembered, and each differs from others in one member alone.
func events(n int) []hub.Event {
	one := func(values ...string) string { return values[rand.N(len(values))] }
	list := make([]hub.Event, n)
	for i := range list {
		list[i] = hub.Event{
			Op: one("Execute", "TestRequest", "odd"), Tenant: one("acme", "other", ""), Connector: one("a", "b"), ConnectorID: one("con_1", "con_2", ""),
			Request: one("r", "s", ""), Method: one("GET", "POST", "BREW"), Path: one("/", "", fmt.Sprint("/", rand.N(n))),
			Host: one("api.example.com", "api.example.com:8443", "*.example.com", ""), Branch: hub.Branch(one("OnSuccess", "OnSuccess", "OnError")),
			Number: rand.N(3), TokenRenewed: rand.N(5) == 0, Attempts: []hub.Attempt{{Wait: time.Duration(rand.N(2)), BytesIn: rand.N[int64](9)}},
		}
		if list[i].Branch == hub.OnError {
			list[i].Code = hub.Rejected
		}
	}
	return list
}

// What is remembered of the calls before changes nothing of a call's own.
func TestSpansAreThoseOfTheirOwnCalls(t *testing.T) {
	tel, spans := recorder(t)
	for _, e := range events(6000) {
		spans.Reset()
		tell(t, tel, e)
		got := spans.GetSpans()
		require.Len(t, got, 2)
		name, attempt := ofAttempt(e)
		require.Equal(t, name, got[0].Name)
		require.Equal(t, attempt, attributes(got[0]))
		require.Equal(t, "hub."+e.Op, got[1].Name)
		require.Equal(t, ofCall(e), attributes(got[1]))
	}
}

// Many may ask at once.
func TestSpansOfManyCallsAtOnce(t *testing.T) {
	tel, spans := recorder(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for _, e := range events(1000) {
				tell(t, tel, e)
			}
		})
	}
	all.Wait()
	assert.Len(t, spans.GetSpans(), 16_000)
}
