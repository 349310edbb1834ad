package scrub_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/integrationhub/hub/internal/scrub"
)

// FuzzSet holds a Set against its Scrubbers, one by one.
func FuzzSet(f *testing.F) {
	f.Add("abcdefgh", "efghijkl", "pin", `{"a":"-abcdefghijkl-","\u0061bcdefgh":"pin","efgh":"efghijk\u006c"}`)
	f.Add("abcdefghijklmnopqrst", "12345678", "1", `{"abcdefghijklmnopqrst":12345678,"b":1}`)
	f.Add("[secret]", "secret]x", "", "[secret]x")
	f.Fuzz(func(t *testing.T, a, b, c, text string) {
		set := scrub.Set{scrub.New(secrets(a)), nil, scrub.New(secrets(b, c))}
		wantText, wantBytes, wantJSON := text, []byte(text), []byte(text)
		wantHeader := http.Header{text: {"x", text, text[len(text)/2:]}}
		gotHeader := set.Header(wantHeader.Clone())
		for _, s := range set {
			wantText, _ = s.String(wantText)
			wantBytes, _ = s.Bytes(wantBytes)
			wantJSON, _ = s.JSON(wantJSON)
			wantHeader, _ = s.Header(wantHeader)
		}
		assert.Equal(t, wantText, set.String(text))
		assert.Equal(t, string(wantBytes), string(set.Bytes([]byte(text))))
		assert.Equal(t, string(wantJSON), string(set.JSON([]byte(text))))
		assert.Equal(t, wantHeader, gotHeader)
	})
}

// Each Scrubber of a Set finds its own, wherever it stands.
func TestEachOfASetIsAsked(t *testing.T) {
	set := scrub.Set{nil, scrub.New(secrets("abcdefgh-ijkl")), scrub.New(secrets("0123456789abcdef", "pin-42"))}
	for _, long := range []string{"", strings.Repeat("long ", 200), `\"` + strings.Repeat("long ", 200)} {
		assert.Equal(t, `{"a":"`+long+`[secret]"}`, string(set.JSON([]byte(`{"a":"`+long+`0123456789abcd\u0065f"}`))))
		assert.Equal(t, `{"a":"`+long+`[secret]"}`, string(set.JSON([]byte(`{"a":"`+long+`\u0061bcdefgh-ijkl"}`))))
	}
	assert.Equal(t, http.Header{"A": {"x", "[secret]"}}, set.Header(http.Header{"A": {"x", "pin-42"}}))
	assert.Equal(t, http.Header{"[secret]": {"x"}}, set.Header(http.Header{"pin-42": {"x"}}))
	assert.Equal(t, http.Header{"X-[secret]": {"x"}}, set.Header(http.Header{"X-0123456789abcdef": {"x"}}))
}

func TestASetThatFindsNothingCostsNoMemory(t *testing.T) {
	set := scrub.Set{scrub.New(secrets("abcdefgh-ijkl")), nil, scrub.New(secrets("0123456789abcdef"))}
	h := http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"0123456789-abcdef"}}
	doc := []byte(`{"text":"abcdefg hijkl 0123456"}`)
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		h = set.Header(h)
		doc = set.JSON(doc)
	}))
}

// The filter looks at every stride-th place only, and at longer strides the longer the forms are.
func TestNoFormIsTooShortForTheFilter(t *testing.T) {
	for size := scrub.MinLength; size < 40; size++ {
		long, short := noise(size, uint64(size)), noise(scrub.MinLength, 7)
		for name, s := range map[string]*scrub.Scrubber{"alone": scrub.New(secrets(long)), "beside a short one": scrub.New(secrets(long, short))} {
			for before := range 30 {
				for after := range 30 {
					for _, form := range []string{long, base64.StdEncoding.EncodeToString([]byte(long))} {
						text := noise(before, 1) + form + noise(after, 2)
						if _, n := s.String(text); n == 0 {
							t.Fatalf("%s: %q is not found in %q", name, form, text)
						}
					}
				}
			}
		}
	}
}
