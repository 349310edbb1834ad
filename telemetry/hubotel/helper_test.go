package hubotel_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/telemetry/hubotel"
)

// collected is what OpenTelemetry was told.
type collected struct {
	t      testing.TB
	spans  *tracetest.InMemoryExporter
	reader *sdkmetric.ManualReader
}

// open returns a hub whose calls are traced and counted in memory.
func open(t testing.TB, sampler sdktrace.Sampler, change ...func(*hubotel.Options)) (*hub.Tenant, *collected) {
	t.Helper()
	c := &collected{t: t, spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	opts := &hubotel.Options{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler), sdktrace.WithSyncer(c.spans)),
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(c.reader)),
	}
	for _, f := range change {
		f(opts)
	}
	tel, err := hubotel.New(opts)
	require.NoError(t, err)
	return hubtest.New(t, &hub.Options{
		Tracer: tel, Egress: hub.Egress{AllowHTTP: true}, Breaker: hub.Breaker{Calls: -1}, // statuses are bad on purpose
	}).Tenant("acme"), c
}

// span returns the spans of a name, in the order in which they ended.
func (c *collected) named(name string) []tracetest.SpanStub {
	var list []tracetest.SpanStub
	for _, s := range c.spans.GetSpans() {
		if s.Name == name {
			list = append(list, s)
		}
	}
	return list
}

// names returns the names of all spans, in the order in which they ended.
func (c *collected) names() []string {
	var list []string
	for _, s := range c.spans.GetSpans() {
		list = append(list, s.Name)
	}
	return list
}

// attributes returns the attributes of a span.
func attributes(s tracetest.SpanStub) map[string]any { return values(s.Attributes) }

func values(list []attribute.KeyValue) map[string]any {
	out := map[string]any{}
	for _, kv := range list {
		out[string(kv.Key)] = kv.Value.AsInterface()
	}
	return out
}

// metrics reads the instruments.
func (c *collected) metrics() map[string]metricdata.Metrics {
	c.t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(c.t, c.reader.Collect(context.Background(), &all))
	out := map[string]metricdata.Metrics{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			out[m.Name] = m
		}
	}
	return out
}

// counted returns how much each series of an instrument counted, by its labels as JSON.
func (c *collected) counted(instrument string) map[string]int {
	c.t.Helper()
	out := map[string]int{}
	add := func(set attribute.Set, n int) {
		key, err := json.Marshal(values(set.ToSlice()))
		require.NoError(c.t, err)
		out[string(key)] += n
	}
	switch data := c.metrics()[instrument].Data.(type) {
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, int(p.Count))
		}
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			add(p.Attributes, int(p.Value))
		}
	}
	return out
}

// series returns the series of all instruments: name and labels.
func (c *collected) series() map[string]bool {
	out := map[string]bool{}
	for name := range c.metrics() {
		for labels := range c.counted(name) {
			out[name+" "+labels] = true
		}
	}
	return out
}

// connector saves a connector named "con" whose requests the server answers; nil: another one.
func connector(t testing.TB, h *hub.Tenant, srv *hubtest.Server, change ...func(*hub.Connector)) hub.Connector {
	t.Helper()
	con := hub.Connector{Name: "con"}
	if srv != nil {
		con.TLS, con.Hosts = &hub.TLS{CA: string(srv.CA())}, []string{srv.Host()}
	}
	for _, f := range change {
		f(&con)
	}
	tpl := hub.Template{Name: "App", Methods: []string{"GET", "POST", "PUT", "DELETE"}, AuthType: con.Auth.Kind}
	_, saved, err := h.CreateTemplateAndConnector(t.Context(), tpl, con)
	require.NoError(t, err)
	return saved
}

// request gives a connector one more request.
func request(r hub.Request) func(*hub.Connector) {
	return func(c *hub.Connector) { c.Requests = append(c.Requests, r) }
}

// oauth fetches tokens at the server's /token.
func oauth(srv *hubtest.Server) func(*hub.Connector) {
	return func(c *hub.Connector) {
		c.Auth = hub.Auth{Kind: hub.AuthOAuth2, Request: &hub.AuthRequest{Method: "POST", URL: srv.URL + "/token"}}
	}
}

func execute(t testing.TB, h *hub.Tenant, name string, payload ...string) (*hub.Result, error) {
	call := hub.Call{Connector: "con", Request: name}
	if len(payload) > 0 {
		call.Payload = json.RawMessage(payload[0])
	}
	return h.Execute(t.Context(), call)
}

func mapped(name, method, url string) hub.Request {
	return hub.Request{Name: name, Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped, Method: method, URL: url}
}
