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

// earn notes that a call to host begins.
func (b *Budget) earn(host string) {
	if b != nil {
		b.cell(host).move(b.clock(), budgetPerCall)
	}
}

// spend takes one repeat for host, if there is one.
func (b *Budget) spend(host string) bool {
	return b == nil || b.cell(host).move(b.clock(), -1)
}

func (b *Budget) cell(host string) *cell {
	return &b.cells[maphash.String(b.seed, host)%budgetCells]
}

// move adds what time and the caller bring, and reports whether it was covered.
func (c *cell) move(now time.Time, by float64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := now.Sub(c.at); d > 0 {
		c.tokens = min(budgetBurst, c.tokens+budgetPerSecond*d.Seconds())
		c.at = now
	}
	if c.tokens+by < 0 {
		return false
	}
	c.tokens = min(budgetBurst, c.tokens+by)
	return true
}
