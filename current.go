package hub

import (
	"context"
	"time"
)

// leastWait is how old a plan is at least before a call that waited looks again.
const leastWait = 100 * time.Millisecond

// outdated reports whether the call's plan was found so long ago that what it says may be
// otherwise by now: a call that waits, in a queue, for its turn or between attempts, is held
// to what is saved meanwhile.
func (r *run) outdated(now time.Time) bool {
	return r.pick != nil && now.Sub(r.found) >= max(r.limits.Freshness, leastWait)
}

// findAgain is find for a call that has waited before anything was made of its plan.
func (r *run) findAgain(ctx context.Context) error {
	if !r.ticket.waited() {
		return nil
	}
	r.now = r.opts.now()
	if !r.outdated(r.now) {
		return nil
	}
	if err := r.find(ctx, r.now); err != nil {
		return err
	}
	return r.mayRun()
}

// stillMay asks, for a call that has waited since it was put together, whether the definition
// that is saved now would let it run, and go where it goes with what it carries.
func (r *run) stillMay(ctx context.Context) error {
	if !r.outdated(r.now) {
		return nil
	}
	again := &run{Tenant: r.Tenant, call: r.call, pick: r.pick}
	err := again.find(ctx, r.now)
	if r.now = again.now; err != nil {
		return err
	}
	if err := again.mayRun(); err != nil {
		return err
	}
	r.found = again.found
	return again.plan.guard(&r.core.opts.Egress, again.req, r.wire)
}
