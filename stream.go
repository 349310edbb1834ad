package hub

import (
	"context"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/integrationhub/hub/internal/transport"
)

// StreamOptions are what [Tenant.ExecuteTo] can be told. Nil and the zero value of each field
// mean the default written on it.
type StreamOptions struct {
	// MaxBytes bounds what is written, in the charset that it comes in too:
	// Limits.StreamBytes, which it can only narrow, as the template's ResponseBytes does.
	MaxBytes int64
	// Timeout bounds the call in place of the request's and the connector's timeout, for
	// a large answer takes its time: theirs. At most Limits.StreamTimeout.
	Timeout time.Duration
	// Stall ends a call whose answer has begun, and of whose body nothing has arrived for
	// that long: 30 s. Negative: the timeout alone does, as it does before the answer begins.
	Stall time.Duration
	// Progress is told after each write how many bytes have been written, and of how
	// many; total is negative where the third party did not say, or compressed. It runs
	// in the caller's goroutine. Nil: nobody is told.
	Progress func(written, total int64)
}

// ExecuteTo is [Tenant.Execute] for answers that are larger than one wants in memory: the body
// of a successful answer goes to w while it arrives, decompressed, texts in UTF-8, known
// secrets masked. The Result has status and headers and Written, no Body, and no outputs.
//
// An answer that is not a success, or is ignored by a rule, is read whole, as by Execute, and w
// gets nothing of it; so is one of which only the body could tell, by Request.Responses or
// Auth.Refused, and w gets it if it is a success. The call is sent again only as long as w got
// nothing. An answer that breaks off leaves w with the beginning: then Written is not zero, and
// the error says why. An error of w ends the call as [Aborted], and errors.Is finds it.
//
// In a body that is passed on a secret is found raw, in base64, hexadecimal, percent-encoded
// and as JSON writes it, wherever it is cut; not where JSON escapes characters that need no
// escape.
func (t *Tenant) ExecuteTo(ctx context.Context, call Call, w io.Writer, opts *StreamOptions) (_ *Result, err error) {
	defer finish(&err, "ExecuteTo", call.Connector, call.Request)
	s := &stream{w: w}
	if opts != nil {
		s.StreamOptions = *opts
	}
	if w == nil {
		return nil, invalid("w", "required", "must not be nil")
	}
	return t.run(ctx, &run{Tenant: t, op: "ExecuteTo", call: call, pick: named, stream: s})
}

// stream is where the answer of a call goes.
type stream struct {
	StreamOptions
	w       io.Writer
	begun   bool // w was given something
	written int64
	total   int64
}

// defaultStall is StreamOptions.Stall if it is zero.
const defaultStall = 30 * time.Second

// Write passes on to w.
func (s *stream) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.begun = true
	n, err := s.w.Write(p)
	s.written += int64(max(0, min(n, len(p))))
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if s.Progress != nil {
		s.Progress(s.written, s.total)
	}
	return n, err
}

// timeout is what bounds a call of the request.
func (r *run) timeout() time.Duration {
	if r.stream == nil || r.stream.Timeout <= 0 {
		return r.req.timeout
	}
	return min(r.stream.Timeout, r.limits.StreamTimeout)
}

// streaming is where the transport hands bodies to; nil: nowhere.
func (r *run) streaming() *transport.Stream {
	s := r.stream
	if s == nil {
		return nil
	}
	limits := r.req.policy.Limits
	limits.WireBytes, limits.DecodedBytes = r.limits.StreamBytes, r.mostWritten()
	stall := s.Stall
	if stall == 0 {
		stall = defaultStall
	}
	return &transport.Stream{Accept: r.accept, Limits: limits, Stall: stall}
}

// mostWritten bounds what is written of an answer, also of one that is read whole.
func (r *run) mostWritten() int64 {
	most := r.limits.StreamBytes
	for _, narrower := range []int64{r.stream.MaxBytes, r.plan.tpl.Limits.ResponseBytes} {
		if narrower > 0 {
			most = min(most, narrower)
		}
	}
	return most
}

// accept takes an answer that counts as success by what comes before its body, nil if that
// does not tell.
func (r *run) accept(status int, header http.Header) transport.Sink {
	if !r.req.succeedsUnread(r.plan, r.headOf(status, header)) {
		return nil
	}
	top := &scrubbed{stream: r.stream}
	top.WriteCloser = closing{r.stream}
	for _, s := range r.scrubbers() {
		top.chain = append(top.chain, top.WriteCloser)
		top.WriteCloser = s.Writer(top.WriteCloser)
	}
	return top
}

// succeedsUnread reports whether an answer is a success whatever its body says. What may mean
// that credentials are refused, or is worth another attempt, is none.
func (p *requestPlan) succeedsUnread(con *connectorPlan, a *reading) bool {
	if a.Status == http.StatusForbidden || a.Status == http.StatusUnauthorized || slices.Contains(p.policy.Statuses, a.Status) {
		return false
	}
	if slices.ContainsFunc(con.refusals, func(m matchPlan) bool { return m.mayMatch(a) }) {
		return false
	}
	for i := range p.responses {
		if rule := &p.responses[i]; rule.when.mayMatch(a) {
			return rule.then == VerdictSuccess && rule.when.Path == "" && rule.when.Contains == ""
		}
	}
	return p.success.has(a.Status)
}

// mayMatch reports whether an answer matches as far as it is known before its body is.
func (m *matchPlan) mayMatch(a *reading) bool {
	return (m.statuses == nil || m.statuses.has(a.Status)) && m.inHeader(a) && m.inMediaTypes(a.Header)
}

// scrubbed is one answer on its way through the scrubbers to the caller's writer. What they
// hold back of an answer that breaks off never gets there: it may be half a secret.
type scrubbed struct {
	*stream
	io.WriteCloser
	chain []io.WriteCloser // from the caller's writer up
}

// Start is told the length.
func (s *scrubbed) Start(total int64) { s.total = total }

// Begun reports whether the caller's writer got something.
func (s *scrubbed) Begun() bool { return s.begun }

// Write is the topmost scrubber's.
func (s *scrubbed) Write(p []byte) (int, error) { return s.WriteCloser.Write(p) }

// Close passes on what the scrubbers hold back, from the top down.
func (s *scrubbed) Close() error {
	if err := s.WriteCloser.Close(); err != nil {
		return err
	}
	for i := len(s.chain) - 1; i >= 0; i-- {
		if err := s.chain[i].Close(); err != nil {
			return err
		}
	}
	return nil
}

// closing is the caller's writer, which stays the caller's to close.
type closing struct{ io.Writer }

func (closing) Close() error { return nil }

// aborted is the error of a call that ended because of what the caller handed over.
func aborted(err error) *Error {
	return caused(Aborted, "what the caller handed over failed", err)
}

// deliver passes on what was read whole although it counts as success, and tells how much was
// written.
func (r *run) deliver(res *Result, err error) error {
	if res == nil {
		return err
	}
	if err == nil && !r.outcome.Answer.Passed && !r.ruled().says(VerdictIgnore) {
		err = r.writeWhole(res.Body)
		res.Body, res.json = nil, false
	}
	res.Written = r.stream.written
	if err == nil {
		res.Branch = OnSuccess
	}
	return err
}

// writeWhole writes a body that had to be read before it was known to be a success.
func (r *run) writeWhole(body []byte) error {
	if int64(len(r.outcome.Answer.Body)) > r.mostWritten() {
		return r.explained(failure(BadAnswer, transport.ErrTooLarge.Error()))
	}
	r.stream.total = int64(len(body))
	if _, failed := r.stream.Write(body); failed != nil {
		return r.explained(aborted(failed))
	}
	return nil
}
