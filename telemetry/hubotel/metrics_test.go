package hubotel_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/telemetry/hubotel"
)

func TestWhatIsCounted(t *testing.T) {
	for name, sampler := range map[string]sdktrace.Sampler{"recorded": sdktrace.AlwaysSample(), "not recorded": sdktrace.NeverSample()} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("POST /token", hubtest.Sequence(hubtest.Status(400), hubtest.Token("tok-0123456789", time.Hour)))
			srv.Handle("/things", hubtest.Sequence(hubtest.Status(503).RetryAfter(0), hubtest.Drop(), hubtest.Status(200)))
			srv.Handle("/gone", hubtest.Status(410))
			h, c := open(t, sampler)
			connector(t, h, srv, oauth(srv), request(hub.Request{Name: "read", Method: "GET", URL: srv.URL + "/things"}),
				request(hub.Request{Name: "gone", Method: "DELETE", URL: srv.URL + "/gone"}))
			_, err := h.Authenticate(t.Context(), "con")
			require.Error(t, err)
			_, err = h.Authenticate(t.Context(), "con")
			require.NoError(t, err)
			_, err = execute(t, h, "read")
			require.NoError(t, err)
			_, err = execute(t, h, "gone")
			require.Error(t, err)
			_, err = execute(t, h, "absent")
			require.Error(t, err)

			assert.Equal(t, map[string]int{
				`{"error.type":"400","http.request.method":"POST","http.response.status_code":400}`:   1,
				`{"http.request.method":"POST","http.response.status_code":200}`:                      1,
				`{"error.type":"503","http.request.method":"GET","http.response.status_code":503}`:    1,
				`{"error.type":"read","http.request.method":"GET"}`:                                   1,
				`{"http.request.method":"GET","http.response.status_code":200}`:                       1,
				`{"error.type":"410","http.request.method":"DELETE","http.response.status_code":410}`: 1,
			}, c.counted("http.client.request.duration"))
			assert.Equal(t, map[string]int{
				`{"error.type":"unauthorized","hub.branch":"OnError","hub.operation":"Authenticate"}`: 1,
				`{"hub.branch":"OnSuccess","hub.operation":"Authenticate"}`:                           1,
				`{"hub.branch":"OnSuccess","hub.operation":"Execute"}`:                                1,
				`{"error.type":"rejected","hub.branch":"OnError","hub.operation":"Execute"}`:          1,
				`{"error.type":"not-found","hub.branch":"OnError","hub.operation":"Execute"}`:         1,
			}, c.counted("hub.call.duration"))
			assert.Equal(t, map[string]int{`{"hub.operation":"Execute"}`: 2}, c.counted("hub.call.retries"))
			assert.Equal(t, map[string]int{`{}`: 1, `{"error.type":"unauthorized"}`: 1}, c.counted("hub.token.renewals"))
			for name, m := range c.metrics() {
				if data, ok := m.Data.(metricdata.Histogram[float64]); ok {
					assert.Equal(t, "s", m.Unit, name)
					assert.Positive(t, data.DataPoints[0].Sum)
				}
			}
		})
	}
}

// What a third party makes up is counted as what its class means.
func TestStatusesThatNobodyRegistered(t *testing.T) {
	reader := sdkmetric.NewManualReader()
	tel, err := hubotel.New(&hubotel.Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))})
	require.NoError(t, err)
	for status := range 1000 {
		if status == 0 || status >= 100 {
			_, end := tel.StartAttempt(t.Context(), hub.Event{Method: "GET"}, http.Header{})
			end(hub.Event{Method: "GET", Status: status})
		}
	}
	c := &collected{t: t, reader: reader}
	counted := c.counted("http.client.request.duration")
	assert.Less(t, len(counted), 70)
	assert.Equal(t, 1, counted[`{"error.type":"418","http.request.method":"GET","http.response.status_code":418}`])
	assert.Greater(t, counted[`{"error.type":"500","http.request.method":"GET","http.response.status_code":500}`], 400)
}

func TestLabelsOfTheProgramsOwn(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h, c := open(t, sdktrace.NeverSample(), func(o *hubotel.Options) {
		o.MetricAttributes = func(e hub.Event) []attribute.KeyValue {
			return []attribute.KeyValue{attribute.String("tenant", e.Tenant), attribute.String("hub.operation", "not this one")}
		}
	})
	connector(t, h, srv, request(hub.Request{Name: "go", Method: "GET", URL: srv.URL}))
	_, err := execute(t, h, "go")
	require.NoError(t, err)
	assert.Equal(t, map[string]int{`{"hub.branch":"OnSuccess","hub.operation":"Execute","tenant":"acme"}`: 1}, c.counted("hub.call.duration"))
}

// refusing is a provider whose meter makes so many instruments and no more.
type refusing struct {
	noop.MeterProvider
	left int
}

var errRefused = errors.New("no more instruments")

func (r *refusing) Meter(string, ...metric.MeterOption) metric.Meter { return refusingMeter{of: r} }

type refusingMeter struct {
	noop.Meter
	of *refusing
}

func (m refusingMeter) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return noop.Float64Histogram{}, m.of.take()
}

func (m refusingMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return noop.Int64Counter{}, m.of.take()
}

func (m refusingMeter) Int64ObservableUpDownCounter(string, ...metric.Int64ObservableUpDownCounterOption) (metric.Int64ObservableUpDownCounter, error) {
	return noop.Int64ObservableUpDownCounter{}, m.of.take()
}

func (m refusingMeter) Int64ObservableCounter(string, ...metric.Int64ObservableCounterOption) (metric.Int64ObservableCounter, error) {
	return noop.Int64ObservableCounter{}, m.of.take()
}

func (m refusingMeter) Float64ObservableCounter(string, ...metric.Float64ObservableCounterOption) (metric.Float64ObservableCounter, error) {
	return noop.Float64ObservableCounter{}, m.of.take()
}

func (m refusingMeter) RegisterCallback(metric.Callback, ...metric.Observable) (metric.Registration, error) {
	return noop.Registration{}, m.of.take()
}

func (r *refusing) take() error {
	if r.left--; r.left < 0 {
		return errRefused
	}
	return nil
}

func TestAMeterThatRefuses(t *testing.T) {
	const instruments = 14
	for n := range instruments {
		_, err := hubotel.New(&hubotel.Options{MeterProvider: &refusing{left: n}})
		require.ErrorIs(t, err, errRefused)
		assert.ErrorContains(t, err, "hubotel: New: ")
	}
	_, err := hubotel.New(&hubotel.Options{MeterProvider: &refusing{left: instruments}})
	require.NoError(t, err)
}

// Without options the program's own providers are told, also those that it sets later.
func TestTheProgramsProviders(t *testing.T) {
	before := otel.GetMeterProvider()
	defer otel.SetMeterProvider(before)
	tel, err := hubotel.New(nil)
	require.NoError(t, err)
	reader := sdkmetric.NewManualReader()
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	_, end := tel.StartCall(t.Context(), hub.Event{Op: "Execute"})
	end(hub.Event{Op: "Execute", Branch: hub.OnSuccess})
	c := &collected{t: t, reader: reader}
	assert.Len(t, c.counted("hub.call.duration"), 1)
}

// What whoever is on call asks for at night: which circuits opened, whose credentials are
// refused, why nothing was sent again.
func TestWhatIsNoCallIsCounted(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", hubtest.Sequence(hubtest.Token("tok-0123456789", time.Hour), hubtest.JSON(400, map[string]string{"error": "invalid_client"})))
	srv.Handle("/", hubtest.Status(503))
	reader := sdkmetric.NewManualReader()
	tel, err := hubotel.New(&hubotel.Options{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))})
	require.NoError(t, err)
	c := &collected{t: t, reader: reader}
	h := hubtest.New(t, &hub.Options{Tracer: tel, Breaker: hub.Breaker{Calls: 4, Failures: 50, Open: time.Hour}}).Tenant("acme")
	connector(t, h, srv, oauth(srv), request(hub.Request{Name: "go", Method: "POST", URL: srv.URL}))
	_, err = execute(t, h, "go")
	require.ErrorIs(t, err, hub.Rejected)
	_, err = h.Authenticate(t.Context(), "con")
	require.ErrorIs(t, err, hub.Unauthorized)
	_, err = execute(t, h, "go")
	require.ErrorIs(t, err, hub.Rejected)
	assert.Equal(t, map[string]int{`{"hub.call.not_repeated":"not-idempotent","hub.operation":"Execute"}`: 2}, c.counted("hub.call.not_repeated"))
	assert.Equal(t, map[string]int{`{"hub.circuit.state":"open"}`: 1}, c.counted("hub.circuit.changes"))
	assert.Equal(t, map[string]int{`{"hub.auth.state":"degraded"}`: 1}, c.counted("hub.auth.changes"))
}
