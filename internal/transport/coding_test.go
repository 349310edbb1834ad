package transport_test

import (
	"bytes"
	"io"
	"net/http"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/transport"
)

func brotlied(b []byte) []byte { return brotliedIn(b, 22) }

// brotliedIn compresses with a window of 2^bits bytes.
func brotliedIn(b []byte, bits int) []byte {
	var out bytes.Buffer
	w := brotli.NewWriterOptions(&out, brotli.WriterOptions{Quality: 5, LGWin: bits})
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func zstded(b []byte) []byte { return zstdedIn(b, 1<<20) }

// zstdedIn compresses with a window of that many bytes.
func zstdedIn(b []byte, window int) []byte {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, zstd.WithWindowSize(window), zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(b[:len(b)/2]) // in two, or the window would be as small as the text
	_ = w.Flush()
	_, _ = w.Write(b[len(b)/2:])
	_ = w.Close()
	return out.Bytes()
}

func read(client *transport.Client, coding string, body io.Reader, limits transport.Limits) ([]byte, transport.Kind) {
	got, _, err := transport.ReadBody(client, body, -1, http.Header{"Content-Encoding": {coding}}, limits)
	return got, transport.KindOfBody(err)
}

func TestBrotliAndZstandard(t *testing.T) {
	text := []byte(`{"answer":42}`)
	zeros := make([]byte, 64<<10)
	client := transport.New(nil)
	for coding, compress := range map[string]func([]byte) []byte{"br": brotlied, "zstd": zstded, "BR": brotlied, " ZSTD ": zstded} {
		whole := compress(varied(1 << 20))
		for name, tt := range map[string]struct {
			coding string
			body   []byte
			limits transport.Limits
			want   []byte
			kind   transport.Kind
		}{
			"text":           {coding, compress(text), transport.Limits{}, text, ""},
			"nothing":        {coding, nil, transport.Limits{}, nil, ""},
			"of nothing":     {coding, compress(nil), transport.Limits{}, []byte{}, ""},
			"large":          {coding, whole, transport.Limits{}, varied(1 << 20), ""},
			"cut":            {coding, whole[:len(whole)-9], transport.Limits{}, nil, transport.Encoding},
			"more behind":    {coding, append(compress(text), "more"...), transport.Limits{}, nil, transport.Encoding},
			"text itself":    {coding, text, transport.Limits{}, nil, transport.Encoding},
			"twice":          {coding + "," + coding, compress(compress(text)), transport.Limits{}, nil, transport.Encoding},
			"in gzip":        {coding + ", gzip", gzipped(compress(text)), transport.Limits{}, nil, transport.Encoding},
			"gzip in it":     {"gzip, " + coding, compress(gzipped(text)), transport.Limits{}, nil, transport.Encoding},
			"bomb":           {coding, compress(make([]byte, 10<<20)), transport.Limits{}, nil, transport.Bomb},
			"below floor":    {coding, compress(zeros), transport.Limits{}, zeros, ""},
			"above floor":    {coding, compress(append(zeros, 0)), transport.Limits{}, nil, transport.Bomb},
			"as allowed":     {coding, compress(varied(1500)), transport.Limits{DecodedBytes: 1500}, varied(1500), ""},
			"one byte more":  {coding, compress(varied(1501)), transport.Limits{DecodedBytes: 1500}, nil, transport.TooLarge},
			"wire too large": {coding, whole, transport.Limits{WireBytes: 1000}, nil, transport.TooLarge},
		} {
			t.Run(coding+" "+name, func(t *testing.T) {
				for _, body := range []io.Reader{bytes.NewReader(tt.body), iotest.OneByteReader(bytes.NewReader(tt.body)), iotest.DataErrReader(bytes.NewReader(tt.body))} {
					got, kind := read(client, tt.coding, body, tt.limits)
					assert.Equal(t, tt.kind, kind)
					assert.True(t, bytes.Equal(tt.want, got))
				}
			})
		}
	}
}

// What a decompressor allocates on the word of a few bytes is bounded too.
func TestWindowsAreBounded(t *testing.T) {
	client := transport.New(nil)
	_, kind := read(client, "zstd", bytes.NewReader(zstdedIn(varied(1000), 8<<20)), transport.Limits{})
	assert.Empty(t, kind, "8 MiB, as RFC 9659 has it")
	_, kind = read(client, "zstd", bytes.NewReader(zstdedIn(varied(1000), 16<<20)), transport.Limits{})
	assert.Equal(t, transport.Encoding, kind)
	_, kind = read(client, "br", bytes.NewReader(brotliedIn(varied(1000), 24)), transport.Limits{})
	assert.Empty(t, kind, "16 MiB, the most of RFC 7932")
	large := append([]byte{0x11, 30}, brotlied(varied(1000))...) // a window of 2^30, no longer RFC 7932
	_, kind = read(client, "br", bytes.NewReader(large), transport.Limits{})
	assert.Equal(t, transport.Encoding, kind)
}

func TestBombsOfEachCodingCostLittle(t *testing.T) {
	zeros := make([]byte, 16<<20)
	for name, tt := range map[string]struct {
		coding string
		bomb   []byte
	}{
		"br":                        {"br", brotliedIn(bytes.Repeat(zeros, 16), 24)},
		"zstd":                      {"zstd", zstdedIn(bytes.Repeat(zeros, 16), 8<<20)},
		"zstd, many frames":         {"zstd", bytes.Repeat(zstded(zeros), 64)},
		"zstd, one byte at a time":  {"zstd", bytes.Repeat(zstded([]byte("a")), 1<<10)},
		"zstd, frames with nothing": {"zstd", bytes.Repeat([]byte{0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0}, 1<<14)}, // skippable; the race detector counts what pools would keep
	} {
		for _, limits := range []transport.Limits{{}, {Ratio: -1}} {
			t.Run(name, func(t *testing.T) {
				client := transport.New(nil)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				_, _ = read(client, tt.coding, bytes.NewReader(tt.bomb), limits)
				runtime.ReadMemStats(&after)
				assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(80<<20), "all that was ever allocated")
			})
		}
	}
}

func TestADecompressorThatPanicsIsABadBody(t *testing.T) {
	for _, coding := range []string{"gzip", "br", "zstd"} {
		for _, opening := range []bool{false, true} {
			client := transport.New(nil)
			client.Panicking(coding, opening)
			for { // a pool may lose what it is given, and always does at times under -race
				_, _, err := transport.ReadBody(client, bytes.NewReader([]byte("text")), -1, http.Header{"Content-Encoding": {coding}}, transport.Limits{})
				require.Equal(t, transport.Encoding, transport.KindOfBody(err))
				if transport.Panicked(err) {
					break
				}
				client.Panicking(coding, opening)
			}
		}
	}
}
