package sign_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/sign"
)

// Test case 2 of RFC 4231, and of RFC 2202 for SHA-1.
func TestHMACVectors(t *testing.T) {
	for algorithm, want := range map[string]string{
		"sha1":   "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
		"sha256": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"sha384": "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
		"sha512": "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
	} {
		got, err := sign.HMAC(algorithm, "hex", []byte("Jefe"), "what do ya want for nothing?")
		require.NoError(t, err)
		assert.Equal(t, want, got, algorithm)
		assert.True(t, sign.IsAlgorithm(algorithm))
	}
	_, err := sign.HMAC("md5", "hex", nil, "")
	assert.Error(t, err)
	_, err = sign.HMAC("sha256", "rot13", nil, "")
	assert.Error(t, err)
}

func TestHMACEncodings(t *testing.T) {
	for encoding, want := range map[string]string{
		"base64":    "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=",
		"base64url": "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM",
	} {
		got, err := sign.HMAC("sha256", encoding, []byte("Jefe"), "what do ya want for nothing?")
		require.NoError(t, err)
		assert.Equal(t, want, got)
		assert.True(t, sign.IsEncoding(encoding))
	}
}

func TestKeys(t *testing.T) {
	for _, c := range []struct{ text, encoding string }{{"key", "text"}, {"6b6579", "hex"}, {"a2V5", "base64"}, {"a2V5", "base64url"}} {
		got, err := sign.Key(c.text, c.encoding)
		require.NoError(t, err, c.encoding)
		assert.Equal(t, "key", string(got))
	}
	for _, c := range []struct{ text, encoding string }{{"xyz-secret", "hex"}, {"*", "base64"}, {"a2V5==", "base64url"}, {"key", "rot13"}, {"", "text"}} {
		_, err := sign.Key(c.text, c.encoding)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "xyz")
	}
}

func TestCutAndValue(t *testing.T) {
	r := request(t, "POST", "https://api.example.com/a%2Fb/c?y=2&x=1")
	r.Header.Add("X-A", " 1 ")
	r.Header.Add("X-A", "2")
	m := sign.Message{
		Method: "POST", URL: r.URL, Header: r.Header, Body: []byte("abc"),
		Timestamp: "17", Nonce: "n", Signature: "s",
	}
	for text, want := range map[string]string{
		"":                              "",
		"{method} {path}?{query}":       "POST /a%2Fb/c?y=2&x=1",
		"{sorted-query}":                "x=1&y=2",
		"{scheme}://{host}":             "https://api.example.com",
		"{url}":                         "https://api.example.com/a%2Fb/c?y=2&x=1",
		"{header:x-a}\n{body}":          "1,2\nabc",
		"{timestamp}{nonce}{signature}": "17ns",
		"{body-sha256}":                 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"{body-sha256-base64}":          "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
		`{"json": "{method}"}`:          `{"json": "POST"}`,
		"{unknown} }{":                  "{unknown} }{",
	} {
		parts, err := sign.Cut(text)
		require.NoError(t, err, text)
		var b strings.Builder
		for _, p := range parts {
			b.WriteString(m.Value(p))
		}
		assert.Equal(t, want, b.String(), text)
	}
	for _, text := range []string{"{{path}}", "{header}", "{header:}", "{method:x}", "{method:}"} {
		_, err := sign.Cut(text)
		assert.Error(t, err, text)
	}
	bare := sign.Message{URL: request(t, "GET", "https://example.com").URL}
	assert.Equal(t, "/", bare.Value(sign.Part{Field: "path"}))
}

func TestTimestamps(t *testing.T) {
	at := time.Date(2026, 2, 3, 5, 5, 6, 7e6, time.FixedZone("", 3600))
	for form, want := range map[string]string{
		"unix": "1770091506", "unix-ms": "1770091506007", "rfc3339": "2026-02-03T04:05:06Z", "http": "Tue, 03 Feb 2026 04:05:06 GMT", "other": "",
	} {
		assert.Equal(t, want, sign.Timestamp(form, at), form)
		assert.Equal(t, want != "", sign.IsTimestamp(form))
	}
}

func FuzzCut(f *testing.F) {
	f.Add("{method}\n{header:a}{x}")
	f.Add("{{}}")
	f.Fuzz(func(t *testing.T, text string) {
		parts, err := sign.Cut(text)
		if err != nil {
			return
		}
		var b strings.Builder
		for _, p := range parts {
			switch {
			case p.Field == "":
				b.WriteString(p.Literal)
			case p.Arg != "":
				b.WriteString("{" + p.Field + ":" + p.Arg + "}")
			default:
				b.WriteString("{" + p.Field + "}")
			}
		}
		assert.Equal(t, text, b.String(), "nothing of the text is lost")
	})
}
