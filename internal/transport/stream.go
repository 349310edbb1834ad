package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/integrationhub/hub/internal/charset"
)

// Stream lets the body of an answer be passed on while it is read.
type Stream struct {
	// Accept is asked where the body of an answer goes. Nil: it is read whole, as
	// if there were no Stream. It is required.
	Accept func(status int, header http.Header) Sink
	// Limits bound a body that is passed on.
	Limits Limits
	// Stall ends an attempt when nothing of a body that is passed on has
	// arrived for that long; zero or negative: the deadline alone does.
	Stall time.Duration
}

// Sink takes one body: decompressed, and a text in UTF-8. An error of Write
// or Close ends the call with Kind Aborted and stays reachable through
// errors.Is and errors.As.
type Sink interface {
	// Start comes first. total is the length of what will be written, negative
	// if it is not known.
	Start(total int64)
	io.Writer
	// Close comes last if the body is whole, and not at all if it is not.
	Close() error
	// Begun reports whether something has been passed on for good: no other
	// attempt may follow then.
	Begun() bool
}

// copyBuffer is how much is read and passed on at once.
const copyBuffer = 32 << 10

// pass hands the body of an answer to a sink. stop ends the attempt.
func (c *call) pass(ctx context.Context, stop func(), resp *http.Response, sink Sink, a *Attempt) error {
	arriving := &arrival{ctx: ctx, src: resp.Body, patience: c.req.Stream.Stall, stop: stop}
	body := body{src: arriving, declared: resp.ContentLength, limits: &c.req.Stream.Limits}
	err := body.pass(&c.client.decoders, resp.Header, sink)
	a.BytesIn = body.wire
	if err == nil {
		err = aborted(sink.Close())
	}
	c.begun = sink.Begun()
	return err
}

// pass is read for a body that is passed on.
func (b *body) pass(pool *decoders, h http.Header, sink Sink) error {
	coding, err := contentCoding(h)
	if err != nil {
		return err
	}
	if b.announcesTooMuch(coding) {
		return bodyError{kind: TooLarge}
	}
	if coding == identity {
		err = b.copyTo(sink, h, b, b.declared)
	} else {
		h.Del("Content-Encoding")
		h.Del("Content-Length")
		err = b.decode(pool, coding, func(r io.Reader) error { return b.copyTo(sink, h, r, -1) })
	}
	if err == nil && b.declared >= 0 && b.declared != b.wire {
		err = bodyError{kind: Read, err: io.ErrUnexpectedEOF}
	}
	return err
}

// copyTo passes on what r reads, in UTF-8 if it is text.
func (b *body) copyTo(sink Sink, h http.Header, r io.Reader, total int64) error {
	mediaType := h.Get("Content-Type")
	text, newType, same := charset.Reader(mediaType, &unfolded{src: r, body: b})
	if !same {
		total = -1
		h.Del("Content-Length")
	}
	if newType != mediaType {
		h.Set("Content-Type", newType)
	}
	sink.Start(total)
	return b.drain(sink, text)
}

func (b *body) drain(sink Sink, text io.Reader) error {
	buf := make([]byte, copyBuffer)
	for passed := int64(0); ; {
		n, err := text.Read(buf)
		if passed += int64(n); passed > b.limits.decodedBytes() { // a charset may make it longer
			return bodyError{kind: TooLarge}
		}
		if n > 0 {
			if _, err := sink.Write(buf[:n]); err != nil {
				return aborted(err)
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// aborted is an error of what the caller handed over.
func aborted(err error) error {
	if err == nil {
		return nil
	}
	return bodyError{kind: Aborted, err: err}
}

// unfolded counts what comes out of a decompressor, under the caps.
type unfolded struct {
	src  io.Reader
	body *body
	n    int64
}

func (u *unfolded) Read(p []byte) (int, error) {
	n, err := u.src.Read(p)
	u.n += int64(n)
	switch {
	case u.body.limits.bomb(u.n, u.body.wire):
		return 0, bodyError{kind: Bomb}
	case u.n > u.body.limits.decodedBytes():
		return 0, bodyError{kind: TooLarge}
	}
	return n, err
}

var errStalled = errors.New("nothing arrived for too long")

// arrival reads a body as long as the call lasts, also what has arrived already, and does not
// wait for ever for the next piece of it.
type arrival struct {
	ctx      context.Context
	src      io.Reader
	patience time.Duration
	stop     func()
	stalled  atomic.Bool
}

func (a *arrival) Read(p []byte) (int, error) {
	if err := a.ctx.Err(); err != nil {
		return 0, err
	}
	if a.patience > 0 {
		timer := time.AfterFunc(a.patience, func() { a.stalled.Store(true); a.stop() })
		defer timer.Stop()
	}
	n, err := a.src.Read(p)
	if err != nil && err != io.EOF && a.stalled.Load() {
		err = bodyError{kind: Stalled, err: errStalled}
	}
	return n, err
}
