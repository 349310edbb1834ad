package hubotel

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/integrationhub/hub"
)

// gauges are the instruments that are asked when metrics are collected.
type gauges struct {
	active, most, circuits, held metric.Int64ObservableUpDownCounter
	waits                        metric.Int64ObservableCounter
	waited                       metric.Float64ObservableCounter

	hubs hubs
}

// Labels of the gauges: all that there are.
var (
	running  = metric.WithAttributeSet(attribute.NewSet(attribute.String(keyCall, "running")))
	held     = metric.WithAttributeSet(attribute.NewSet(attribute.String(keyCall, "held")))
	queued   = metric.WithAttributeSet(attribute.NewSet(attribute.String(keyCall, "queued")))
	closed   = metric.WithAttributeSet(attribute.NewSet(attribute.String(keyCircuit, string(hub.CircuitClosed))))
	opened   = metric.WithAttributeSet(attribute.NewSet(attribute.String(keyCircuit, string(hub.CircuitOpened))))
	halfOpen = metric.WithAttributeSet(attribute.NewSet(attribute.String(keyCircuit, string(hub.CircuitHalfOpen))))
)

func (g *gauges) init(meter metric.Meter) (err error) {
	for _, c := range []struct {
		of                      *metric.Int64ObservableUpDownCounter
		name, unit, description string
	}{
		{&g.active, "hub.call.active", "{call}", "Calls that run, are held back, or wait for a place."},
		{&g.most, "hub.call.max", "{call}", "Calls that may run at once."},
		{&g.circuits, "hub.circuit.count", "{circuit}", "Circuits, by how they are."},
		{&g.held, "hub.origin.held", "{origin}", "Origins to which calls are held back because an answer said so."},
	} {
		if *c.of, err = meter.Int64ObservableUpDownCounter(c.name, metric.WithUnit(c.unit), metric.WithDescription(c.description)); err != nil {
			return err
		}
	}
	if g.waits, err = meter.Int64ObservableCounter("hub.call.waits", metric.WithUnit("{call}"),
		metric.WithDescription("Calls that had to wait for a place.")); err != nil {
		return err
	}
	if g.waited, err = meter.Float64ObservableCounter("hub.call.wait_time", metric.WithUnit("s"),
		metric.WithDescription("Time that calls have waited for a place.")); err != nil {
		return err
	}
	_, err = meter.RegisterCallback(g.observe, g.active, g.most, g.circuits, g.held, g.waits, g.waited)
	return err
}

// observe tells the figures of all hubs together: two that told them by turns would hide each other's.
func (g *gauges) observe(_ context.Context, o metric.Observer) error {
	s := g.hubs.sum()
	o.ObserveInt64(g.active, int64(s.InFlight-s.Held), running)
	o.ObserveInt64(g.active, int64(s.Held), held)
	o.ObserveInt64(g.active, int64(s.Queued), queued)
	o.ObserveInt64(g.most, int64(s.MaxInFlight))
	o.ObserveInt64(g.circuits, int64(s.Circuits.Closed), closed)
	o.ObserveInt64(g.circuits, int64(s.Circuits.Open), opened)
	o.ObserveInt64(g.circuits, int64(s.Circuits.HalfOpen), halfOpen)
	o.ObserveInt64(g.held, int64(s.HeldOrigins))
	o.ObserveInt64(g.waits, s.Waits)
	o.ObserveFloat64(g.waited, s.Waited.Seconds())
	return nil
}

// hubs are those that are open.
type hubs struct {
	mu     sync.Mutex
	open   map[*func() hub.Stats]struct{}
	waits  int64 // of those that have been closed: counters do not shrink
	waited time.Duration
}

// add asks a hub from now on, until it is closed.
func (h *hubs) add(stats func() hub.Stats) (closed func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open == nil {
		h.open = map[*func() hub.Stats]struct{}{}
	}
	h.open[&stats] = struct{}{}
	return func() { h.remove(&stats) }
}

func (h *hubs) remove(stats *func() hub.Stats) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.open, stats)
	last := (*stats)()
	h.waits += last.Waits
	h.waited += last.Waited
}

// sum returns the figures of all of them.
func (h *hubs) sum() hub.Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	sum := hub.Stats{Waits: h.waits, Waited: h.waited}
	for stats := range h.open {
		s := (*stats)()
		sum.InFlight += s.InFlight
		sum.Held += s.Held
		sum.Queued += s.Queued
		sum.MaxInFlight += s.MaxInFlight
		sum.Waits += s.Waits
		sum.Waited += s.Waited
		sum.Circuits.Closed += s.Circuits.Closed
		sum.Circuits.Open += s.Circuits.Open
		sum.Circuits.HalfOpen += s.Circuits.HalfOpen
		sum.HeldOrigins += s.HeldOrigins
	}
	return sum
}
