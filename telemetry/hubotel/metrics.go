package hubotel

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/integrationhub/hub"
)

// meters are the instruments.
type meters struct {
	requests metric.Float64Histogram
	calls    metric.Float64Histogram
	retries  metric.Int64Counter
	renewals metric.Int64Counter
	stops    metric.Int64Counter
	circuits metric.Int64Counter
	auths    metric.Int64Counter
	more     func(hub.Event) []attribute.KeyValue // nil: no more labels

	labels series
}

// Bounds of the buckets, in seconds: those of the conventions, and up to the longest timeout.
var (
	requestBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	callBounds    = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60, 120}
)

func (m *meters) init(meter metric.Meter) (err error) {
	if m.requests, err = meter.Float64Histogram("http.client.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of HTTP client requests."), metric.WithExplicitBucketBoundaries(requestBounds...)); err != nil {
		return err
	}
	if m.calls, err = meter.Float64Histogram("hub.call.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of calls, waiting and all attempts included."), metric.WithExplicitBucketBoundaries(callBounds...)); err != nil {
		return err
	}
	for _, c := range []struct {
		of                      *metric.Int64Counter
		name, unit, description string
	}{
		{&m.retries, "hub.call.retries", "{attempt}", "Attempts beyond the first of a call."},
		{&m.renewals, "hub.token.renewals", "{renewal}", "Authentications that were sent for a token."},
		{&m.stops, "hub.call.not_repeated", "{call}", "Calls that another attempt might have mended, and that were not sent again."},
		{&m.circuits, "hub.circuit.changes", "{change}", "Circuits that opened or closed."},
		{&m.auths, "hub.auth.changes", "{change}", "Changes of how a connector's authentication is."},
	} {
		if *c.of, err = meter.Int64Counter(c.name, metric.WithUnit(c.unit), metric.WithDescription(c.description)); err != nil {
			return err
		}
	}
	return nil
}

// callEnded counts a call that has no span.
func (m *meters) callEnded(e hub.Event) { m.call(context.Background(), &e) }

// attemptEnded counts an attempt that has no span.
func (m *meters) attemptEnded(e hub.Event) { m.attempt(context.Background(), &e) }

func (m *meters) call(ctx context.Context, e *hub.Event) {
	of := m.of(e, label{kind: ofCall, word: e.Op, branch: string(e.Branch), substitute: string(e.Substitute), failure: failed(e)})
	m.calls.Record(ctx, e.Duration.Seconds(), of.record...)
	if n := len(e.Attempts); n > 1 {
		m.retries.Add(ctx, int64(n-1), m.of(e, label{kind: ofRetries, word: e.Op}).add...)
	}
	if e.NotRepeated != "" {
		m.stops.Add(ctx, 1, m.of(e, label{kind: ofStops, word: e.Op, branch: string(e.NotRepeated)}).add...)
	}
	if e.Op == "Authenticate" && len(e.Attempts) > 0 {
		m.renewals.Add(ctx, 1, m.of(e, label{kind: ofRenewals, failure: string(e.Code)}).add...)
	}
}

func (m *meters) attempt(ctx context.Context, e *hub.Event) {
	failure := ""
	if len(e.Attempts) > 0 {
		failure = e.Attempts[0].Failure
	}
	of := m.of(e, label{kind: ofAttempt, word: methodOf(e.Method), status: statusOf(e.Status), failure: failure})
	m.requests.Record(ctx, e.Duration.Seconds(), of.record...)
}

// state counts what is no call.
func (m *meters) state(ctx context.Context, e *hub.Event) {
	switch {
	case e.Circuit != "":
		m.circuits.Add(ctx, 1, m.of(e, label{kind: ofCircuits, word: string(e.Circuit)}).add...)
	case e.AuthState != "":
		m.auths.Add(ctx, 1, m.of(e, label{kind: ofAuths, word: string(e.AuthState)}).add...)
	}
}

// statusOf is a status, one that nobody has registered as the first of its class (RFC 9110
// section 15): what third parties make up adds no series.
func statusOf(status int) int {
	switch {
	case status == 0 || http.StatusText(status) != "":
		return status
	case status >= 600:
		return 500
	}
	return status / 100 * 100
}

// label is what distinguishes a series; each member comes from a list that this package or
// the hub has.
type label struct {
	kind                  kind
	word, branch, failure string
	substitute            string
	status                int
}

type kind int

const (
	ofCall kind = iota
	ofRetries
	ofRenewals
	ofAttempt
	ofStops
	ofCircuits
	ofAuths
)

// attributes spells a label out.
func (l label) attributes() []attribute.KeyValue {
	var list []attribute.KeyValue
	failure := l.failure
	switch l.kind {
	case ofCall:
		list = append(list, attribute.String(keyOperation, l.word), attribute.String(keyBranch, l.branch))
		if l.substitute != "" {
			list = append(list, attribute.String(keySubstitute, l.substitute))
		}
	case ofRetries:
		list = append(list, attribute.String(keyOperation, l.word))
	case ofStops:
		list = append(list, attribute.String(keyOperation, l.word), attribute.String(keyNotRepeated, l.branch))
	case ofCircuits:
		list = append(list, attribute.String(keyCircuit, l.word))
	case ofAuths:
		list = append(list, attribute.String(keyAuth, l.word))
	case ofAttempt:
		list = append(list, semconv.HTTPRequestMethodKey.String(l.word))
		if l.status != 0 {
			list = append(list, semconv.HTTPResponseStatusCode(l.status))
		}
		failure = errorType(l.failure, l.status)
	}
	if failure != "" {
		list = append(list, semconv.ErrorTypeKey.String(failure))
	}
	return list
}

// options are a label's attributes as instruments take them.
type options struct {
	record []metric.RecordOption
	add    []metric.AddOption
}

func newOptions(list []attribute.KeyValue) *options {
	set := metric.WithAttributeSet(attribute.NewSet(list...))
	return &options{record: []metric.RecordOption{set}, add: []metric.AddOption{set}}
}

// of returns the options of a label, with what the program adds to it.
func (m *meters) of(e *hub.Event, l label) *options {
	if m.more == nil {
		return m.labels.get(l)
	}
	return newOptions(slices.Concat(m.more(*e), l.attributes()))
}

// series keeps the options of the labels that were met, so that counting makes nothing anew.
// It is read without a lock.
type series struct {
	met atomic.Pointer[map[label]*options]
	mu  sync.Mutex // guards the making of another map
}

func (s *series) get(l label) *options {
	if met := s.met.Load(); met != nil {
		if o := (*met)[l]; o != nil {
			return o
		}
	}
	return s.add(l)
}

func (s *series) add(l label) *options {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[label]*options{}
	if met := s.met.Load(); met != nil {
		if o := (*met)[l]; o != nil {
			return o
		}
		next = maps.Clone(*met)
	}
	next[l] = newOptions(l.attributes())
	s.met.Store(&next)
	return next[l]
}
