package charset_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/charset"
)

func TestTextsBecomeUTF8(t *testing.T) {
	const json = "application/json"
	for name, tt := range map[string]struct{ mediaType, body, want, newType string }{
		"nothing":                      {json, "", "", ""},
		"UTF-8":                        {json + "; charset=utf-8", "Zoë", "Zoë", ""},
		"UTF-8, label in capitals":     {json + ";charset=UTF-8", "Zoë", "Zoë", ""},
		"UTF-8, quoted":                {json + `; charset="utf-8"`, "Zoë", "Zoë", ""},
		"UTF-8 with a mark":            {json, "\xef\xbb\xbf{}", "{}", ""},
		"a mark in text":               {"text/plain; charset=utf-8", "\xef\xbb\xbfx", "x", ""},
		"a mark without a media type":  {"", "\xef\xbb\xbf{}", "{}", ""},
		"ISO-8859-1":                   {json + "; charset=ISO-8859-1", "Zo\xeb", "Zoë", json + "; charset=utf-8"},
		"ISO-8859-1 is windows-1252":   {"text/plain; charset=iso-8859-1", "\x80", "€", "text/plain; charset=utf-8"},
		"windows-1252":                 {"text/csv; charset=windows-1252; header=present", "\x804,\x96", "€4,–", "text/csv; charset=utf-8; header=present"},
		"ISO-8859-2":                   {"text/plain; charset=iso-8859-2", "\xb3\xf3d\xbc", "łódź", "text/plain; charset=utf-8"},
		"KOI8-R":                       {"text/plain; charset=koi8-r", "\xed\xc9\xd2", "Мир", "text/plain; charset=utf-8"},
		"Shift_JIS":                    {"text/plain; charset=Shift_JIS", "\x93\xfa\x96\x7b", "日本", "text/plain; charset=utf-8"},
		"EUC-JP":                       {"text/plain; charset=euc-jp", "\xc6\xfc\xcb\xdc", "日本", "text/plain; charset=utf-8"},
		"ISO-2022-JP":                  {"text/plain; charset=iso-2022-jp", "\x1b$BF|K\\\x1b(B", "日本", "text/plain; charset=utf-8"},
		"GB18030":                      {"text/plain; charset=gb18030", "\xd6\xd0", "中", "text/plain; charset=utf-8"},
		"Big5":                         {"text/plain; charset=big5", "\xa4\xa4", "中", "text/plain; charset=utf-8"},
		"EUC-KR":                       {"text/plain; charset=euc-kr", "\xc7\xd1", "한", "text/plain; charset=utf-8"},
		"UTF-16 with a mark":           {json + "; charset=utf-16", "\xfe\xff\x00{\x00}", "{}", json + "; charset=utf-8"},
		"UTF-16, nothing but its mark": {json, "\xff\xfe{\x00}\x00", "{}", ""},
		"UTF-16, small end":            {json + "; charset=utf-16", "{\x00}\x00", "{}", json + "; charset=utf-8"},
		"UTF-16, big end":              {json + "; charset=utf-16", "\x00{\x00}", "{}", json + "; charset=utf-8"},
		"UTF-16BE":                     {json + "; charset=utf-16be", "\xd8\x3d\xde\x00", "😀", json + "; charset=utf-8"},
		"UTF-16LE, half a pair":        {json + "; charset=utf-16le", "\x3d\xd8", "\ufffd", json + "; charset=utf-8"},
		"the mark is stronger":         {json + "; charset=iso-8859-1", "\xef\xbb\xbfë", "ë", ""},
		"a strange type with a label":  {"application/vnd.x; charset=latin1", "\xeb", "ë", "application/vnd.x; charset=utf-8"},
		"a label that nobody knows":    {"text/plain; charset=klingon", "\xeb", "\xeb", ""},
		"a label that is not decoded":  {"text/plain; charset=iso-2022-cn", "\xeb", "\xeb", ""},
		"no media type at all":         {"text/plain; charset", "\xeb", "\xeb", ""},
		"bytes":                        {"application/octet-stream", "\xef\xbb\xbf\xff\xfe", "\xef\xbb\xbf\xff\xfe", ""},
		"a picture":                    {"image/png", "\xff\xfe", "\xff\xfe", ""},
		"XML that declares":            {"application/xml", `<?xml version="1.0" encoding="ISO-8859-1"?><a>` + "\xeb</a>", `<?xml version="1.0" encoding="UTF-8"?><a>ë</a>`, ""},
		"XML, other quotes":            {"application/soap+xml", "<?xml version='1.0'\nencoding = 'windows-1252' ?>\x80", "<?xml version='1.0'\nencoding = 'UTF-8' ?>€", ""},
		"XML, label and declaration":   {"text/xml; charset=koi8-r", `<?xml version="1.0" encoding="x"?>` + "\xed", `<?xml version="1.0" encoding="UTF-8"?>М`, "text/xml; charset=utf-8"},
		"XML, the label is stronger":   {"text/xml; charset=utf-8", `<?xml version="1.0" encoding="koi8-r"?>ë`, `<?xml version="1.0" encoding="koi8-r"?>ë`, ""},
		"XML in UTF-16":                {"text/xml", wide(`<?xml version="1.0" encoding="UTF-16"?><a/>`), `<?xml version="1.0" encoding="UTF-8"?><a/>`, ""},
		"XML that lies":                {"text/xml", `<?xml version="1.0" encoding="UTF-16"?><a/>`, `<?xml version="1.0" encoding="UTF-16"?><a/>`, ""},
		"XML in UTF-8":                 {"text/xml", `<?xml version="1.0" encoding="UTF-8"?><a>ë</a>`, `<?xml version="1.0" encoding="UTF-8"?><a>ë</a>`, ""},
		"XML, not closed":              {"text/xml", `<?xml version="1.0" encoding="koi8-r`, `<?xml version="1.0" encoding="koi8-r`, ""},
		"XML, nothing quoted":          {"text/xml", `<?xml encoding=koi8-r?>`, `<?xml encoding=koi8-r?>`, ""},
		"XML, half quoted":             {"text/xml", `<?xml encoding="koi8-r?>`, `<?xml encoding="koi8-r?>`, ""},
		"XML, encoding in the text":    {"text/xml", `<?xml version="1.0"?><a encoding="koi8-r"/>`, `<?xml version="1.0"?><a encoding="koi8-r"/>`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			want := tt.newType
			if want == "" {
				want = tt.mediaType
			}
			got, mediaType, err := charset.Bytes(tt.mediaType, []byte(tt.body), 1<<20)
			require.NoError(t, err)
			assert.Equal(t, tt.want, string(got))
			assert.Equal(t, want, mediaType)
			for _, src := range []io.Reader{strings.NewReader(tt.body), iotest.OneByteReader(strings.NewReader(tt.body))} {
				r, mediaType, same := charset.Reader(tt.mediaType, src)
				got, err := io.ReadAll(r)
				require.NoError(t, err)
				assert.Equal(t, tt.want, string(got))
				assert.Equal(t, want, mediaType)
				assert.Equal(t, tt.want == tt.body, same || tt.body == "")
			}
		})
	}
}

// wide is text in UTF-16 with its mark.
func wide(text string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for i := range len(text) {
		b.WriteByte(text[i])
		b.WriteByte(0)
	}
	return b.String()
}

func TestTextsThatGrowAreBounded(t *testing.T) {
	body := bytes.Repeat([]byte{0x80}, 1000) // € in three bytes each
	got, _, err := charset.Bytes("text/plain; charset=windows-1252", body, 3000)
	require.NoError(t, err)
	assert.Len(t, got, 3000)
	_, _, err = charset.Bytes("text/plain; charset=windows-1252", body, 2999)
	require.ErrorIs(t, err, charset.ErrTooLarge)
}

func TestTheErrorOfTheSourceIsTold(t *testing.T) {
	broken := errors.New("broken")
	for _, mediaType := range []string{"application/json", "image/png", "text/plain; charset=latin1", "text/xml"} {
		r, _, _ := charset.Reader(mediaType, io.MultiReader(strings.NewReader("<?xml"), iotest.ErrReader(broken)))
		got, err := io.ReadAll(r)
		require.ErrorIs(t, err, broken)
		assert.Equal(t, "<?xml", string(got))
	}
}

func TestWhatNeedsNoChangeCostsNothing(t *testing.T) {
	body := []byte(`{"a":1}`)
	for _, mediaType := range []string{"", "application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8", "text/html", "image/png"} {
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			if _, _, err := charset.Bytes(mediaType, body, 1<<20); err != nil {
				t.Error(err)
			}
		}), mediaType)
	}
}

// FuzzBytes holds that a decoded text is UTF-8, bounded, and the same in one piece and in many.
func FuzzBytes(f *testing.F) {
	for _, label := range []string{"iso-8859-1", "utf-16", "utf-16be", "shift_jis", "iso-2022-jp", "gb18030", "big5", "euc-kr", "koi8-u"} {
		f.Add("text/xml; charset="+label, []byte("<?xml version='1.0' encoding='x'?>\x00\x80\xff\x1b$B"))
	}
	f.Add("text/xml", []byte("\xff\xfe<\x00?\x00x\x00"))
	f.Add("", []byte("\xef\xbb\xbf{}"))
	f.Fuzz(func(t *testing.T, mediaType string, body []byte) {
		const most = 5000
		got, newType, err := charset.Bytes(mediaType, bytes.Clone(body), most)
		if err != nil {
			return
		}
		if newType != mediaType && (!utf8.Valid(got) || len(got) > most+5) {
			t.Fatalf("%d bytes of %q", len(got), newType)
		}
		r, streamType, _ := charset.Reader(mediaType, iotest.OneByteReader(bytes.NewReader(body)))
		streamed, err := io.ReadAll(r)
		if err != nil || streamType != newType || !bytes.Equal(streamed, got) {
			t.Fatalf("%q %q: %q, in pieces %q %v", mediaType, newType, got, streamed, err)
		}
	})
}
