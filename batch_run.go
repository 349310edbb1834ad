package hub

import (
	"cmp"
	"context"
	crand "crypto/rand"
	"errors"
	"iter"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// batch is one run of ExecuteAll. One goroutine takes calls from the input, each call has
// one of its own, and the caller's delivers what ended.
type batch struct {
	tenant *Tenant
	opts   BatchOptions
	ctx    context.Context
	cancel context.CancelFunc

	halt   sync.Once
	halted chan struct{} // closed: no call begins any more

	window chan struct{} // a call has a place in it until its result was delivered
	places chan struct{} // likewise, until it ended
	ended  chan batchEnd // whoever waits to put into it has given its place back

	mu       sync.Mutex
	panics   any // the first, of what the caller handed over
	progress BatchProgress
	under    map[string]bool      // :: key → a call of that key is under way
	holds    map[string]time.Time // :: connector → calls wait until then
}

// batchEnd is how a call ended, on its way to the loop.
type batchEnd struct {
	result BatchResult
	err    error
}

// feed takes calls from the input while there is room, and starts them.
func (b *batch) feed(calls iter.Seq[BatchCall]) {
	var under sync.WaitGroup
	defer close(b.ended)
	defer under.Wait()
	defer func() { b.panicked(recover()) }()
	if !b.room() {
		return
	}
	index := 0
	for call := range calls {
		if !b.begins() {
			return
		}
		end := batchEnd{result: BatchResult{Index: index, Call: call}}
		index++
		b.count(func(p *BatchProgress) { p.Begun++ })
		under.Go(func() {
			defer func() { b.panicked(recover()) }()
			b.make(&end)
			<-b.places
			b.ended <- end
		})
		if !b.room() {
			return
		}
	}
}

// room waits until another call may begin; false: none may any more.
func (b *batch) room() bool {
	for _, places := range []chan struct{}{b.window, b.places} {
		select {
		case places <- struct{}{}:
		case <-b.ctx.Done():
		case <-b.halted:
		}
	}
	return b.begins()
}

// begins reports whether calls may begin.
func (b *batch) begins() bool {
	select {
	case <-b.halted:
		return false
	default:
		return b.ctx.Err() == nil
	}
}

// deliver hands the results to the loop.
func (b *batch) deliver(yield func(BatchResult, error) bool) {
	waiting := map[int]batchEnd{} // :: index → ended before an earlier one
	next := 0
	for end := range b.ended {
		if !b.opts.Ordered {
			<-b.window
			if !yield(end.result, end.err) {
				return
			}
			continue
		}
		waiting[end.result.Index] = end
		for first, ok := waiting[next]; ok; first, ok = waiting[next] {
			delete(waiting, next)
			next++
			<-b.window
			if !yield(first.result, first.err) {
				return
			}
		}
	}
}

// panicked keeps a panic for the loop. No call begins after one.
func (b *batch) panicked(value any) {
	if value == nil {
		return
	}
	b.stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.panics == nil {
		b.panics = value
	}
}

// finish cancels what is under way, waits for it, and passes a panic on.
func (b *batch) finish() {
	b.cancel()
	for range b.ended {
		continue
	}
	if b.panics != nil {
		panic(b.panics)
	}
}

// count changes the progress and tells of it.
func (b *batch) count(change func(*BatchProgress)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.progress)
	if b.opts.Progress != nil {
		b.opts.Progress(b.progress)
	}
}

// make takes one call to its end.
func (b *batch) make(end *batchEnd) {
	r := &end.result
	release, err := b.claim(r.Call.Key)
	if err == nil {
		defer release()
		r.Skipped, err = b.done(r.Call.Key)
	}
	if err == nil && !r.Skipped {
		r.Call.IdempotencyKey = cmp.Or(r.Call.IdempotencyKey, crand.Text()) // one, however often it is made
		r.Result, err = b.execute(r.Call.Call)
		err = b.record(*r, err)
	}
	end.err = subject(err, "ExecuteAll", r.Call.Connector, r.Call.Request)
	if errors.Is(err, Closed) {
		b.stop()
	}
	b.count(func(p *BatchProgress) {
		switch {
		case r.Skipped:
			p.Skipped++
		case end.err != nil:
			p.Failed++
		default:
			p.Succeeded++
		}
	})
}

// stop lets no further call begin.
func (b *batch) stop() { b.halt.Do(func() { close(b.halted) }) }

// claim refuses a key whose call is under way.
func (b *batch) claim(key string) (release func(), err error) {
	if key == "" {
		return func() {}, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.under[key] {
		return nil, failure(Exists, "another call of the batch with the same key is under way")
	}
	if b.under == nil {
		b.under = map[string]bool{}
	}
	b.under[key] = true
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.under, key)
	}, nil
}

// done asks whether an earlier run ended the call.
func (b *batch) done(key string) (bool, error) {
	if key == "" || b.opts.Done == nil {
		return false, nil
	}
	done, err := b.opts.Done(b.ctx, key)
	if err != nil {
		return false, caused(Unavailable, "BatchOptions.Done failed, so the call was not made", err)
	}
	return done, nil
}

// record writes down how the call ended.
func (b *batch) record(r BatchResult, err error) error {
	if r.Call.Key == "" || b.opts.Record == nil {
		return err
	}
	failed := b.opts.Record(context.WithoutCancel(b.ctx), r, err)
	if failed == nil {
		return err
	}
	b.stop()
	e := caused(Unavailable, "BatchOptions.Record failed: how the call ended is not written down", errors.Join(failed, err))
	var call *Error
	switch {
	case errors.As(err, &call):
		e.Status, e.Attempts, e.Sent = call.Status, call.Attempts, call.Sent
		e.harmless, e.spent = call.harmless, call.spent
	case r.Result != nil:
		e.Status, e.Attempts, e.Sent = r.Result.Status, len(r.Result.Attempts), true
	}
	return e
}

// The least waits of a call that is put off grow between the two.
const (
	firstBusyWait   = 50 * time.Millisecond
	longestBusyWait = 2 * time.Second
)

// execute makes a call, and makes it again while the hub or the third party puts it off and
// patience lasts.
func (b *batch) execute(call Call) (res *Result, err error) {
	patience := time.Now().Add(b.opts.Patience)
	sent := false // when it was made before
	for busy := 0; ; busy++ {
		if err := b.waitFor(call.Connector, patience); err != nil {
			return res, sentBefore(err, sent)
		}
		call.NoSubstitute = true // it can be made again
		res, err = b.tenant.Execute(b.ctx, call)
		until := b.putOff(err, busy)
		if until.IsZero() || until.After(patience) {
			return res, sentBefore(err, sent)
		}
		sent = sent || asError(err).Sent
		b.hold(call.Connector, until)
	}
}

// sentBefore completes the error of a call that was made again, and not sent this time: what
// was sent before could be repeated, so it still can.
func sentBefore(err error, sent bool) error {
	if err == nil || !sent {
		return err
	}
	e := asError(err)
	if !e.Sent {
		e.Sent, e.harmless = true, true
	}
	return e
}

// putOff is when a call that ended with err should be made again; zero: it should not.
func (b *batch) putOff(err error, busy int) time.Time {
	var e *Error
	if !errors.As(err, &e) || !e.Retryable || !e.Repeatable() || b.ctx.Err() != nil {
		return time.Time{}
	}
	wait := min(firstBusyWait<<min(busy, 10), longestBusyWait)
	wait = wait/2 + rand.N(wait)
	switch {
	case e.Code == Busy && e.RetryAt.IsZero():
		return time.Now().Add(wait)
	case e.RetryAt.IsZero():
	case e.Code == Busy, e.Code == RateLimited, e.Code == CircuitOpen, e.Status == http.StatusTooManyRequests, e.Status == http.StatusServiceUnavailable:
		return time.Now().Add(max(wait, e.RetryAt.Sub(b.tenant.opts.now()))) // the hub's clock may be another
	}
	return time.Time{}
}

// hold has the calls of a connector wait.
func (b *batch) hold(connector string, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.holds == nil {
		b.holds = map[string]time.Time{}
	}
	if until.After(b.holds[connector]) {
		b.holds[connector] = until
	}
}

// waitFor waits until calls of a connector need not wait any more, or patience ends.
func (b *batch) waitFor(connector string, patience time.Time) error {
	for {
		b.mu.Lock()
		until := b.holds[connector]
		now := time.Now()
		if !until.After(now) {
			delete(b.holds, connector)
		}
		b.mu.Unlock()
		if until.After(patience) {
			until = patience
		}
		if !until.After(now) {
			return nil
		}
		timer := time.NewTimer(until.Sub(now))
		select {
		case <-timer.C:
		case <-b.ctx.Done():
			timer.Stop()
			return b.tenant.ended(b.ctx)
		}
	}
}
