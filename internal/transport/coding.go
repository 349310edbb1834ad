package transport

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"net/http"
	"strings"
	"sync"
)

// coding is a content coding of RFC 9110 §8.4.1.
type coding int

const (
	identity coding = iota
	gzipped
	deflated
)

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
	}
	return identity, false
}

// decoders keeps decompressors for reuse: a gzip reader has 40 KB of tables.
type decoders struct{ pool sync.Pool }

// decoder decompresses one body. It reads ahead in its own buffer only, so
// that what follows the compressed data is seen.
type decoder struct {
	in  *bufio.Reader
	gz  gzip.Reader
	out io.Reader
}

// open returns a decoder over src. With an error it may return one as well, to
// be put back.
func (p *decoders) open(c coding, src io.Reader) (*decoder, error) {
	d, ok := p.pool.Get().(*decoder)
	if !ok {
		d = &decoder{in: bufio.NewReader(nil)}
	}
	d.in.Reset(src)
	var err error
	if c == gzipped {
		d.out, err = &d.gz, d.gz.Reset(d.in)
	} else {
		d.out, err = inflate(d.in)
	}
	return d, corrupt(err)
}

func (p *decoders) put(d *decoder) {
	d.in.Reset(nil)
	d.out = nil
	p.pool.Put(d)
}

func (d *decoder) Read(p []byte) (int, error) {
	n, err := d.out.Read(p)
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

// inflate opens a deflate body. RFC 9110 §8.4.1.2 means the zlib format; some
// servers send the bare one, which two bytes tell apart (RFC 1950 §2.2).
func inflate(in *bufio.Reader) (io.Reader, error) {
	head, _ := in.Peek(2)
	if len(head) == 2 && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(in)
	}
	return flate.NewReader(in), nil
}

// corrupt makes an error of a decompressor one of ours; the end stays the end.
func corrupt(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return bodyError{kind: Encoding, err: err}
}
