package transport

import (
	"math"
	"net/http"
)

// Limits bound one answer. For each field zero means the default and negative
// means no limit.
type Limits struct {
	// HeaderBytes bounds names and values of the header, and of the trailer,
	// 4 bytes added per line; default 256 KiB. The RoundTripper should have
	// the same bound, so that no more is ever read.
	HeaderBytes int64
	// WireBytes bounds the body as it arrives; default 8 MiB.
	WireBytes int64
	// DecodedBytes bounds the body after decompression; default 16 MiB.
	DecodedBytes int64
	// Ratio is how many times larger than its wire form a decompressed body
	// may be, once it is larger than RatioFloor; default 100.
	Ratio int64
	// RatioFloor is the decoded size from which Ratio counts; default 64 KiB.
	RatioFloor int64
}

func (l *Limits) headerBytes() int64  { return bound(l.HeaderBytes, 256<<10) }
func (l *Limits) wireBytes() int64    { return bound(l.WireBytes, 8<<20) }
func (l *Limits) decodedBytes() int64 { return bound(l.DecodedBytes, 16<<20) }
func (l *Limits) ratio() int64        { return bound(l.Ratio, 100) }
func (l *Limits) ratioFloor() int64   { return bound(l.RatioFloor, 64<<10) }

// bound writes out a default, and "off".
func bound(v, otherwise int64) int64 {
	if v < 0 {
		return math.MaxInt64
	}
	return orDefault(v, otherwise)
}

// bomb says whether decoded bytes are out of proportion to the wire bytes they came from.
func (l *Limits) bomb(decoded, wire int64) bool {
	ratio := l.ratio()
	return decoded > l.ratioFloor() && decoded/ratio >= wire && decoded > ratio*wire
}

func headerBytes(h http.Header) int64 {
	var n int64
	for name, values := range h {
		for _, v := range values {
			n += int64(len(name) + len(v) + 4)
		}
	}
	return n
}
