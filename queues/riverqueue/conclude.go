package riverqueue

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"github.com/integrationhub/hub"
)

// conclude writes down how the call ended, or gives it back to be made again.
func (a *attempt) conclude(ctx context.Context, res *hub.Result, err error) error {
	if err == nil {
		return a.settle(ctx, Succeeded, res, nil)
	}
	var e *hub.Error
	if !errors.As(err, &e) {
		return err // Execute returns no other
	}
	if wait, counted, ok := a.again(ctx, e); ok {
		released, err := a.release(ctx, counted)
		if err != nil {
			return err
		}
		if released {
			return river.JobSnooze(wait)
		}
	}
	if a.marked && !e.Repeatable() && unanswered(res, e) {
		return a.settle(ctx, Unknown, res, e)
	}
	return a.settle(ctx, Failed, res, e)
}

// unanswered reports whether the last attempt may have arrived and brought no answer.
func unanswered(res *hub.Result, e *hub.Error) bool {
	if res == nil || len(res.Attempts) == 0 {
		return e.Sent && e.Status == 0
	}
	last := res.Attempts[len(res.Attempts)-1]
	return last.Sent && last.Status == 0
}

// The pauses between two tries of a call.
const (
	idlePause    = 5 * time.Second // the hub held the call back
	longestPause = 10 * time.Minute
)

// heldBack are the codes of calls that the hub itself did not let out: they do not count.
var heldBack = []hub.Code{hub.Busy, hub.Closed, hub.Unavailable, hub.CircuitOpen, hub.RateLimited}

// again says whether the call is made again, after what wait, and whether it counts. One that
// would be too old by then has ended: whoever looks it up does not wait for that.
func (a *attempt) again(ctx context.Context, e *hub.Error) (wait time.Duration, counted, ok bool) {
	wait, counted, ok = a.next(ctx, e)
	if ok && a.opts.MaxAge > 0 && time.Since(a.Enqueued)+wait > a.opts.MaxAge {
		return 0, false, false
	}
	return wait, counted, ok
}

// next is again for a call that never gets too old. One whose time was over before it was sent can
// have more of it.
func (a *attempt) next(ctx context.Context, e *hub.Error) (wait time.Duration, counted, ok bool) {
	if !e.Repeatable() {
		return 0, false, false
	}
	if ctx.Err() != nil && e.Code != hub.Timeout { // the worker stops
		return 0, false, true
	}
	if !e.Sent && slices.Contains(heldBack, e.Code) {
		return max(idlePause/2, time.Until(e.RetryAt)) + rand.N(idlePause), false, true
	}
	if !e.Retryable && e.Code != hub.Timeout || a.Attempts+1 >= a.opts.Attempts {
		return 0, false, false
	}
	if wait := time.Until(e.RetryAt); wait > 0 {
		return wait + rand.N(time.Second), true, true
	}
	wait = pauseAfter(a.Attempts, a.opts.Pause)
	return wait/2 + rand.N(wait), true, true
}

// pauseAfter is how long the pause is, on average, after a call was made so often before.
func pauseAfter(attempts int, first time.Duration) time.Duration {
	return min(min(first, longestPause)<<min(attempts, 20), longestPause)
}

// release gives the call back to the queue, unless it was canceled or is another's. A mark that
// was given up, and arrives only then, finds it under another name.
func (a *attempt) release(ctx context.Context, counted bool) (bool, error) {
	attempts := 0
	if counted {
		attempts = 1
	}
	run := a.rename()
	return a.write(ctx, `state = 'waiting', attempts = attempts + $3, run = $4`, `state <> 'ended' AND NOT canceled`, attempts, run)
}

// settle writes the outcome down. What is known replaces Unknown.
func (a *attempt) settle(ctx context.Context, outcome Outcome, res *hub.Result, e *hub.Error) error {
	end := ending{Answer: a.answer(res)}
	code := hub.Code("")
	if e != nil {
		code = e.Code
		end.Failure = &Failure{Code: e.Code, Message: e.Error(), Status: e.Status, Sent: e.Sent}
	}
	sealed, err := a.seal(context.WithoutCancel(ctx), a.Tenant, a.Key, asAnswer, end)
	if err != nil { // the outcome matters more than the answer
		a.opts.Logger.ErrorContext(ctx, "riverqueue: the answer of a call is lost", "tenant", a.Tenant, "key", a.Key, "error", err)
		sealed = box{}
	}
	_, err = a.write(ctx, `state = 'ended', outcome = $3, code = $4, answer = $5, answer_key = $6,
		attempts = attempts + 1, payload = NULL, ended = now()`, `state <> 'ended' OR outcome = 'unknown'`,
		string(outcome), string(code), sealed.data, sealed.keyID)
	return err
}

// answer is what is kept of a result.
func (a *attempt) answer(res *hub.Result) *Answer {
	if res == nil {
		return nil
	}
	out := &Answer{Status: res.Status, Header: res.Header, Body: res.Body, Outputs: res.Outputs}
	if len(out.Body) > a.opts.AnswerBytes {
		out.Body, out.Cut = nil, true
	}
	return out
}
