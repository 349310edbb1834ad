package hub

import (
	"context"
	"iter"
	"time"
)

// BatchCall is one call of a batch.
type BatchCall struct {
	// Key names the call among those of its batch, so that another run of the batch can
	// skip it; see [BatchOptions].Done. Empty: it is made by every run.
	Key string
	Call
}

// BatchResult is how one call of a batch ended.
type BatchResult struct {
	// Index counts the calls of the batch from 0, in the order of the input.
	Index int
	// Call is the input's, with the IdempotencyKey that it was made with, if it was made.
	Call BatchCall
	// Result is what Execute returned: nil if no answer came, or if the call was skipped.
	Result *Result
	// Skipped tells that BatchOptions.Done knew the call's key: it was not made.
	Skipped bool
}

// BatchProgress counts the calls of a batch.
type BatchProgress struct {
	// Begun have been taken from the input; of these the others have ended.
	Begun, Succeeded, Failed, Skipped int
}

// BatchOptions are the choices of [Tenant.ExecuteAll]. Nil and the zero value of each field
// mean the default written on it.
type BatchOptions struct {
	// Concurrency is the most calls under way at once: 8. It is never above the places
	// that a connector and the tenant have (Limits.ConnectorCalls, Limits.TenantCalls), so
	// that a batch alone does not fill the queues in which other callers wait.
	Concurrency int
	// Ordered has the results come in the order of the input. False: as the calls end.
	Ordered bool
	// Window bounds, with Ordered, the calls that are under way or have ended and wait for
	// an earlier one: 4 × Concurrency, and never below Concurrency. When it is full, no
	// call begins.
	Window int
	// Patience is how long one call is put off, and made again, while the hub is [Busy] or
	// the third party turns it away and names a time: 5 min. Calls of the same connector
	// wait likewise. A call that could have its effect twice is never made again
	// ([Error.Repeatable]). Negative: no call is put off.
	Patience time.Duration

	// Done tells whether an earlier run of the batch has ended the call with a key: it is
	// skipped then. An error fails the call, unsent. It is called for each call with a
	// key, several at once. Nil: nothing is skipped.
	Done func(ctx context.Context, key string) (bool, error)
	// Record writes down, for Done, how a call with a key ended; err is that of Execute. It
	// is called before the loop sees the result, several at once, also when ctx has ended:
	// the call was made all the same. After an error no further call begins, and the
	// result comes with an Unavailable that wraps it. Nil: nothing is written down.
	Record func(ctx context.Context, result BatchResult, err error) error
	// Progress is told whenever a call has begun or ended, by one goroutine at a time. It
	// must be quick. Nil: nobody is told.
	Progress func(BatchProgress)
}

// The defaults of BatchOptions.
const (
	defaultConcurrency = 8
	defaultPatience    = 5 * time.Minute
	windowFactor       = 4
)

// ExecuteAll makes the calls of a batch, several at once, and yields how each of them ended,
// with the error that [Tenant.Execute] would return:
//
//	for r, err := range h.ExecuteAll(ctx, calls, nil) {
//		if err != nil {
//			log.Printf("call %d: %v", r.Index, err)
//		}
//	}
//
// A call of a batch can be made again, so nothing stands in for its answer: [Request].Fallback
// does not count.
//
// Calls are taken from the input when there is room for them, by one goroutine that is not
// the caller's: whatever their number, memory is bounded. Where the loop falls behind, calls
// wait.
//
// When ctx ends, or the hub is closed, no further call begins. Those under way are cancelled
// and still come, with their errors; calls that never began do not: ctx.Err() tells whether
// the batch is complete. Leaving the loop cancels what is under way and waits until it has
// ended, the input included: one that may block must watch a context of its own. A panic of
// the input, of what opts name or of a call's BeforeSend is the loop's.
//
// With BatchOptions.Done and Record a batch can be run again after a crash or an error, and
// goes on where it ended. A crash between a call and its Record leaves a call that nobody
// knows the end of; what must not be made twice then belongs into a queue that writes down
// before it sends, such as package queues/riverqueue.
func (t *Tenant) ExecuteAll(ctx context.Context, calls iter.Seq[BatchCall], opts *BatchOptions) iter.Seq2[BatchResult, error] {
	var o BatchOptions
	if opts != nil {
		o = *opts
	}
	o = o.withDefaults(min(t.limits.ConnectorCalls, t.limits.TenantCalls))
	return func(yield func(BatchResult, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		b := &batch{
			tenant: t, opts: o, ctx: ctx, cancel: cancel,
			halted: make(chan struct{}),
			window: make(chan struct{}, o.Window),
			places: make(chan struct{}, o.Concurrency),
			ended:  make(chan batchEnd),
		}
		go b.feed(calls)
		defer b.finish()
		b.deliver(yield)
	}
}

// withDefaults returns o with its defaults, for a connector with so many places.
func (o BatchOptions) withDefaults(places int) BatchOptions {
	if o.Concurrency <= 0 {
		o.Concurrency = defaultConcurrency
	}
	o.Concurrency = max(1, min(o.Concurrency, places))
	switch {
	case !o.Ordered:
		o.Window = o.Concurrency
	case o.Window <= 0:
		o.Window = windowFactor * o.Concurrency
	}
	o.Window = max(o.Window, o.Concurrency)
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	return o
}
