package hub

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// Breaker says when a circuit opens. Each connector has one for each origin (scheme, host and
// port) that it calls; requests, authentication and HTTPClient share it. While it is open
// nothing is sent: calls fail at once with [CircuitOpen].
//
// An attempt has failed if no connection was made, TLS was not agreed on, the connection
// broke, what came was no HTTP, or the answer is a 5xx that does not count as success; and
// if no answer came in time, provided that it had a second, or half of the request's timeout.
// No other status is a failure, and a caller that gives up counts neither way.
type Breaker struct {
	// Calls is how many attempts must have ended within Window before a circuit opens:
	// 20. Negative: circuits never open.
	Calls int
	// Failures is how many of a hundred must have failed: 60.
	Failures int
	// Window is how long an attempt counts: 10 s.
	Window time.Duration
	// Open is how long a circuit stays open, and up to a quarter more, at random: 5 s.
	Open time.Duration
	// Probes is how many attempts then pass, and must succeed for the circuit to close:
	// 3. One that fails opens it again.
	Probes int
}

// CircuitState is how a circuit is.
type CircuitState string

// The states.
const (
	CircuitClosed   CircuitState = "closed"    // calls go through
	CircuitOpened   CircuitState = "open"      // none does
	CircuitHalfOpen CircuitState = "half-open" // a few do, to see
)

func (b Breaker) withDefaults() Breaker {
	if b.Calls == 0 {
		b.Calls = 20
	}
	set(&b.Failures, 60)
	set(&b.Window, 10*time.Second)
	set(&b.Open, 5*time.Second)
	set(&b.Probes, 3)
	b.Window, b.Open = min(b.Window, unlimited[time.Duration]()), min(b.Open, unlimited[time.Duration]())
	b.Probes = min(b.Probes, unlimited[int]())
	return b
}

func (b Breaker) check() error {
	if b.Failures < 0 || b.Failures > 100 {
		return fmt.Errorf("hub: Options.Breaker.Failures: %d is not a percentage (1 to 100)", b.Failures)
	}
	for name, negative := range map[string]bool{"Window": b.Window < 0, "Open": b.Open < 0, "Probes": b.Probes < 0} {
		if negative {
			return fmt.Errorf("hub: Options.Breaker.%s: must not be negative; Calls: -1 switches circuits off", name)
		}
	}
	return nil
}

// windowParts is how finely a window slides.
const windowParts = 5

// errNeither is the outcome of an attempt that says nothing about the origin, errFailed that
// of one that failed.
var (
	errNeither = errors.New("neither")
	errFailed  = errors.New("failed")
)

// circuit is a circuit breaker that tells how long it stays open and how it changed.
type circuit struct {
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
	open    time.Duration
	news    atomic.Bool // there are changes

	mu      sync.Mutex
	until   time.Time // when an open circuit lets probes pass
	changes []CircuitState
}

// newCircuit returns a closed circuit, nil if they are switched off. It keeps b, which does not change.
func newCircuit(b *Breaker) *circuit {
	if b.Calls < 0 {
		return nil
	}
	c := &circuit{open: b.Open + rand.N(b.Open/4+1)}
	c.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:  uint32(b.Probes),
		Interval:     b.Window,
		BucketPeriod: max(b.Window/windowParts, 1),
		Timeout:      c.open,
		ReadyToTrip: func(n gobreaker.Counts) bool {
			ended := int(n.TotalSuccesses + n.TotalFailures)
			return ended >= b.Calls && int(n.TotalFailures)*100 >= ended*b.Failures
		},
		IsExcluded:    func(err error) bool { return err == errNeither },
		OnStateChange: c.changed,
	})
	return c
}

// changed runs under the breaker's lock.
func (c *circuit) changed(_ string, from, to gobreaker.State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case to == gobreaker.StateOpen:
		c.until = time.Now().Add(c.open)
		if from == gobreaker.StateClosed { // a probe that failed is no news
			c.changes = append(c.changes, CircuitOpened)
		}
	case to == gobreaker.StateClosed:
		c.changes = append(c.changes, CircuitClosed)
	}
	c.news.Store(len(c.changes) > 0)
}

// told returns the changes that nobody has been told of.
func (c *circuit) told() []CircuitState {
	if !c.news.Load() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.changes
	c.changes = nil
	c.news.Store(false)
	return list
}

// state returns the state, and how long an open circuit stays so.
func (c *circuit) state() (CircuitState, time.Duration) {
	if c == nil {
		return CircuitClosed, 0
	}
	switch c.breaker.State() {
	case gobreaker.StateOpen:
		c.mu.Lock()
		defer c.mu.Unlock()
		return CircuitOpened, max(time.Until(c.until), time.Millisecond)
	case gobreaker.StateHalfOpen:
		return CircuitHalfOpen, 0
	}
	return CircuitClosed, 0
}

// allow asks for an attempt. ended must be called with its outcome; without one the circuit
// is open, or its probes are under way, for so long.
func (c *circuit) allow() (ended func(error), wait time.Duration) {
	if c == nil {
		return func(error) {}, 0
	}
	ended, err := c.breaker.Allow()
	if err == nil {
		return ended, 0
	}
	_, wait = c.state()
	return nil, max(wait, time.Second)
}
