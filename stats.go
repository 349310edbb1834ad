package hub

import "time"

// Stats are figures of a hub as a whole, over all its tenants, as this hub has seen it since it
// was started: other instances on the same store have their own. [Tenant.Health] has those
// of one connector.
type Stats struct {
	// InFlight counts the calls that are under way, those of Authenticate and HTTPClient among
	// them. Held are those of them that wait for their turn under a rate limit, or because an
	// answer to another call said so; whoever pauses before it is sent again is not one of
	// them. Queued counts the calls that wait for a place.
	InFlight int `json:"inFlight"`
	Held     int `json:"held"`
	Queued   int `json:"queued"`
	// MaxInFlight is Limits.HubCalls; zero: no limit.
	MaxInFlight int `json:"maxInFlight"`
	// Waits counts the calls that had to wait for a place and wait no more, whether they got
	// one or not; Waited is how long they did so together. Both only grow.
	Waits  int64         `json:"waits"`
	Waited time.Duration `json:"waited"`
	// Circuits are those of the connectors that are remembered (Limits.Remembered).
	Circuits CircuitStats `json:"circuits"`
	// HeldOrigins counts where calls have to wait because an answer said so: pairs of a
	// connector and an origin, as circuits are.
	HeldOrigins int `json:"heldOrigins"`
}

// CircuitStats count circuits by their state. One that was open and whose time is over is
// half-open until calls have shown that it may close.
type CircuitStats struct {
	Closed   int `json:"closed"`
	Open     int `json:"open"`
	HalfOpen int `json:"halfOpen"`
}

// Stats returns how the hub fares as a whole. It reads and calls nobody, and costs about a tenth
// of a microsecond for each connector that is remembered, so it can be asked every few seconds.
// Tenants do not have it: it tells of all of them.
func (h *Hub) Stats() Stats { return h.stats() }

func (c *core) stats() Stats {
	s := Stats{Waits: c.gates.waits.Load(), Waited: time.Duration(c.gates.waited.Load())}
	s.InFlight, s.Queued = c.gates.countAll()
	s.Held = min(int(c.held.Load()), s.InFlight) // they were not counted at the same moment
	if c.limits.HubCalls < unlimited[int]() {
		s.MaxInFlight = c.limits.HubCalls
	}
	for _, t := range c.traffics.list() {
		t.count(&s)
	}
	return s
}

// countAll tells how many calls are inside and how many wait.
func (g *gates) countAll() (inside, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.hub.inside, g.hub.waiting
}

// list returns what is remembered of all connectors.
func (ts *traffics) list() []*traffic {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	all := make([]*traffic, 0, ts.recent.Len())
	for el := ts.recent.Front(); el != nil; el = el.Next() {
		all = append(all, el.Value.(*traffic))
	}
	return all
}

// count adds what is remembered of a connector.
func (t *traffic) count(s *Stats) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.origins {
		if o.held() > 0 {
			s.HeldOrigins++
		}
		if o.circuit != nil {
			s.Circuits.add(o.circuit.state())
		}
	}
}

func (c *CircuitStats) add(state CircuitState, _ time.Duration) {
	switch state {
	case CircuitOpened:
		c.Open++
	case CircuitHalfOpen:
		c.HalfOpen++
	default:
		c.Closed++
	}
}
