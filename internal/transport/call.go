package transport

import (
	"context"
	"time"
)

// call is the state of one Do. Only the goroutine of Do touches it.
type call struct {
	client     *Client
	req        Request
	policy     Policy
	limits     Limits
	idempotent bool

	wait     time.Duration // before the next attempt
	answered *Answer       // of the last attempt
	ruled    Repeat        // what the last attempt's answer means for another one
	begun    bool          // something of an answer has been passed on
	held     bool          // the gate let no attempt pass
	looping  bool          // the loop has had its first round
	out      Outcome
	first    [1]Attempt // room for most calls
}

func (c *Client) newCall(req Request, policy Policy) *call {
	return &call{
		client:     c,
		req:        req,
		policy:     policy,
		limits:     policy.Limits.effective(),
		idempotent: policy.idempotent(req.Method),
	}
}

// attempt runs one attempt and writes down how it went.
func (c *call) attempt(ctx context.Context) {
	if !c.admitted(ctx) {
		return
	}
	ctx = c.begins(ctx)
	a := Attempt{Start: c.client.clock(), Wait: c.wait}
	answer, failure := c.try(ctx, &a)
	a.Duration = c.client.clock().Sub(a.Start)
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
		c.out.Attempts = c.first[:0]
	}
	c.out.Attempts = append(c.out.Attempts, a)
	c.ends(ctx, &c.out.Attempts[len(c.out.Attempts)-1])
	c.fail(failure)
	if c.req.Gate != nil {
		c.req.Gate.Passed(ctx, &c.out.Attempts[len(c.out.Attempts)-1], answer)
	}
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
	now := c.client.clock()
	told, isTold := c.told(now)
	if told > 0 {
		c.out.RetryAt = now.Add(told)
	}
	if ctx.Err() != nil || !c.worth(isTold) || len(c.out.Attempts) >= c.policy.attempts() {
		return false
	}
	if isTold && told > c.policy.maxRetryAfter() || c.shut() {
		return false
	}
	wait := told + c.jitter()
	if deadline, ok := ctx.Deadline(); ok && wait >= time.Until(deadline) {
		if !isTold {
			c.out.RetryAt = now.Add(wait)
		}
		return false
	}
	if !c.policy.Budget.spend(c.req.URL.Host) {
		return false
	}
	c.wait, c.out.RetryAt = wait, time.Time{}
	return true
}

// worth says whether the last attempt ended in a way that another may mend and
// that permits another.
func (c *call) worth(told bool) bool {
	if c.begun || !c.req.Upload.again() {
		return false
	}
	last := &c.out.Attempts[len(c.out.Attempts)-1]
	switch last.Kind {
	case "":
		return c.policy.permits(c.ruled, last.Status, c.idempotent, told)
	case Unreachable, Read, Protocol, Stalled:
		return c.idempotent || !last.Sent
	}
	return false
}

// told is the Retry-After of the last attempt's answer, if that is a failure.
func (c *call) told(now time.Time) (time.Duration, bool) {
	if c.answered == nil || c.answered.Status < 400 && c.ruled != Worthwhile && c.ruled != Later {
		return 0, false
	}
	return RetryAfter(c.answered.Header, now)
}

func (c *call) jitter() time.Duration {
	ceiling := c.policy.ceiling(len(c.out.Attempts))
	if ceiling <= 0 {
		return 0
	}
	return time.Duration(c.client.rand(int64(ceiling)))
}
