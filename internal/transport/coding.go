package transport

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strings"
)

// coding is a content coding of RFC 9110 §8.4.1.
type coding int

const (
	identity coding = iota
	gzipped
	deflated
	brotlied // RFC 7932
	zstded   // RFC 8878

	codings // how many there are
)

// acceptEncoding asks for what can be read, but for deflate: what that means is told in two
// ways, and who can do it can do gzip.
const acceptEncoding = "gzip, br, zstd"

// contentCoding reads Content-Encoding. More than one coding is refused: no
// API needs it, and each layer multiplies what a small body may become.
func contentCoding(h http.Header) (coding, error) {
	found := identity
	for _, line := range h["Content-Encoding"] {
		for token := range strings.SplitSeq(line, ",") {
			c, ok := codingOf(strings.ToLower(strings.Trim(token, " \t")))
			if !ok || c != identity && found != identity {
				return identity, bodyError{kind: Encoding}
			}
			found = max(found, c)
		}
	}
	return found, nil
}

func codingOf(token string) (coding, bool) {
	switch token {
	case "", "identity":
		return identity, true
	case "gzip", "x-gzip":
		return gzipped, true
	case "deflate":
		return deflated, true
	case "br":
		return brotlied, true
	case "zstd":
		return zstded, true
	}
	return identity, false
}

// decoder decompresses one body. It reads ahead in its own buffer only, so
// that what follows the compressed data is seen.
type decoder struct {
	coding coding
	in     *bufio.Reader
	engine engine
	out    io.Reader
	broken bool // its engine panicked
}

func (d *decoder) Read(p []byte) (n int, err error) {
	defer d.contain(&err)
	n, err = d.out.Read(p)
	return n, corrupt(err)
}

// finish demands that the body ends where its compressed data does. It also
// takes the end of the body off the wire, which frees the connection.
func (d *decoder) finish() error {
	_, err := d.in.ReadByte()
	switch err {
	case io.EOF:
		return nil
	case nil:
		return bodyError{kind: Encoding, err: errLeftover}
	}
	return err
}

// corrupt makes an error of a decompressor one of ours; the end stays the end.
func corrupt(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return bodyError{kind: Encoding, err: err}
}

var errPanic = errors.New("the decompressor panicked")

// contain makes a panic of a decompressor an error: the body is the third party's, and must
// not end the process.
func (d *decoder) contain(err *error) {
	if recover() != nil {
		d.broken, *err = true, bodyError{kind: Encoding, err: errPanic}
	}
}
