package hubotel_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/telemetry/hubotel"
)

// discard is an exporter that takes spans and drops them.
type discard struct{}

func (discard) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (discard) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (discard) Shutdown(context.Context) error                  { return nil }
func (discard) ForceFlush(context.Context) error                { return nil }

// drive tells of one call with one attempt, as a hub does.
func drive(b *testing.B, tracer hub.Tracer) {
	b.Helper()
	now := time.Now()
	begun := hub.Event{Op: "Execute", Tenant: "acme", Connector: "ServiceNow EU", Request: "create-incident", Started: now}
	attempt := begun
	attempt.Op, attempt.CallOp, attempt.Number, attempt.ConnectorID = "Attempt", "Execute", 1, "con_0123456789"
	attempt.Method, attempt.Path, attempt.Host = "POST", "/api/now/table/{{table}}", "acme.service-now.com"
	attempt.Attempts = []hub.Attempt{{Start: now}}
	attempted := attempt
	attempted.Status, attempted.Duration = 201, 20*time.Millisecond
	attempted.Attempts = []hub.Attempt{{Start: now, Duration: attempted.Duration, Status: 201, Sent: true, Address: "public", BytesOut: 600, BytesIn: 1024}}
	ended := attempted
	ended.Op, ended.CallOp, ended.Number, ended.Branch = "Execute", "", 0, hub.OnSuccess
	ctx, header := b.Context(), http.Header{}
	b.ReportAllocs()
	for b.Loop() {
		ctx, endCall := tracer.StartCall(ctx, begun)
		_, endAttempt := tracer.StartAttempt(ctx, attempt, header)
		endAttempt(attempted)
		endCall(ended)
	}
}

// BenchmarkUnsampled is what a call costs that is counted and not recorded.
func BenchmarkUnsampled(b *testing.B) { drive(b, sampling(b, sdktrace.NeverSample())) }

// BenchmarkRecorded is what a call costs that is counted and recorded: two spans.
func BenchmarkRecorded(b *testing.B) { drive(b, sampling(b, sdktrace.AlwaysSample())) }

func sampling(b *testing.B, sampler sdktrace.Sampler) hub.Tracer {
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler), sdktrace.WithSpanProcessor(discard{}))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	tel, err := hubotel.New(&hubotel.Options{TracerProvider: tracers, MeterProvider: meters})
	if err != nil {
		b.Fatal(err)
	}
	return tel
}
