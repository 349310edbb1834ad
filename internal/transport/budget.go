package transport

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	budgetCells = 512
	// budgetPerCall is what each call adds to its host's cell: at a total
	// outage under load at most 8 % are repeats.
	budgetPerCall = 0.08
	// budgetBurst is what a cell holds at most, and at first.
	budgetBurst = 10
	// budgetPerSecond keeps repeats possible where calls are rare.
	budgetPerSecond = 1
)

// Budget limits repeats per host, so that an outage is not answered with a
// multiple of the traffic: each host may have 10 repeats at once, and earns
// one more per second and 0.08 per call. Its memory is constant: hosts
// are hashed onto 512 cells, and two hosts may share one. It is safe for
// concurrent use; the zero Budget is not ready, NewBudget is.
type Budget struct {
	clock func() time.Time
	seed  maphash.Seed
	cells [budgetCells]cell
}

// cell is one host's allowance.
type cell struct {
	mu     sync.Mutex // guards tokens, at
	tokens float64
	at     time.Time
}

// NewBudget returns a full Budget. A nil clock means time.Now.
func NewBudget(clock func() time.Time) *Budget {
	if clock == nil {
		clock = time.Now
	}
	b := &Budget{clock: clock, seed: maphash.MakeSeed()}
	now := clock()
	for i := range b.cells {
		b.cells[i].tokens, b.cells[i].at = budgetBurst, now
	}
	return b
}

// earn notes that a call to host begins. What time brought meanwhile is added when it is
// spent: the order makes no difference.
func (b *Budget) earn(host string) {
	if b != nil {
		b.cell(host).add(budgetPerCall)
	}
}

// spend takes one repeat for host, if there is one.
func (b *Budget) spend(host string) bool {
	return b == nil || b.cell(host).take(b.clock())
}

func (b *Budget) cell(host string) *cell {
	return &b.cells[maphash.String(b.seed, host)%budgetCells]
}

func (c *cell) add(tokens float64) {
	c.mu.Lock()
	c.tokens = min(budgetBurst, c.tokens+tokens)
	c.mu.Unlock()
}

// take adds what time has brought, and takes one repeat, if there is one.
func (c *cell) take(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := now.Sub(c.at); d > 0 {
		c.tokens = min(budgetBurst, c.tokens+budgetPerSecond*d.Seconds())
		c.at = now
	}
	if c.tokens < 1 {
		return false
	}
	c.tokens--
	return true
}
