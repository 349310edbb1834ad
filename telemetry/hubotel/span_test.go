package hubotel_test

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/telemetry/hubotel"
)

func TestTheSpansOfACall(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", hubtest.Token("tok-0123456789", time.Hour))
	srv.Handle("/things/{id}", hubtest.Sequence(hubtest.Status(503).RetryAfter(0), hubtest.Drop(), hubtest.Text(200, "four")))
	h, c := open(t, sdktrace.AlwaysSample())
	con := connector(t, h, srv, oauth(srv), request(mapped("put", "PUT", srv.URL+"/things/{{id}}?q={{id}}")))
	_, err := execute(t, h, "put", `{"id":"t-1"}`)
	require.NoError(t, err)

	require.Equal(t, []string{"POST /token", "hub.Authenticate", "PUT /things/{{id}}", "PUT /things/{{id}}", "PUT /things/{{id}}", "hub.Execute"}, c.names())
	spans := c.spans.GetSpans()
	call, auth := spans[5], spans[1]
	assert.False(t, call.Parent.IsValid())
	assert.Equal(t, call.SpanContext.SpanID(), auth.Parent.SpanID())
	assert.Equal(t, auth.SpanContext.SpanID(), spans[0].Parent.SpanID())
	assert.Equal(t, trace.SpanKindInternal, call.SpanKind)
	assert.Equal(t, map[string]any{
		"hub.operation": "Execute", "hub.tenant": "acme", "hub.connector.name": "con", "hub.connector.id": con.ID,
		"hub.request.name": "put", "hub.branch": "OnSuccess",
	}, attributes(call))
	assert.Equal(t, codes.Unset, call.Status.Code)

	host, digits, err := net.SplitHostPort(srv.Host())
	require.NoError(t, err)
	port, err := strconv.ParseInt(digits, 10, 64)
	require.NoError(t, err)
	for i, more := range []map[string]any{
		{"http.response.status_code": int64(503), "error.type": "503"},
		{"http.request.resend_count": int64(1), "error.type": "read", "hub.attempt.sent": true},
		{"http.request.resend_count": int64(2), "http.response.status_code": int64(200), "http.response.body.size": int64(4)},
	} {
		s, want := spans[2+i], map[string]any{
			"http.request.method": "PUT", "server.address": host, "server.port": port, "url.template": "/things/{{id}}",
			"http.request.body.size": int64(0), "http.response.body.size": int64(0), "hub.attempt.address_class": "loopback",
		}
		for key, value := range more {
			want[key] = value
		}
		got := attributes(s)
		if i > 0 {
			assert.Contains(t, got, "hub.attempt.wait")
		}
		delete(got, "hub.attempt.wait")
		assert.Equal(t, want, got)
		assert.Equal(t, call.SpanContext.SpanID(), s.Parent.SpanID())
		assert.Equal(t, trace.SpanKindClient, s.SpanKind)
		assert.Equal(t, want["error.type"] != nil, s.Status.Code == codes.Error)
		assert.Empty(t, s.Status.Description)
	}
}

func TestSpansOfCallsThatFail(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/gone", hubtest.Status(410))
	h, c := open(t, sdktrace.AlwaysSample())
	connector(t, h, srv, request(hub.Request{Name: "gone", Method: "GET", URL: srv.URL + "/gone"}))
	_, err := execute(t, h, "gone")
	require.Error(t, err)
	_, err = h.Execute(t.Context(), hub.Call{Connector: "not\xffUTF-8" + strings.Repeat("x", 1000), Request: "gone"})
	require.Error(t, err)
	calls := c.named("hub.Execute")
	require.Len(t, calls, 2)
	assert.Equal(t, "rejected", attributes(calls[0])["error.type"])
	assert.NotContains(t, attributes(calls[0]), "hub.call.not_repeated", "there was nothing to mend")
	assert.Equal(t, codes.Error, calls[0].Status.Code)
	assert.Empty(t, calls[0].Status.Description)
	assert.Equal(t, "not-found", attributes(calls[1])["error.type"])
	name := attributes(calls[1])["hub.connector.name"].(string)
	assert.True(t, strings.HasPrefix(name, "not\uFFFDUTF-8xxx"))
	assert.Less(t, len(name), 300)
}

func TestACallHangsBelowItsCaller(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h, c := open(t, sdktrace.AlwaysSample())
	connector(t, h, srv, request(hub.Request{Name: "go", Method: "GET", URL: srv.URL}))
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSyncer(c.spans)).Tracer("the host")
	ctx, span := tracer.Start(t.Context(), "host")
	_, err := h.Execute(ctx, hub.Call{Connector: "con", Request: "go"})
	require.NoError(t, err)
	span.End()
	assert.Equal(t, []string{"GET /", "hub.Execute", "host"}, c.names())
	assert.Equal(t, span.SpanContext().TraceID(), c.named("GET /")[0].SpanContext.TraceID())
	assert.Equal(t, span.SpanContext().SpanID(), c.named("hub.Execute")[0].Parent.SpanID())
}

// onlyAttempts is a sampler that records attempts and no calls.
type onlyAttempts struct{}

func (onlyAttempts) Description() string { return "onlyAttempts" }

func (onlyAttempts) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	if strings.HasPrefix(p.Name, "hub.") {
		return sdktrace.SamplingResult{Decision: sdktrace.Drop}
	}
	return sdktrace.SamplingResult{Decision: sdktrace.RecordAndSample}
}

func TestAnAttemptIsRecordedIfItsCallIs(t *testing.T) {
	_, c := propagated(t, onlyAttempts{}, func(*hubotel.Options) {})
	assert.Empty(t, c.names())
	assert.Len(t, c.counted("http.client.request.duration"), 1, "it is counted all the same")
}

// propagated sends one call under a sampler, and returns the headers that arrived.
func propagated(t *testing.T, sampler sdktrace.Sampler, change func(*hubotel.Options)) (map[string][]string, *collected) {
	t.Helper()
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h, c := open(t, sampler, change)
	connector(t, h, srv, request(hub.Request{Name: "go", Method: "GET", URL: srv.URL}))
	_, err := execute(t, h, "go")
	require.NoError(t, err)
	return srv.Requests()[0].Header, c
}

func TestNothingIsSentAlongUnlessAsked(t *testing.T) {
	header, _ := propagated(t, sdktrace.AlwaysSample(), func(*hubotel.Options) {})
	for _, name := range []string{"Traceparent", "Tracestate", "Baggage"} {
		assert.NotContains(t, header, name)
	}
	header, _ = propagated(t, sdktrace.AlwaysSample(), func(o *hubotel.Options) {
		o.Propagate = func(e hub.Event) bool { return e.Host == "elsewhere.example" }
	})
	assert.NotContains(t, header, "Traceparent")
}

func TestTheThirdPartyIsToldOfItsSpan(t *testing.T) {
	always := func(o *hubotel.Options) { o.Propagate = func(hub.Event) bool { return true } }
	header, c := propagated(t, sdktrace.AlwaysSample(), always)
	span := c.named("GET /")[0].SpanContext
	assert.Equal(t, []string{"00-" + span.TraceID().String() + "-" + span.SpanID().String() + "-01"}, header["Traceparent"])

	header, c = propagated(t, sdktrace.NeverSample(), always)
	require.Len(t, header["Traceparent"], 1)
	assert.True(t, strings.HasSuffix(header["Traceparent"][0], "-00"), "what is not recorded says so")
	assert.Empty(t, c.names())

	header, _ = propagated(t, sdktrace.AlwaysSample(), func(o *hubotel.Options) {
		always(o)
		o.Propagator = propagation.NewCompositeTextMapPropagator()
	})
	assert.NotContains(t, header, "Traceparent")
}

// A span's name and attributes come from the definition, which may be any text.
func TestAttemptsOfAllKinds(t *testing.T) {
	for name, tt := range map[string]struct {
		event hub.Event
		span  string
		host  any
		port  any
	}{
		"dynamic":      {hub.Event{Method: "POST", Host: "api.example.com"}, "POST", "api.example.com", int64(443)},
		"wildcard":     {hub.Event{Method: "GET", Path: "/", Host: "*.example.com:8443"}, "GET /", "*.example.com", int64(8443)},
		"IPv6":         {hub.Event{Method: "GET", Path: "/", Host: "[2001:db8::1]"}, "GET /", "2001:db8::1", int64(443)},
		"IPv6, port":   {hub.Event{Method: "GET", Path: "/", Host: "[2001:db8::1]:8443"}, "GET /", "2001:db8::1", int64(8443)},
		"no host":      {hub.Event{Method: "GET", Path: "/"}, "GET /", nil, nil},
		"not a port":   {hub.Event{Method: "GET", Path: "/", Host: "a:b"}, "GET /", nil, nil},
		"other verb":   {hub.Event{Method: "BREW", Path: "/"}, "_OTHER /", nil, nil},
		"strange path": {hub.Event{Method: "GET", Path: "/\xff"}, "GET /\uFFFD", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			spans := tracetest.NewInMemoryExporter()
			tel, err := hubotel.New(&hubotel.Options{TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))})
			require.NoError(t, err)
			ctx, _ := tel.StartCall(context.Background(), hub.Event{Op: "Execute"})
			_, end := tel.StartAttempt(ctx, tt.event, nil)
			end(tt.event)
			require.Len(t, spans.GetSpans(), 1)
			s := spans.GetSpans()[0]
			assert.Equal(t, tt.span, s.Name)
			assert.Equal(t, tt.host, attributes(s)["server.address"])
			assert.Equal(t, tt.port, attributes(s)["server.port"])
		})
	}
}

func TestASpanTellsWhyItsCallWasNotSentAgain(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(503))
	h, c := open(t, sdktrace.AlwaysSample())
	connector(t, h, srv, request(hub.Request{Name: "go", Method: "POST", URL: srv.URL}))
	_, err := execute(t, h, "go")
	require.Error(t, err)
	assert.Equal(t, "not-idempotent", attributes(c.named("hub.Execute")[0])["hub.call.not_repeated"])
}
