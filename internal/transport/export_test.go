package transport

import (
	"io"
	"net/http"
	"time"
)

// RetryAfter opens the parser of Retry-After to its fuzz target.
func RetryAfter(h http.Header, now time.Time) (time.Duration, bool) { return retryAfter(h, now) }

// ReadBody opens the reading of bodies to its fuzz target.
func ReadBody(c *Client, src io.Reader, declared int64, h http.Header, l Limits) (decoded []byte, wire int64, err error) {
	b := body{src: src, declared: declared, limits: l.effective()}
	err = b.read(&c.decoders, h)
	return b.decoded, b.wire, err
}

// Spend and Earn open the budget to tests of its arithmetic.
func (b *Budget) Spend(host string) bool { return b.spend(host) }

// Earn is what a call does first.
func (b *Budget) Earn(host string) { b.earn(host) }
