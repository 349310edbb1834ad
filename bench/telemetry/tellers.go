package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/telemetry/hubotel"
)

// discard takes spans and drops them.
type discard struct{}

// OnStart, OnEnd, Shutdown and ForceFlush do nothing.
func (discard) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (discard) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (discard) Shutdown(context.Context) error                  { return nil }
func (discard) ForceFlush(context.Context) error                { return nil }

// providers are those of one of the two.
func providers(sampler sdktrace.Sampler) (*sdktrace.TracerProvider, *sdkmetric.MeterProvider) {
	return sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler), sdktrace.WithSpanProcessor(discard{})),
		sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
}

// newHubotel tells as a hub does of a call with one attempt: two spans if they are recorded, and
// two durations.
func newHubotel(tracers *sdktrace.TracerProvider, meters *sdkmetric.MeterProvider) (teller, error) {
	tel, err := hubotel.New(&hubotel.Options{TracerProvider: tracers, MeterProvider: meters})
	if err != nil {
		return nil, err
	}
	begun := hub.Event{Op: "Execute", Tenant: "acme", Connector: "ServiceNow EU", Request: "create-incident", Started: time.Now()}
	attempt := begun
	attempt.Op, attempt.CallOp, attempt.Number, attempt.ConnectorID = "Attempt", "Execute", 1, "con_0123456789"
	attempt.Method, attempt.Path, attempt.Host = http.MethodPost, "/api/now/table/{{table}}", "acme.service-now.com"
	attempted := attempt
	attempted.Status, attempted.Duration = http.StatusCreated, 20*time.Millisecond
	attempted.Attempts = []hub.Attempt{{Duration: attempted.Duration, Status: http.StatusCreated, Sent: true, Address: "public", BytesOut: 600, BytesIn: 1024}}
	ended := attempted
	ended.Op, ended.CallOp, ended.Number, ended.Branch = "Execute", "", 0, hub.OnSuccess
	return func(ctx context.Context) error {
		header := http.Header{}
		ctx, endCall := tel.StartCall(ctx, begun)
		_, endAttempt := tel.StartAttempt(ctx, attempt, header)
		endAttempt(attempted)
		endCall(ended)
		return nil
	}, nil
}

// What is sent, and what comes back.
var question, answer = strings.Repeat("0", 600), strings.Repeat("0", 1024)

// stub is a way that leads nowhere, and the answer is there.
type stub struct{}

var nowhere http.RoundTripper = stub{}

// RoundTrip answers.
func (stub) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusCreated, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		ContentLength: int64(len(answer)), Body: io.NopCloser(strings.NewReader(answer)),
	}, nil
}

// newOtelhttp tells of a request and its answer, as otelhttp's transport does: one span if it is
// recorded, a duration and a size.
func newOtelhttp(tracers *sdktrace.TracerProvider, meters *sdkmetric.MeterProvider) teller {
	transport := otelhttp.NewTransport(nowhere, otelhttp.WithTracerProvider(tracers), otelhttp.WithMeterProvider(meters),
		otelhttp.WithPropagators(propagation.NewCompositeTextMapPropagator()))
	return func(ctx context.Context) error { return post(ctx, transport) }
}

// untold is the same request and its answer, of which nobody is told.
func untold(ctx context.Context) error { return post(ctx, nowhere) }

// post sends, and reads the answer to its end.
func post(ctx context.Context, way http.RoundTripper) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://acme.service-now.com/api/now/table/incident", strings.NewReader(question))
	if err != nil {
		return err
	}
	resp, err := way.RoundTrip(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}
