package transport

import (
	"errors"
	"io"
	"net/http"

	"github.com/integrationhub/hub/internal/charset"
)

const (
	firstBuffer   = 512
	largestBuffer = 1 << 20 // that is made on the word of a Content-Length
)

// bodyError is a failure to read a body, with its kind.
type bodyError struct {
	kind Kind
	err  error
}

func (e bodyError) Error() string { return e.kind.text() }

var errLeftover = errors.New("bytes after the end of the compressed body")

// body reads one body under limits.
type body struct {
	src      io.Reader
	declared int64 // Content-Length, negative if unknown
	limits   Limits

	wire    int64
	srcErr  error
	decoded []byte
}

// read fills decoded. It removes the header lines that no longer hold.
func (b *body) read(pool *decoders, h http.Header) error {
	coding, err := contentCoding(h)
	if err != nil {
		return err
	}
	if b.declared > b.limits.WireBytes {
		return bodyError{kind: TooLarge}
	}
	if coding == identity {
		err = b.fill(b)
	} else {
		err = b.decode(pool, coding, b.fill)
		h.Del("Content-Encoding")
		h.Del("Content-Length")
	}
	if err == nil && b.declared >= 0 && b.declared != b.wire {
		err = bodyError{kind: Read, err: io.ErrUnexpectedEOF}
	}
	if err == nil {
		err = b.toUTF8(h)
	}
	if err != nil {
		b.decoded = nil
	}
	return err
}

// toUTF8 brings a text into UTF-8, and its media type along.
func (b *body) toUTF8(h http.Header) error {
	mediaType := h.Get("Content-Type")
	text, newType, err := charset.Bytes(mediaType, b.decoded, b.limits.DecodedBytes)
	switch {
	case errors.Is(err, charset.ErrTooLarge):
		return bodyError{kind: TooLarge}
	case err != nil:
		return bodyError{kind: Encoding, err: err}
	}
	b.decoded = text
	if newType != mediaType {
		h.Set("Content-Type", newType)
		h.Del("Content-Length")
	}
	return nil
}

// Read hands out the body as it arrives, counts it and stops at the cap. One
// byte beyond the cap is asked for, to tell a full body from a larger one.
func (b *body) Read(p []byte) (int, error) {
	if b.srcErr != nil {
		return 0, b.srcErr
	}
	if room := b.limits.WireBytes - b.wire; int64(len(p)) > room {
		p = p[:min(int64(len(p)), room+1)]
	}
	n, err := b.src.Read(p)
	b.wire += int64(n)
	if b.wire > b.limits.WireBytes {
		n, err = 0, bodyError{kind: TooLarge}
	}
	b.srcErr = err
	return n, err
}

// decode lets take read through a decompressor. An error of the source is
// more telling than what the decompressor makes of it.
func (b *body) decode(pool *decoders, coding coding, take func(io.Reader) error) error {
	d, err := pool.open(coding, b)
	defer pool.put(d)
	if err == nil {
		err = take(d)
	}
	if err == nil {
		err = d.finish()
	}
	switch {
	case b.srcErr != nil && b.srcErr != io.EOF:
		return b.srcErr
	case b.srcErr == io.EOF && b.wire == 0:
		return nil
	}
	return err
}

// fill reads r to its end into decoded.
func (b *body) fill(r io.Reader) error {
	buf := make([]byte, 0, b.firstSize())
	for {
		if len(buf) == cap(buf) {
			buf = b.enlarge(buf)
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case b.limits.bomb(int64(len(buf)), b.wire):
			return bodyError{kind: Bomb}
		case int64(len(buf)) > b.limits.DecodedBytes:
			return bodyError{kind: TooLarge}
		case err == io.EOF:
			b.decoded = buf
			return nil
		case err != nil:
			return err
		}
	}
}

// enlarge doubles buf, up to one byte beyond what may be decoded: a body costs
// at most twice its size in memory.
func (b *body) enlarge(buf []byte) []byte {
	have := int64(len(buf))
	size := max(2*have, firstBuffer)
	if size >= b.limits.DecodedBytes {
		size = max(have, b.limits.DecodedBytes) + 1
	}
	return append(make([]byte, 0, size), buf...)
}

// firstSize leaves a byte of room, so that the end is seen without growing.
func (b *body) firstSize() int64 {
	if b.declared < 0 {
		return firstBuffer
	}
	return min(b.declared, largestBuffer) + 1
}
