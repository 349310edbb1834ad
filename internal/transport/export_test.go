package transport

import (
	"bufio"
	"errors"
	"io"
	"net/http"
)

// ReadBody opens the reading of bodies to its fuzz target.
func ReadBody(c *Client, src io.Reader, declared int64, h http.Header, l Limits) (decoded []byte, wire int64, err error) {
	b := body{src: src, declared: declared, limits: &l}
	decoded, err = b.read(&c.decoders, h)
	return decoded, b.wire, err
}

// Spend and Earn open the budget to tests of its arithmetic.
func (b *Budget) Spend(host string) bool { return b.spend(host) }

// Earn is what a call does first.
func (b *Budget) Earn(host string) { b.earn(host) }

// Panicking makes the next decompressor of a coding panic: while it opens a body, or while it
// reads one.
func (c *Client) Panicking(coding string, opening bool) {
	found, _ := codingOf(coding)
	c.decoders.pools[found].Put(&decoder{coding: found, in: bufio.NewReader(nil), engine: panicking(opening)})
}

type panicking bool

func (p panicking) open(*bufio.Reader) (io.Reader, error) {
	if p {
		panic("opening")
	}
	return p, nil
}

func (panicking) Read([]byte) (int, error) { panic("reading") }
func (panicking) release()                 {}

// KindOfBody is the kind of an error of ReadBody, empty without one.
func KindOfBody(err error) Kind {
	var own bodyError
	if errors.As(err, &own) {
		return own.kind
	}
	if err != nil {
		return "not ours"
	}
	return ""
}

// Panicked reports whether a decompressor panicked.
func Panicked(err error) bool {
	var own bodyError
	return errors.As(err, &own) && own.err == errPanic
}
