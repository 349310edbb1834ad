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
	limits   *Limits

	wire   int64
	srcErr error
}

// read returns the body whole. It removes the header lines that no longer hold.
func (b *body) read(pool *decoders, h http.Header) ([]byte, error) {
	coding, err := contentCoding(h)
	if err != nil {
		return nil, err
	}
	if b.announcesTooMuch(coding) {
		return nil, bodyError{kind: TooLarge}
	}
	var whole []byte
	if coding == identity {
		whole, err = b.fill(b)
	} else {
		whole, err = b.unfold(pool, coding)
		h.Del("Content-Encoding")
		h.Del("Content-Length")
	}
	if err == nil && b.declared >= 0 && b.declared != b.wire {
		err = bodyError{kind: Read, err: io.ErrUnexpectedEOF}
	}
	if err != nil {
		return nil, err
	}
	return b.toUTF8(whole, h)
}

// announcesTooMuch reports whether the body need not be read to know that it is too large.
func (b *body) announcesTooMuch(coding coding) bool {
	return b.declared > b.limits.wireBytes() || coding == identity && b.declared > b.limits.decodedBytes()
}

// toUTF8 brings a text into UTF-8, and what the header says of it along.
func (b *body) toUTF8(whole []byte, h http.Header) ([]byte, error) {
	mediaType := h.Get("Content-Type")
	text, newType, err := charset.Bytes(mediaType, whole, b.limits.decodedBytes())
	switch {
	case errors.Is(err, charset.ErrTooLarge):
		return nil, bodyError{kind: TooLarge}
	case err != nil:
		return nil, bodyError{kind: Encoding, err: err}
	}
	if newType != mediaType {
		h.Set("Content-Type", newType)
	}
	if len(text) != len(whole) {
		h.Del("Content-Length")
	}
	return text, nil
}

// Read hands out the body as it arrives, counts it and stops at the cap. One
// byte beyond the cap is asked for, to tell a full body from a larger one.
func (b *body) Read(p []byte) (int, error) {
	if b.srcErr != nil {
		return 0, b.srcErr
	}
	if room := b.limits.wireBytes() - b.wire; int64(len(p)) > room {
		p = p[:min(int64(len(p)), room+1)]
	}
	n, err := b.src.Read(p)
	b.wire += int64(n)
	if b.wire > b.limits.wireBytes() {
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

// unfold is fill through a decompressor.
func (b *body) unfold(pool *decoders, coding coding) (whole []byte, err error) {
	err = b.decode(pool, coding, func(r io.Reader) (err error) {
		whole, err = b.fill(r)
		return err
	})
	return whole, err
}

// fill reads r to its end.
func (b *body) fill(r io.Reader) ([]byte, error) {
	buf := make([]byte, 0, b.firstSize())
	for {
		if len(buf) == cap(buf) {
			buf = b.enlarge(buf)
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case b.limits.bomb(int64(len(buf)), b.wire):
			return nil, bodyError{kind: Bomb}
		case int64(len(buf)) > b.limits.decodedBytes():
			return nil, bodyError{kind: TooLarge}
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return nil, err
		}
	}
}

// enlarge doubles buf, up to one byte beyond what may be decoded: a body costs
// at most twice its size in memory.
func (b *body) enlarge(buf []byte) []byte {
	have := int64(len(buf))
	size := max(2*have, firstBuffer)
	if size >= b.limits.decodedBytes() {
		size = max(have, b.limits.decodedBytes()) + 1
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
