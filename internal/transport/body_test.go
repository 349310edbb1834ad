package transport_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/transport"
)

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func zlibbed(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func deflated(b []byte) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestCompression)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

// varied is text that compresses about two to one.
func varied(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%x,", uint64(i+1)*0x9E3779B97F4A7C15)
	}
	return b.Bytes()[:n]
}

func TestBodies(t *testing.T) {
	text := []byte(`{"answer":42}`)
	small := transport.Limits{WireBytes: 1000, DecodedBytes: 2000}
	tests := map[string]struct {
		coding string
		body   []byte
		limits transport.Limits
		want   []byte
		kind   transport.Kind
	}{
		"plain":                      {"", text, transport.Limits{}, text, ""},
		"identity":                   {"Identity", text, transport.Limits{}, text, ""},
		"gzip":                       {"gzip", gzipped(text), transport.Limits{}, text, ""},
		"x-gzip in capitals":         {"X-GZIP", gzipped(text), transport.Limits{}, text, ""},
		"gzip and identity":          {"identity, gzip", gzipped(text), transport.Limits{}, text, ""},
		"gzip in two members":        {"gzip", append(gzipped(text[:5]), gzipped(text[5:])...), transport.Limits{}, text, ""},
		"deflate":                    {"deflate", zlibbed(text), transport.Limits{}, text, ""},
		"deflate, bare":              {"deflate", deflated(text), transport.Limits{}, text, ""},
		"gzip of nothing at all":     {"gzip", nil, transport.Limits{}, nil, ""},
		"nothing":                    {"", nil, transport.Limits{}, []byte{}, ""},
		"large, within bounds":       {"gzip", gzipped(varied(1 << 20)), transport.Limits{}, varied(1 << 20), ""},
		"compress":                   {"compress", text, transport.Limits{}, nil, transport.Encoding},
		"gzip twice":                 {"gzip, gzip", gzipped(gzipped(text)), transport.Limits{}, nil, transport.Encoding},
		"deflate in gzip":            {"deflate, gzip", gzipped(zlibbed(text)), transport.Limits{}, nil, transport.Encoding},
		"gzip that is not":           {"gzip", text, transport.Limits{}, nil, transport.Encoding},
		"gzip cut short":             {"gzip", gzipped(text)[:20], transport.Limits{}, nil, transport.Encoding},
		"gzip with a false checksum": {"gzip", flipped(gzipped(text), -5), transport.Limits{}, nil, transport.Encoding},
		"gzip and more":              {"gzip", append(gzipped(text), "more"...), transport.Limits{}, nil, transport.Encoding},
		"deflate and more":           {"deflate", append(zlibbed(text), "more"...), transport.Limits{}, nil, transport.Encoding},
		"as large as allowed":        {"", varied(1000), small, varied(1000), ""},
		"one byte larger":            {"", varied(1001), small, nil, transport.TooLarge},
		"decoded as allowed":         {"gzip", gzipped(varied(1500)), small, varied(1500), ""},
		"decoded one byte larger":    {"gzip", gzipped(make([]byte, 2001)), small, nil, transport.TooLarge},
		"decoded to the byte":        {"gzip", gzipped(make([]byte, 2000)), small, make([]byte, 2000), ""},
		"bomb":                       {"gzip", gzipped(make([]byte, 10<<20)), transport.Limits{}, nil, transport.Bomb},
		"bomb, deflate":              {"deflate", deflated(make([]byte, 10<<20)), transport.Limits{}, nil, transport.Bomb},
		"below the floor":            {"gzip", gzipped(make([]byte, 64<<10)), transport.Limits{}, make([]byte, 64<<10), ""},
		"above the floor":            {"gzip", gzipped(make([]byte, 64<<10+1)), transport.Limits{}, nil, transport.Bomb},
		"ratio off":                  {"gzip", gzipped(make([]byte, 1<<20)), transport.Limits{Ratio: -1}, make([]byte, 1<<20), ""},
		"all limits off":             {"gzip", gzipped(make([]byte, 20<<20)), transport.Limits{-1, -1, -1, -1, -1}, make([]byte, 20<<20), ""},
	}
	for name, tt := range tests {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/chunked=%t", name, chunked), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					via := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
						if tt.coding != "" {
							w.Header().Set("Content-Encoding", tt.coding)
						}
						if chunked {
							_ = http.NewResponseController(w).Flush()
						} else {
							w.Header().Set("Content-Length", fmt.Sprint(len(tt.body)))
						}
						_, _ = w.Write(tt.body)
					})
					policy := transport.Policy{Limits: tt.limits}
					out := transport.New(nil).Do(t.Context(), to(t, "GET", here, via), &policy)
					require.Equal(t, tt.kind, kindOf(t, out))
					require.Len(t, out.Attempts, 1)
					assert.Equal(t, 200, out.Answer.Status)
					assert.True(t, bytes.Equal(tt.want, out.Answer.Body))
					assert.Equal(t, tt.kind != "", out.Answer.Incomplete)
					if tt.kind == "" {
						assert.EqualValues(t, len(tt.body), out.Attempts[0].BytesIn)
						assert.NotContains(t, strings.ToLower(out.Answer.Header.Get("Content-Encoding")), "gzip")
					}
				})
			})
		}
	}
}

func flipped(b []byte, at int) []byte {
	b[len(b)+at] ^= 1
	return b
}

func TestABombCostsLittle(t *testing.T) {
	bomb := bytes.Repeat(gzipped(make([]byte, 16<<20)), 64) // 1 GiB
	for name, limits := range map[string]transport.Limits{
		"by ratio": {}, "by size": {Ratio: -1},
	} {
		t.Run(name, func(t *testing.T) {
			client := transport.New(nil)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := transport.ReadBody(client, bytes.NewReader(bomb), -1, http.Header{"Content-Encoding": {"gzip"}}, limits)
			runtime.ReadMemStats(&after)
			require.Error(t, err)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(40<<20), "all that was ever allocated")
		})
	}
}

func TestAnEndlessBodyEndsAtTheCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		via := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			for _, err := w.Write(varied(1 << 10)); err == nil; {
				_, err = w.Write(varied(1 << 10))
			}
		})
		out := transport.New(nil).Do(t.Context(), to(t, "GET", here, via), &transport.Policy{})
		assert.Equal(t, transport.TooLarge, kindOf(t, out))
		assert.EqualValues(t, 8<<20+1, out.Attempts[0].BytesIn)
	})
}

func TestADeclaredLengthBeyondTheCapIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		via := inMemory(t, raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"))
		out := transport.New(nil).Do(t.Context(), to(t, "GET", here, via), &transport.Policy{})
		assert.Equal(t, transport.TooLarge, kindOf(t, out))
		assert.Zero(t, out.Attempts[0].BytesIn)
	})
}

// raw answers with bytes and closes the connection.
func raw(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, answer)
	}
}

func TestAnswersThatAreNotWhole(t *testing.T) {
	many := "X-Filler: " + strings.Repeat("x", 1000) + "\r\n"
	tests := map[string]struct {
		answer string
		kind   transport.Kind
	}{
		"nothing":                 {"", transport.Read},
		"not HTTP":                {"SSH-2.0-OpenSSH\r\n\r\n", transport.Protocol},
		"status is no number":     {"HTTP/1.1 two OK\r\n\r\n", transport.Protocol},
		"header line broken":      {"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", transport.Protocol},
		"header cut":              {"HTTP/1.1 200 OK\r\nContent-Len", transport.Protocol},
		"two lengths":             {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", transport.Protocol},
		"strange coding":          {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", transport.Protocol},
		"body cut":                {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", transport.Read},
		"chunks cut":              {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", transport.Read},
		"chunk size broken":       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhalf\r\n", transport.Read},
		"gzip body cut":           {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 999\r\n\r\n\x1f\x8b\x08", transport.Read},
		"switching protocols":     {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", transport.Protocol},
		"header too large":        {"HTTP/1.1 200 OK\r\n" + strings.Repeat(many, 300) + "\r\n", transport.HeaderTooLarge},
		"1xx flood":               {strings.Repeat("HTTP/1.1 103 Early Hints\r\n"+many+"\r\n", 300), transport.HeaderTooLarge},
		"trailer announced, none": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n0\r\n", transport.Read},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				req := to(t, "POST", here, inMemory(t, raw(tt.answer)))
				out := transport.New(nil).Do(t.Context(), req, &transport.Policy{})
				assert.Equal(t, tt.kind, kindOf(t, out), "%v", causeOf(out))
				assert.Len(t, out.Attempts, 1)
				assert.True(t, out.Sent())
			})
		})
	}
}

func causeOf(out transport.Outcome) error {
	if f, ok := out.Err.(*transport.Failure); ok {
		return f.Cause()
	}
	return nil
}

func TestHeaderLimitIsExactAndCountsTrailers(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\nX-A: 12345\r\n\r\n2\r\nok\r\n0\r\nX-T: "
	for tail, want := range map[string]transport.Kind{"1234": "", "123456": transport.HeaderTooLarge} {
		synctest.Test(t, func(t *testing.T) {
			via := inMemory(t, raw(head+tail+"\r\n\r\n"))
			policy := transport.Policy{Limits: transport.Limits{HeaderBytes: 12}}
			out := transport.New(nil).Do(t.Context(), to(t, "GET", here, via), &policy)
			require.Equal(t, want, kindOf(t, out))
			if want == "" {
				assert.Equal(t, tail, out.Answer.Trailer.Get("X-T"))
			}
			policy.Limits.HeaderBytes = 11
			out = transport.New(nil).Do(t.Context(), to(t, "GET", here, via), &policy)
			assert.Equal(t, transport.HeaderTooLarge, kindOf(t, out))
			assert.Equal(t, 200, out.Answer.Status)
		})
	}
}

func TestAnswersWithoutABody(t *testing.T) {
	for method, status := range map[string]int{"HEAD": 200, "GET": 204, "PUT": 304} {
		synctest.Test(t, func(t *testing.T) {
			via := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "br")
				if status == 200 {
					w.Header().Set("Content-Length", "99999999999")
				}
				w.WriteHeader(status)
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			out := transport.New(nil).Do(ctx, to(t, method, here, via), &transport.Policy{})
			require.NoError(t, out.Err)
			assert.Equal(t, status, out.Answer.Status)
			assert.Empty(t, out.Answer.Body)
		})
	}
}

func TestRedirectsAreAnswers(t *testing.T) {
	for _, location := range []string{"/elsewhere", "https://evil.test/", "://bro ken%zz", ""} {
		synctest.Test(t, func(t *testing.T) {
			handler, count := always(302, "Location", location)
			out := transport.New(nil).Do(t.Context(), to(t, "GET", here, inMemory(t, handler)), &transport.Policy{})
			require.NoError(t, out.Err)
			assert.Equal(t, 302, out.Answer.Status)
			assert.Equal(t, 1, count())
		})
	}
}

func TestWhatIsAskedFor(t *testing.T) {
	tests := map[string]struct {
		method string
		header http.Header
		want   string
	}{
		"default":     {"GET", nil, "gzip, br, zstd"},
		"own":         {"GET", http.Header{"Accept-Encoding": {"identity"}}, "identity"},
		"with Range":  {"GET", http.Header{"Range": {"bytes=0-9"}}, ""},
		"without any": {"HEAD", nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got string
				via := inMemory(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Accept-Encoding") })
				req := to(t, tt.method, here, via)
				req.Header = tt.header
				require.NoError(t, transport.New(nil).Do(t.Context(), req, &transport.Policy{}).Err)
				assert.Equal(t, tt.want, got)
			})
		})
	}
}

func TestTheConnectionIsFreeAfterEachCoding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bodies := map[string][]byte{"gzip": gzipped(varied(9999)), "deflate": zlibbed(varied(9999)), "br": brotlied(varied(9999)), "zstd": zstded(varied(9999)), "": varied(9999)}
		via := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
			coding := r.URL.Query().Get("coding")
			w.Header().Set("Content-Encoding", coding)
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(bodies[coding])
		})
		client := transport.New(nil)
		for i, coding := range []string{"", "gzip", "deflate", "br", "zstd", "gzip", "br", "zstd", ""} {
			out := client.Do(t.Context(), to(t, "GET", "http://upstream.test/?coding="+coding, via), &transport.Policy{})
			require.NoError(t, out.Err)
			assert.Equal(t, varied(9999), out.Answer.Body)
			assert.Equal(t, i > 0, out.Attempts[0].Reused)
		}
	})
}
