package scrub_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/integrationhub/hub/internal/scrub"
)

// FuzzScrub holds the automaton against strings.Index, and the stream against
// the whole.
func FuzzScrub(f *testing.F) {
	f.Add("abcdefgh", "efghijkl", "-abcdefghijkl-", 5)
	f.Add("aaaaaaaa", "aaaaaaaaa", "aaaaaaaaaaaaaaaaaaab", 9)
	f.Add("abcabcabd", "bcabcabc", "abcabcabcabcabd", 3)
	f.Add("short", "q+/1Zp9/8sA+kk==", `"q+\/1Zp9\/8sA+kk=="`, 2)
	f.Fuzz(func(t *testing.T, a, b, text string, cut int) {
		s := scrub.New(secrets(a, b))
		got, n := s.String(text)
		if n == 0 && got != text {
			t.Fatalf("changed without a find: %q", got)
		}
		for _, secret := range []string{a, b} {
			if len(secret) < scrub.MinLength || strings.ContainsAny(secret, "[]") {
				continue
			}
			for how, echo := range echoes {
				form := echo(secret)
				if strings.Contains(text, form) && n == 0 || strings.Contains(got, form) && !strings.ContainsAny(form, "[]") {
					t.Fatalf("%q is left, %s, in %q", secret, how, got)
				}
			}
		}
		cut = min(max(cut, 0), len(text))
		if whole := streamed(t, s, text[:cut], text[cut:]); whole != got {
			t.Fatalf("stream %q, whole %q", whole, got)
		}
	})
}

// FuzzJSON demands that a document stays one, and that no decoded string keeps a secret.
func FuzzJSON(f *testing.F) {
	f.Add("abcdefgh", []byte(`{"a":"\u0061bcdefgh","abcdefgh":[1,2]}`))
	f.Add("12345678", []byte(`[12345678,-1.5e12345678]`))
	f.Add("pin", []byte(`["pin","\u0070in",{"pin":"pin"}]`))
	f.Add("\\u0061\"\\", []byte(`["\\u0061\"\\",`))
	f.Fuzz(func(t *testing.T, secret string, doc []byte) {
		got, n := scrub.New(secrets(secret)).JSON(bytes.Clone(doc))
		if n == 0 && !bytes.Equal(got, doc) {
			t.Fatalf("changed without a find: %q", got)
		}
		if !json.Valid(doc) || !alphanumeric(secret) {
			return
		}
		var v any
		dec := json.NewDecoder(bytes.NewReader(got))
		dec.UseNumber()
		if err := dec.Decode(&v); err != nil {
			t.Fatalf("%q is no longer JSON: %v", got, err)
		}
		if kept(v, secret) {
			t.Fatalf("%q is left in %q", secret, got)
		}
	})
}

// FuzzQuotings demands that no style is left out, and none is asked for what another has made.
func FuzzQuotings(f *testing.F) {
	for _, v := range samples {
		f.Add(v)
	}
	f.Add("caf\xc3 \xa9\xff \u2028\U0001F600<&>'=+`/\"\\%~!*()$,;:@?")
	f.Add("\u2018\x80")
	f.Fuzz(func(t *testing.T, v string) {
		want := slices.Compact(slices.Sorted(slices.Values(scrub.QuotingsSlowly(v))))
		got := slices.Sorted(slices.Values(scrub.Quotings(v)))
		if !slices.Equal(got, want) {
			t.Fatalf("%q: %q, not %q", v, got, want)
		}
	})
}

// FuzzHides holds JSON, which looks before it reads, against reading everything.
func FuzzHides(f *testing.F) {
	for _, doc := range []string{
		`["\u0061bcdefgh","a\/b\"c\\d\n"]`, `{"\uD83D\uDE00":"\ud83d","x":"\u00e9\u20AC"}`, `["abcdefg\u0068"]`, `"a\`, `"abcdefg\u0068`, `["\x",1,"a\u12"]`,
		`["\\","abcdef\"gh","\\\"abcdefgh"]`, `"one\ntwo" "three\tfour"`, "[\"abcdef\xff\\u0067\"]", `["\ud83d\ud83d\ude00 abc"]`,
	} {
		for _, secret := range []string{"abcdefgh", "one\ntwo\"", "a/b\"c\\d\n", "😀😀😀", "abcdef\ufffdg", "pin"} {
			f.Add(secret, []byte(doc))
		}
	}
	f.Fuzz(func(t *testing.T, secret string, doc []byte) {
		if len(secret) < scrub.MinLength || len(doc) < scrub.MinLength {
			return
		}
		s := scrub.New(secrets(secret))
		want, n := s.JSONSlowly(doc)
		got, m := s.JSON(doc)
		if !bytes.Equal(got, want) || n != m {
			t.Fatalf("%q: %d times masked in %q, %d times in %q", secret, n, want, m, got)
		}
	})
}

// alphanumeric secrets cannot hold the structure of a document, nor a literal.
func alphanumeric(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return len(s) >= scrub.MinLength
}

func kept(v any, secret string) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(v, secret)
	case json.Number:
		return strings.Contains(v.String(), secret)
	case []any:
		for _, e := range v {
			if kept(e, secret) {
				return true
			}
		}
	case map[string]any:
		for k, e := range v {
			if kept(k, secret) || kept(e, secret) {
				return true
			}
		}
	}
	return false
}
