package transport

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// call is the state of one Do. Only the goroutine of Do touches it: it is on its stack, as long
// as there is one attempt.
type call struct {
	client     *Client
	req        Request
	policy     *Policy
	idempotent bool

	wait     time.Duration // before the next attempt
	answered *Answer       // of the last attempt
	ruled    Repeat        // what the last attempt's answer means for another one
	begun    bool          // something of an answer has been passed on
	held     bool          // the gate let no attempt pass
	looping  bool          // the loop has had its first round
	extra    http.Header   // of the watcher, for the attempt
	now      time.Time     // when the next attempt was begun, or the last one passed the gate or ended
	out      Outcome
}

func (c *Client) newCall(req Request, policy *Policy) call {
	return call{
		client:     c,
		req:        req,
		policy:     policy,
		idempotent: policy.idempotent(req.Method),
	}
}

// attempt runs one attempt and writes down how it went.
func (c *call) attempt(ctx context.Context) {
	if !c.admitted(ctx) {
		return
	}
	c.out.RetryAt = time.Time{} // it was waited for
	s, a := c.req.Room.take(), Attempt{Start: c.now, Wait: c.wait}
	var answer *Answer
	var failure *Failure
	returned := false
	defer func() {
		if !returned {
			failure = newFailure(Aborted, errPanicked, nil)
		}
		c.attempted(ctx, s, a, answer, failure)
	}()
	ctx = c.begins(ctx)
	answer, failure = c.try(ctx, s, &a)
	returned = true
}

var errPanicked = errors.New("what the caller handed over panicked")

// attempted writes down how an attempt went, and tells those who wait for its end: also while
// something that the caller handed over panics.
func (c *call) attempted(ctx context.Context, s *sending, a Attempt, answer *Answer, failure *Failure) {
	c.now = c.client.clock()
	a.Duration = c.now.Sub(a.Start)
	if failure != nil {
		a.Kind = failure.Kind
	}
	if answer != nil {
		a.Status = answer.Status
		c.out.Answer = answer
	}
	c.answered = answer
	c.ruled = ByStatus
	if failure == nil && c.policy.Judge != nil {
		ruling := c.policy.Judge(answer)
		a.Ruling, c.ruled = ruling.Name, ruling.Repeat
	}
	if c.out.Attempts == nil {
		c.out.Attempts = s.first[:0]
	}
	c.out.Attempts = append(c.out.Attempts, a)
	last := &c.out.Attempts[len(c.out.Attempts)-1]
	if c.req.Gate != nil {
		defer c.req.Gate.Passed(ctx, last, answer)
	}
	c.ends(ctx, last)
	c.fail(failure)
}

// fail makes f, which may be nil, the end of the call as far as it is known.
func (c *call) fail(f *Failure) {
	if f == nil {
		c.out.Err = nil
		return
	}
	f.Sent = c.out.Sent()
	c.out.Err = f
}

// again decides on another attempt and how long to wait for it.
func (c *call) again(ctx context.Context) bool {
	if c.held {
		return false
	}
	told, isTold := c.told()
	if isTold {
		c.out.RetryAt = c.now.Add(told)
	}
	if c.ended(ctx) || !c.worth(true, isTold) {
		return false
	}
	if c.wait, c.out.Stop = c.next(ctx, told, isTold); c.out.Stop != "" {
		return false
	}
	return true
}

// ended reports whether the last attempt was ended by the call's context, or the context has
// ended since.
func (c *call) ended(ctx context.Context) bool {
	kind := c.out.Attempts[len(c.out.Attempts)-1].Kind
	if stop := stopOf(kind); stop != "" {
		c.out.Stop = stop
		return true
	}
	if ctx.Err() == nil {
		return false
	}
	if c.worth(true, false) {
		kind, _ = interrupted(ctx)
		c.out.Stop = stopOf(kind)
	}
	return true
}

// worth says whether another attempt may mend how the last one ended, of a request that
// is idempotent or not.
func (c *call) worth(idempotent, told bool) bool {
	last := &c.out.Attempts[len(c.out.Attempts)-1]
	switch last.Kind {
	case "":
		return c.policy.permits(c.ruled, last.Status, idempotent, told)
	case Unreachable, Read, Protocol, Stalled:
		return idempotent || !last.Sent
	}
	return false
}

// told is the Retry-After of the last attempt's answer, if that is a failure.
func (c *call) told() (time.Duration, bool) {
	if c.answered == nil || c.answered.Status < 400 && c.ruled != Worthwhile && c.ruled != Later {
		return 0, false
	}
	return RetryAfter(c.answered.Header, c.now)
}

func (c *call) jitter() time.Duration {
	ceiling := c.policy.ceiling(len(c.out.Attempts))
	if ceiling <= 0 {
		return 0
	}
	return time.Duration(c.client.rand(int64(ceiling)))
}
