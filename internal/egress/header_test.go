package egress_test

import (
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/egress"
)

func TestCheckHeaderName(t *testing.T) {
	for _, name := range []string{"Accept", "x-api-key", "X_Api_Key", "Content-Type", "Authorization", "Idempotency-Key", "Te-st", "!#$%&'*+-.^_`|~1"} {
		assert.NoError(t, egress.CheckHeaderName(name), name)
	}
	for _, name := range []string{
		"", "Host", "host", "HOST", "Content-Length", "content_length", "Transfer-Encoding", "Transfer_Encoding", "Connection",
		"Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "proxy_x", "TE", "Trailer", "Upgrade", "Expect", "HTTP2-Settings",
		"Accept-Encoding", ":path", ":authority", "X Y", "X:", "X\r\nY", "X\x00", "Ü", "X\u212a", "(x)", "x/y", "x@y", `"x"`,
	} {
		err := egress.CheckHeaderName(name)
		var syntax *egress.SyntaxError
		assert.ErrorAs(t, err, &syntax, "%q", name)
	}
}

func TestCheckHeaderNameEveryByte(t *testing.T) {
	const others = "!#$%&'*+-.^_`|~"
	for c := range 256 {
		b := byte(c)
		token := b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
		for i := range len(others) {
			token = token || others[i] == b
		}
		assert.Equal(t, token, egress.CheckHeaderName("x"+string([]byte{b})) == nil, "%#x", c)
	}
}

func TestCheckHeaderValueEveryByte(t *testing.T) {
	for c := range 256 {
		want := c == '\t' || c >= 0x20 && c < 0x7f
		assert.Equal(t, want, egress.CheckHeaderValue("a"+string([]byte{byte(c)})+"b") == nil, "%#x", c)
	}
	for v, want := range map[string]bool{
		"": true, "Bearer a.b-c": true, "Grüße 世界": true,
		"a\u0085b": false, "a\u009bb": false, "canary\xc0\x8a": false, "canary\r\nX: y": false,
	} {
		err := egress.CheckHeaderValue(v)
		assert.Equal(t, want, err == nil, "%q", v)
		if err != nil {
			assert.NotContains(t, err.Error(), "canary")
		}
	}
}

func FuzzCheckHeader(f *testing.F) {
	f.Add("X-Api-Key", "value")
	f.Add("Host", "a\r\nb")
	f.Add("Transfer_Encoding", "\x80")
	f.Fuzz(func(t *testing.T, name, value string) {
		if egress.CheckHeaderName(name) == nil {
			require.NotEmpty(t, name)
			require.True(t, utf8.ValidString(name))
			require.NotEqual(t, "Host", http.CanonicalHeaderKey(name))
			require.NotContains(t, name, ":")
		}
		if egress.CheckHeaderValue(value) == nil {
			require.NotContains(t, value, "\r")
			require.NotContains(t, value, "\n")
			require.NotContains(t, value, "\x00")
		}
	})
}
