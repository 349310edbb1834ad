package transport_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/integrationhub/hub/internal/transport"
)

func FuzzRetryAfter(f *testing.F) {
	for _, v := range []string{"", "0", "120", "-1", "+1", "1.5", "99999999999999999999", " 7 ", "Fri, 31 Dec 1999 23:59:59 GMT",
		"Friday, 31-Dec-99 23:59:59 GMT", "Fri Dec 31 23:59:59 1999", "Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 0001 00:00:00 GMT"} {
		f.Add(v, "")
		f.Add(v, "Fri, 31 Dec 1999 23:59:00 GMT")
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		h := http.Header{"Retry-After": {value}, "Date": {date}}
		d, ok := transport.RetryAfter(h, time.Unix(946684800, 0))
		if d < 0 || d > 1e9*time.Second || !ok && d != 0 {
			t.Fatalf("%q: %v %t", value, d, ok)
		}
	})
}

// FuzzBody holds that no body passes the caps, whatever it claims to be.
func FuzzBody(f *testing.F) {
	f.Add("gzip", gzipped(varied(300)), int64(-1))
	f.Add("deflate", zlibbed(varied(300)), int64(200))
	f.Add("deflate", deflated(make([]byte, 70000)), int64(-1))
	f.Add("gzip", gzipped(make([]byte, 70000)), int64(-1))
	f.Add("identity,, x-gzip", []byte{0x1f, 0x8b}, int64(2))
	f.Add("br", []byte("text"), int64(4))
	f.Add("br", brotlied(varied(300)), int64(-1))
	f.Add("br", brotlied(make([]byte, 70000)), int64(-1))
	f.Add("zstd", zstded(varied(300)), int64(-1))
	f.Add("zstd", zstded(make([]byte, 70000)), int64(-1))
	client := transport.New(nil)
	limits := transport.Limits{WireBytes: 4000, DecodedBytes: 50000, Ratio: 20, RatioFloor: 1000}
	f.Fuzz(func(t *testing.T, coding string, body []byte, declared int64) {
		h := http.Header{"Content-Encoding": {coding}}
		got, wire, err := transport.ReadBody(client, bytes.NewReader(body), declared, h, limits)
		if err != nil {
			if got != nil {
				t.Fatalf("body with an error: %v", err)
			}
			return
		}
		n := int64(len(got))
		if wire != int64(len(body)) || wire > 4000 || n > 50000 || n > 1000 && n > 20*wire || declared >= 0 && declared != wire {
			t.Fatalf("%d bytes became %d", wire, n)
		}
	})
}

// BenchmarkDo counts what a call costs beside its transport.
func BenchmarkDo(b *testing.B) {
	client := transport.New(nil)
	req := to(b, "POST", here, canned{})
	req.Body = []byte(`{"a":1}`)
	b.ReportAllocs()
	for b.Loop() {
		client.Do(b.Context(), req, &transport.Policy{})
	}
}

type canned struct{}

func (canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, ContentLength: 0, Body: http.NoBody, Header: http.Header{}}, nil
}
