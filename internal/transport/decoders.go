package transport

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// zstdWindow is the largest window a zstd body may ask for, as RFC 9659 has it; a decoder
// allocates it on the word of the first bytes. Brotli's own format bounds it to 16 MiB.
const zstdWindow = 8 << 20

// engine opens the compressed data of one coding, one body after the other.
type engine interface {
	open(in *bufio.Reader) (io.Reader, error)
	// release forgets the body.
	release()
}

// engines makes the engine of each coding.
var engines = [codings]func() engine{
	gzipped:  func() engine { return &gzipEngine{} },
	deflated: func() engine { return deflateEngine{} },
	brotlied: func() engine { return &brotliEngine{} },
	zstded:   func() engine { return &zstdEngine{} },
}

// decoders keeps decompressors for reuse: a gzip reader has 40 KB of tables, the others have
// more.
type decoders struct{ pools [codings]sync.Pool }

// open returns a decoder over src, to be put back also with an error.
func (p *decoders) open(c coding, src io.Reader) (d *decoder, err error) {
	d, ok := p.pools[c].Get().(*decoder)
	if !ok {
		d = &decoder{coding: c, in: bufio.NewReader(nil), engine: engines[c]()}
	}
	d.in.Reset(src)
	defer d.contain(&err)
	d.out, err = d.engine.open(d.in)
	return d, corrupt(err)
}

// put takes a decoder back. One that panicked is not used again.
func (p *decoders) put(d *decoder) {
	if d.broken {
		return
	}
	d.engine.release()
	d.in.Reset(nil)
	d.out = nil
	p.pools[d.coding].Put(d)
}

type gzipEngine struct{ gz gzip.Reader }

func (e *gzipEngine) open(in *bufio.Reader) (io.Reader, error) { return &e.gz, e.gz.Reset(in) }
func (e *gzipEngine) release()                                 {}

// deflateEngine opens a deflate body. RFC 9110 §8.4.1.2 means the zlib format; some
// servers send the bare one, which two bytes tell apart (RFC 1950 §2.2).
type deflateEngine struct{}

func (deflateEngine) open(in *bufio.Reader) (io.Reader, error) {
	head, _ := in.Peek(2)
	if len(head) == 2 && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(in)
	}
	return flate.NewReader(in), nil
}

func (deflateEngine) release() {}

type brotliEngine struct{ br brotli.Reader }

func (e *brotliEngine) open(in *bufio.Reader) (io.Reader, error) { return &e.br, e.br.Reset(in) }
func (e *brotliEngine) release()                                 { _ = e.br.Reset(nil) } // always nil

// zstdEngine decodes in the caller's goroutine, so that nothing has to be stopped.
type zstdEngine struct{ dec *zstd.Decoder }

func (e *zstdEngine) open(in *bufio.Reader) (io.Reader, error) {
	if e.dec == nil {
		dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, err
		}
		e.dec = dec
	}
	return e.dec, e.dec.Reset(in)
}

func (e *zstdEngine) release() {
	if e.dec != nil {
		_ = e.dec.Reset(nil) // nil: without a reader it cannot fail
	}
}
