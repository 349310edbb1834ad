package scrub_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/scrub"
)

// samples are secrets of the shapes that make encoders differ.
var samples = map[string]string{
	"token":   "s3cr3tTokenValue",
	"eight":   "abcdEFGH",
	"base64":  "q+/1Zp9/8sA+kk==",
	"symbols": `p@ss w/rd<&>"'\+=%;:,?#[]~*!()`,
	"unicode": "pässwörd→😀-κλειδί",
	"control": "line one\nline\ttwo\r\x01end",
	"pem":     "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC+/8=\n-----END PRIVATE KEY-----\n",
	"zeros":   "\x00\x00\x00\x00\x00\x00\x00\x00\x00",
}

// echoes are what programs make of a text before they send it back.
var echoes = map[string]func(string) string{
	"raw":          func(v string) string { return v },
	"query":        url.QueryEscape,
	"path":         url.PathEscape,
	"query lower":  func(v string) string { return lowerEscapes(url.QueryEscape(v)) },
	"path lower":   func(v string) string { return lowerEscapes(url.PathEscape(v)) },
	"json":         func(v string) string { return inJSON(v, true) },
	"json no html": func(v string) string { return inJSON(v, false) },
	"json slash":   func(v string) string { return strings.ReplaceAll(inJSON(v, false), "/", `\/`) },
	"xml":          inXML,
	"hex":          func(v string) string { return hex.EncodeToString([]byte(v)) },
	"HEX":          func(v string) string { return strings.ToUpper(hex.EncodeToString([]byte(v))) },
	"base64":       func(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) },
	"base64 raw":   func(v string) string { return base64.RawStdEncoding.EncodeToString([]byte(v)) },
	"base64url":    func(v string) string { return base64.URLEncoding.EncodeToString([]byte(v)) },
	"base64url raw": func(v string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(v))
	},
	"base64 in query": func(v string) string {
		return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(v)))
	},
	"base64 in json slash": func(v string) string {
		return strings.ReplaceAll(base64.StdEncoding.EncodeToString([]byte(v)), "/", `\/`)
	},
}

func lowerEscapes(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] == '%' {
			copy(b[i:i+3], bytes.ToLower(b[i:i+3]))
		}
	}
	return string(b)
}

func inJSON(v string, html bool) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(html)
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return b.String()[1 : b.Len()-2]
}

// inXML writes element text; it keeps what XML cannot carry.
func inXML(v string) string {
	if strings.ContainsAny(v, "\x00\x01\n\t\r") {
		return v
	}
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(v)); err != nil {
		panic(err)
	}
	return b.String()
}

func TestEachEchoIsFoundAtEachPlace(t *testing.T) {
	around := [][2]string{{"", ""}, {"x", ""}, {"", "y"}, {"<a>", "</a>"}, {`{"k":"`, `"}`}, {"[secret", "]"}}
	for name, value := range samples {
		s := scrub.New([]scrub.Secret{{Name: name, Value: value}})
		for how, echo := range echoes {
			for _, a := range around {
				got, n := s.Bytes([]byte(a[0] + echo(value) + a[1]))
				assert.Equal(t, a[0]+scrub.Mask+a[1], string(got), "%s as %s", name, how)
				assert.Equal(t, 1, n, "%s as %s", name, how)
			}
		}
	}
}

func TestBase64OfALongerTextIsFoundAtEachAlignment(t *testing.T) {
	encodings := []*base64.Encoding{base64.StdEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.RawURLEncoding}
	for name, value := range samples {
		s := scrub.New([]scrub.Secret{{Value: value}})
		for before := range 7 {
			for after := range 7 {
				for _, enc := range encodings {
					text := enc.EncodeToString([]byte("user:12"[:before] + value + "and more"[:after]))
					got, n := s.String(text)
					require.Equal(t, 1, n, "%s after %d before %d", name, before, after)
					require.Less(t, len(got), len(text)-4*len(value)/3+len(scrub.Mask)+3)
				}
			}
		}
	}
}

func TestOtherWorldsEscapes(t *testing.T) {
	tests := map[string]struct{ secret, echo string }{
		".NET":                  {"q+/1Zp9&'x", `q\u002B/1Zp9\u0026\u0027x`},
		"Gson":                  {"abc=def'gh", `abc\u003ddef\u0027gh`},
		"PHP":                   {"pä/ss/wörd", `p\u00e4\/ss\/w\u00f6rd`},
		"Python":                {"emoji😀here", `emoji\ud83d\ude00here`},
		"upper code":            {"emoji😀here", `emoji\uD83D\uDE00here`},
		"encodeURIComponent":    {"it's (a) key!", "it's%20(a)%20key!"},
		"a tilde alone":         {"plain~but-for_it", "plain%7Ebut-for_it"},
		"URLEncoder":            {"star*tilde~ x", "star*tilde%7E+x"},
		"HTML":                  {`a<b>"c"&'d'`, "a&lt;b&gt;&quot;c&quot;&amp;&#39;d&#39;"},
		"header name canonical": {"my-Secret-name", "My-Secret-Name"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, n := scrub.New([]scrub.Secret{{Value: tt.secret}}).String("<" + tt.echo + ">")
			assert.Equal(t, "<"+scrub.Mask+">", got)
			assert.Equal(t, 1, n)
		})
	}
}

func TestOverlaps(t *testing.T) {
	tests := map[string]struct {
		secrets []string
		text    string
		want    string
		n       int
	}{
		"prefix of another, longer there":  {[]string{"abcdefgh", "abcdefghij"}, "-abcdefghij-", "-[secret]-", 1},
		"prefix of another, shorter there": {[]string{"abcdefgh", "abcdefghij"}, "-abcdefghi-", "-[secret]i-", 1},
		"suffix of another":                {[]string{"cdefghij", "abcdefghij"}, "-abcdefghij-", "-[secret]-", 1},
		"inside another":                   {[]string{"bcdefghi", "abcdefghij"}, "abcdefghij", "[secret]", 1},
		"inside one that is not there":     {[]string{"bcdefghi", "abcdefghiX"}, "abcdefghij", "a[secret]j", 1},
		"one end is another's beginning":   {[]string{"abcdefgh", "efghijkl"}, "-abcdefghijkl-", "-[secret]-", 1},
		"side by side":                     {[]string{"abcdefgh", "12345678"}, "abcdefgh12345678", "[secret][secret]", 2},
		"itself shifted":                   {[]string{"aaaaaaaa"}, "-aaaaaaaaaaaa-", "-[secret]-", 1},
		"same twice":                       {[]string{"abcdefgh", "abcdefgh"}, "abcdefgh", "[secret]", 1},
		"false start":                      {[]string{"abcabcabd"}, "abcabcabcabd", "abc[secret]", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := scrub.New(secrets(tt.secrets...))
			got, n := s.String(tt.text)
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.n, n)
			for cut := range len(tt.text) {
				assert.Equal(t, tt.want, streamed(t, s, tt.text[:cut], tt.text[cut:]), "cut at %d", cut)
			}
		})
	}
}

func secrets(values ...string) (out []scrub.Secret) {
	for i, v := range values {
		out = append(out, scrub.Secret{Name: fmt.Sprint(i), Value: v})
	}
	return out
}

func TestNothingFoundIsTheSameBytes(t *testing.T) {
	text := []byte(`{"access":"abcdefg","n":1234567}`)
	for name, s := range map[string]*scrub.Scrubber{
		"nil": nil, "empty": scrub.New(nil), "absent": scrub.New(secrets("abcdefgh", "12345678", "short")),
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range []func([]byte) ([]byte, int){s.Bytes, s.JSON} {
				got, n := f(text)
				assert.Zero(t, n)
				assert.Same(t, &text[0], &got[0])
			}
			h := http.Header{"X-A": {"abcdefg"}}
			got, n := s.Header(h)
			assert.Zero(t, n)
			assert.Equal(t, h, got)
			assert.Zero(t, testing.AllocsPerRun(10, func() { s.Bytes(text) }))
		})
	}
}

func TestShortSecretsOnlyAsWholeValues(t *testing.T) {
	s := scrub.New(secrets("1234", "pin", ""))
	for text, want := range map[string]string{
		"1234": scrub.Mask, "pin": scrub.Mask, "12345": "12345", "spin": "spin", "": "",
	} {
		got, _ := s.String(text)
		assert.Equal(t, want, got)
		assert.Equal(t, want, streamed(t, s, text))
	}
	h, n := s.Header(http.Header{"Pin": {"pin", "pin code", "1234"}})
	assert.Equal(t, 2, n)
	assert.Equal(t, http.Header{"Pin": {scrub.Mask, "pin code", scrub.Mask}}, h)
}

func TestHeaderNamesAndValues(t *testing.T) {
	s := scrub.New(secrets("abcdefgh"))
	h := http.Header{"X-Abcdefgh-Y": {"v"}, "Echo": {"a", "Bearer abcdefgh"}, "Other": {"z"}}
	got, n := s.Header(h)
	assert.Equal(t, 2, n)
	assert.Equal(t, http.Header{"X-Abcdefgh-Y": {"v"}, "Echo": {"a", "Bearer abcdefgh"}, "Other": {"z"}}, h, "input unchanged")
	assert.Equal(t, http.Header{"X-Abcdefgh-Y": {"v"}, "Echo": {"a", "Bearer [secret]"}, "Other": {"z"}}, withName(got, "X-[secret]-Y", "X-Abcdefgh-Y"))
}

func withName(h http.Header, from, to string) http.Header {
	h[to] = h[from]
	delete(h, from)
	return h
}

func TestJSON(t *testing.T) {
	tests := map[string]struct {
		secrets  []string
		in, want string
		n        int
	}{
		"string":              {[]string{"abcdefgh"}, `{"a":"x abcdefgh y"}`, `{"a":"x [secret] y"}`, 1},
		"name":                {[]string{"abcdefgh"}, `{"abcdefgh":1}`, `{"[secret]":1}`, 1},
		"every char escaped":  {[]string{"abcdefgh"}, `["\u0061b\u0063defgh\n"]`, `["[secret]\n"]`, 1},
		"number":              {[]string{"12345678"}, `{"n":12345678}`, `{"n":"[secret]"}`, 1},
		"part of a number":    {[]string{"12345678"}, `[-9123456789]`, `["[secret]"]`, 1},
		"short string":        {[]string{"pin"}, `["pin","spin",{"pin":"\u0070in"}]`, `["[secret]","spin",{"[secret]":"[secret]"}]`, 3},
		"short number":        {[]string{"1234"}, `[1234,12345,-1234,"1234"]`, `["[secret]",12345,-1234,"[secret]"]`, 2},
		"a document":          {[]string{`{"k":"v"}`}, `[{"k":"v"},"{\"k\":\"v\"}"]`, `[[secret],"[secret]"]`, 2},
		"escaped quote":       {[]string{"abcdefgh"}, `["\"abcdefgh\\"]`, `["\"[secret]\\"]`, 1},
		"behind a quote":      {[]string{"abcdefgh"}, `["\"\u0061bcdefgh"]`, `["\"[secret]"]`, 1},
		"upper code":          {[]string{"abcdefgJ"}, `["abcdefg\u004A"]`, `["[secret]"]`, 1},
		"surrogate pair":      {[]string{"abcdef😀"}, `["abcdef\uD83D\ude00"]`, `["[secret]"]`, 1},
		"half a pair":         {[]string{"abcdefgh"}, `["\ud83d\u0061bcdefgh"]`, "[\"\ufffd[secret]\"]", 1},
		"not JSON, open":      {[]string{"abcdefgh"}, `"abcdefgh`, `"[secret]`, 1},
		"not JSON, backslash": {[]string{"abcdefgh"}, `"abcdefgh\`, `"[secret]\`, 1},
		"not JSON, escape":    {[]string{"abcdefgh"}, `"\x abcdefgh"`, `"\x [secret]"`, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, n := scrub.New(secrets(tt.secrets...)).JSON([]byte(tt.in))
			assert.Equal(t, tt.want, string(got))
			assert.Equal(t, tt.n, n)
		})
	}
}

func TestSizeIsProportional(t *testing.T) {
	assert.Zero(t, (*scrub.Scrubber)(nil).Size())
	assert.Zero(t, scrub.New(secrets("short")).Size())
	token := scrub.New(secrets(strings.Repeat("s3cr3t-T0ken", 4))).Size()
	assert.Less(t, token, 12<<10)
	long := strings.Repeat(samples["symbols"], 100)
	assert.Less(t, scrub.New(secrets(long)).Size(), 2000*len(long))
}

func TestALongSecretIsFoundWholeInLittleMemory(t *testing.T) {
	for _, size := range []int{300, 4 << 10, 64 << 10} {
		long := noise(size, 1)
		s := scrub.New([]scrub.Secret{{Name: "key", Value: long}})
		assert.Less(t, s.Size(), 1<<20)
		for name, form := range map[string]string{
			"raw": long, "query": url.QueryEscape(long), "base64": base64.RawStdEncoding.EncodeToString([]byte(long)),
		} {
			text := "before " + form + " after"
			clean, n := s.String(text)
			assert.Equal(t, 1, n, name)
			// Forms that begin alike are masked as far as the longest of them goes on.
			rest, ok := strings.CutPrefix(clean, "before [secret]")
			assert.True(t, ok && strings.HasSuffix(" after", rest), name)
			if size <= 4<<10 && name != "base64" {
				assert.Equal(t, " after", rest, name)
			}

			var out strings.Builder
			w := s.Writer(&out)
			for part := range slices.Chunk([]byte(text), 1000) {
				_, err := w.Write(part)
				require.NoError(t, err)
			}
			require.NoError(t, w.Close())
			assert.Equal(t, clean, out.String(), name)

			cut, n := s.String(form[:300])
			assert.Equal(t, 1, n, name)
			assert.Equal(t, "[secret]", cut, name)
		}
	}
}

func TestManyLongSecretsTakeBoundedMemory(t *testing.T) {
	var list []scrub.Secret
	for n := range uint64(100) {
		list = append(list, scrub.Secret{Name: "s", Value: noise(64<<10, n)})
	}
	assert.Less(t, scrub.New(list).Size(), 64<<20)
}

// noise is printable text in which nothing repeats.
func noise(size int, seed uint64) string {
	b, random := make([]byte, size), rand.New(rand.NewPCG(seed, uint64(size)))
	for i := range b {
		b[i] = byte('!' + random.IntN('~'-'!'))
	}
	return string(b)
}
