package riverqueue

import (
	"context"
	"time"

	"github.com/riverqueue/river"
)

// The points at which a worker can be killed.
const (
	BeforeMark    = beforeMark
	AfterMark     = afterMark
	BeforeOutcome = beforeOutcome
	AfterOutcome  = afterOutcome
)

// Fast returns options under which calls of dead workers are taken up after timeout, by queues
// that lead.
func Fast(o Options, timeout time.Duration, leads bool) *Options {
	o.CallTimeout = timeout
	o.configure = func(c *river.Config) {
		c.RescueStuckJobsAfter = timeout
		c.FetchCooldown, c.FetchPollInterval = 10*time.Millisecond, 50*time.Millisecond
		c.TestOnly = true
		if c.LeaderElectionDisabled = !leads; !leads {
			c.PeriodicJobs = nil
		}
	}
	return &o
}

// At has f called at each point that a worker passes.
func At(o *Options, f func(point, key string)) *Options {
	o.at = f
	return o
}

// Sweep does what River's leader has done once a minute.
func Sweep(ctx context.Context, q *Queue) error { return (&sweeper{queue: q}).Work(ctx, nil) }

// PauseAfter is how long the pause is, on average, after a call was made so often before.
var PauseAfter = pauseAfter
