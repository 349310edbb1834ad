package hubotel

import (
	"context"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/integrationhub/hub"
)

// scope names this package to OpenTelemetry.
const scope = "github.com/integrationhub/hub/telemetry/hubotel"

// Options are what [New] can be told. Nil and the zero value of each field mean the default
// written on it.
type Options struct {
	// TracerProvider makes the spans. Nil: the one that the program has set with
	// otel.SetTracerProvider, before or after. noop.NewTracerProvider() makes none.
	TracerProvider trace.TracerProvider

	// MeterProvider counts. Nil: the one that the program has set with
	// otel.SetMeterProvider, before or after. noop.NewMeterProvider() counts nothing.
	MeterProvider metric.MeterProvider

	// Propagate says which attempts tell the third party of the trace: usually those to hosts
	// of one's own. It must be safe for concurrent use and quick. Nil: none do.
	Propagate func(hub.Event) bool

	// Propagator writes what they are told. Nil: traceparent and tracestate
	// (propagation.TraceContext), and no baggage.
	Propagator propagation.TextMapPropagator

	// MetricAttributes returns labels for what an event adds to the metrics, beside those
	// of the package documentation. Each combination of values is a series of its own that
	// the program keeps, so they should come from a closed set: a tenant's plan rather than
	// its name. It must be safe for concurrent use and quick. Nil: no more labels.
	MetricAttributes func(hub.Event) []attribute.KeyValue
}

// Telemetry tells OpenTelemetry of calls. It is a [hub.Tracer], may serve several hubs, and
// has nothing to close: the providers are the program's.
type Telemetry struct {
	tracer     trace.Tracer
	meters     meters
	gauges     gauges
	propagate  func(hub.Event) bool
	propagator propagation.TextMapPropagator
	operations *memo[string, string] // :: operation → the name of its spans
	attempts   *memo[target, begin]
	successes  *memo[who, []attribute.KeyValue]

	// What ends without a span needs no closure of its own.
	callEnded, attemptEnded func(hub.Event)
}

var (
	_ hub.Tracer      = (*Telemetry)(nil)
	_ hub.StateTracer = (*Telemetry)(nil)
	_ hub.StatsTracer = (*Telemetry)(nil)
)

// StateChanged implements [hub.StateTracer].
func (t *Telemetry) StateChanged(ctx context.Context, e hub.Event) { t.meters.state(ctx, &e) }

// HubOpened implements [hub.StatsTracer]: the hub is asked when metrics are collected.
func (t *Telemetry) HubOpened(stats func() hub.Stats) (closed func()) {
	return t.gauges.hubs.add(stats)
}

// New returns a Telemetry. Nil options mean the defaults. It fails if the MeterProvider
// refuses an instrument.
func New(opts *Options) (*Telemetry, error) {
	if opts == nil {
		opts = &Options{}
	}
	t := &Telemetry{
		propagate: opts.Propagate, propagator: opts.Propagator,
		operations: newMemo(func(op string) string { return "hub." + op }), attempts: newMemo(target.begin), successes: newMemo(who.succeeded),
	}
	if t.propagator == nil {
		t.propagator = propagation.TraceContext{}
	}
	tracers, metrics := opts.TracerProvider, opts.MeterProvider
	if tracers == nil {
		tracers = otel.GetTracerProvider()
	}
	if metrics == nil {
		metrics = otel.GetMeterProvider()
	}
	t.tracer = tracers.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL))
	meter := metrics.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))
	err := t.meters.init(meter)
	if err == nil {
		err = t.gauges.init(meter)
	}
	if err != nil {
		return nil, fmt.Errorf("hubotel: New: %w", err)
	}
	t.meters.more = opts.MetricAttributes
	t.callEnded, t.attemptEnded = t.meters.callEnded, t.meters.attemptEnded
	return t, nil
}

// Attributes of the hub's own.
const (
	keyOperation   = "hub.operation"
	keyTenant      = "hub.tenant"
	keyConnector   = "hub.connector.name"
	keyConnectorID = "hub.connector.id"
	keyRequest     = "hub.request.name"
	keyBranch      = "hub.branch"
	keySubstitute  = "hub.substitute"
	keyCause       = "hub.substitute.cause"
	keyNotRepeated = "hub.call.not_repeated"
	keyCircuit     = "hub.circuit.state"
	keyCall        = "hub.call.state"
	keyAuth        = "hub.auth.state"
	keyRenewed     = "hub.token.renewed"
	keyVersion     = "hub.secret.version"
	keyWait        = "hub.attempt.wait"
	keyVerdict     = "hub.attempt.verdict"
	keyAddress     = "hub.attempt.address_class"
	keySent        = "hub.attempt.sent"
)

// maxText bounds a name in an attribute: a caller may ask for what no connector is called.
const maxText = 255

// text is an attribute of a name.
func text(key, name string) attribute.KeyValue { return attribute.String(key, clean(name)) }

// clean is a text that exporters can send: one that is not UTF-8 costs all that goes with it.
func clean(name string) string {
	if len(name) > maxText {
		name = name[:maxText]
	}
	return strings.ToValidUTF8(name, "\uFFFD")
}
