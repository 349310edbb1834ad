package payload_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/integrationhub/hub/internal/payload"
)

func TestProblemText(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"whole text":     {``, `json: empty at "" (byte 0)`},
		"with a limit":   {`{"a":[1e500]}`, `json: exponent-too-large at "/a/0" (byte 8, limit 400)`},
		"escaped tokens": {`{"a/b~c":{"k":1,"k":2}}`, `json: duplicate-member at "/a~1b~0c/k" (byte 16)`},
		"terminal codes": {`{"\u001b[31m\r\n\u202e":x}`, `json: syntax at "/\x1b[31m\r\n\u202e" (byte 24)`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.EqualError(t, payload.Check([]byte(c.text), payload.Limits{}), c.want)
		})
	}
}

// Whatever is wrong, and wherever: of the text itself only member names are shown.
func TestProblemShowsNoValue(t *testing.T) {
	const canary = "CANARY7316"
	for _, text := range []string{
		canary, `"` + canary, `"` + canary + `\x"`, `"` + canary + `\ud800"`, "\"" + canary + "\xff\"",
		`{"a":"` + canary + `","a":"` + canary + `"}`, `["` + canary + `" "` + canary + `"]`,
		`"` + canary + `" "` + canary + `"`, `{"a":"` + canary + `","b":1e999}`, `["` + canary + `",` + strings.Repeat("[", 99),
		`{"a":"` + canary + `","b":` + strings.Repeat("7", 99) + `}`, "\ufeff" + canary, `{"a":` + canary + `}`, `{"a` + canary + "\n\":1}",
	} {
		err := payload.Check([]byte(text), payload.Limits{})
		assert.Error(t, err)
		assert.NotContains(t, err.Error(), canary, text)
	}
}

func TestAppendToken(t *testing.T) {
	for name, c := range map[string]struct{ token, want string }{
		"plain":             {"a", "/p/a"},
		"empty":             {"", "/p/"},
		"special":           {"~1/~0", "/p/~01~1~00"},
		"at the limit":      {strings.Repeat("x", 64), "/p/" + strings.Repeat("x", 64)},
		"beyond the limit":  {strings.Repeat("x", 65), "/p/" + strings.Repeat("x", 64) + "…"},
		"cut between runes": {strings.Repeat("x", 63) + "éé", "/p/" + strings.Repeat("x", 63) + "…"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, payload.AppendToken("/p", c.token)) })
	}
}

func TestPointersStayShort(t *testing.T) {
	long := strings.Repeat("é/", 1000)
	text := strings.Repeat(`{"`+long+`":`, 64) + "["
	p := problem(t, text, payload.Limits{})
	assert.Equal(t, payload.TooDeep, p.Rule)
	assert.LessOrEqual(t, len(p.Pointer), 512)
	assert.True(t, strings.HasSuffix(p.Pointer, "/…"))
	assert.True(t, utf8.ValidString(p.Pointer))
	assert.Equal(t, 1, strings.Count(p.Pointer, "/…"), "what is left out is marked once")
}
