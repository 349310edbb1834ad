package ratehint_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub/internal/ratehint"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const unknown = time.Duration(-1)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func headers(pairs []string) http.Header {
	h := http.Header{}
	for i := 0; i+1 < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func TestHints(t *testing.T) {
	for name, tt := range map[string]struct {
		header []string
		want   ratehint.Hint
	}{
		"draft 10":                    {[]string{"RateLimit", `"default";r=50;t=30`}, ratehint.Hint{Limit: 0, Remaining: 50, Reset: 30 * time.Second}},
		"draft 10, used up":           {[]string{"RateLimit", `"day";r=100;t=3600, "minute";r=0;t=20`}, ratehint.Hint{Limit: 0, Remaining: 0, Reset: 20 * time.Second}},
		"draft 10, two used up":       {[]string{"RateLimit", `"a";r=0;t=5`, "RateLimit", `"b";r=0;t=50`}, ratehint.Hint{Limit: 0, Remaining: 0, Reset: 50 * time.Second}},
		"draft 10, names":             {[]string{"RateLimit", `"a;r=0, \"t=9";r=7;t=1;pk=:cGs=:`}, ratehint.Hint{Limit: 0, Remaining: 7, Reset: time.Second}},
		"draft 10, no reset":          {[]string{"RateLimit", `default;r=3`}, ratehint.Hint{Limit: 0, Remaining: 3, Reset: unknown}},
		"draft 7":                     {[]string{"RateLimit", "limit=100, remaining=0, reset=5", "RateLimit-Policy", "100;w=60"}, ratehint.Hint{Limit: 100, Remaining: 0, Reset: 5 * time.Second}},
		"draft 6":                     {[]string{"RateLimit-Limit", "100, 100;w=60", "RateLimit-Remaining", "1", "RateLimit-Reset", "50"}, ratehint.Hint{Limit: 100, Remaining: 1, Reset: 50 * time.Second}},
		"X, seconds":                  {[]string{"X-RateLimit-Limit", "60", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "7"}, ratehint.Hint{Limit: 60, Remaining: 0, Reset: 7 * time.Second}},
		"X, parts of a second":        {[]string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "0.25"}, ratehint.Hint{Limit: 0, Remaining: 0, Reset: 250 * time.Millisecond}},
		"X, since 1970":               {[]string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1795348810"}, ratehint.Hint{Limit: 0, Remaining: 0, Reset: 10 * time.Second}},
		"X, milliseconds since 1970":  {[]string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1795348800500"}, ratehint.Hint{Limit: 0, Remaining: 0, Reset: 500 * time.Millisecond}},
		"X, by the server's clock":    {[]string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1795345210", "Date", "Sun, 22 Nov 2026 11:00:00 GMT"}, ratehint.Hint{Limit: 0, Remaining: 0, Reset: 10 * time.Second}},
		"X, a date":                   {[]string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "Sun, 22 Nov 2026 12:00:20 GMT"}, ratehint.Hint{Limit: 0, Remaining: 0, Reset: 20 * time.Second}},
		"X, a date as in RFC 3339":    {[]string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "2026-11-22T13:00:20+01:00"}, ratehint.Hint{Limit: 0, Remaining: 0, Reset: 20 * time.Second}},
		"X, a date that has passed":   {[]string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1000000000"}, ratehint.Hint{Limit: 0, Remaining: 0, Reset: 0}},
		"X, another spelling":         {[]string{"X-Rate-Limit-Limit", "9", "X-Rate-Limit-Remaining", "8", "X-Rate-Limit-Reset", "1795348801"}, ratehint.Hint{Limit: 9, Remaining: 8, Reset: time.Second}},
		"below zero":                  {[]string{"X-RateLimit-Remaining", "-3", "X-RateLimit-Reset", "7"}, ratehint.Hint{Limit: 0, Remaining: 0, Reset: 7 * time.Second}},
		"a reset that is none":        {[]string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "soon"}, ratehint.Hint{Limit: 0, Remaining: 0, Reset: unknown}},
		"a reset below zero":          {[]string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "-7"}, ratehint.Hint{Limit: 0, Remaining: 0, Reset: unknown}},
		"a reset that is no number":   {[]string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "NaN"}, ratehint.Hint{Limit: 0, Remaining: 0, Reset: unknown}},
		"a reset without end":         {[]string{"RateLimit", `"a";r=0;t=999999999999999`}, ratehint.Hint{Limit: 0, Remaining: 0, Reset: 1_000_000_000 * time.Second}},
		"the standard before the old": {[]string{"RateLimit", `"a";r=5;t=1`, "X-RateLimit-Remaining", "0"}, ratehint.Hint{Limit: 0, Remaining: 5, Reset: time.Second}},
		"garbage before the old":      {[]string{"RateLimit", `"a;r=5`, "X-RateLimit-Remaining", "4"}, ratehint.Hint{Limit: 0, Remaining: 4, Reset: unknown}},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := ratehint.Read(headers(tt.header), now)
			assert.True(t, ok)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestWhatCannotBeReadSaysNothing(t *testing.T) {
	for name, header := range map[string][]string{
		"nothing":                nil,
		"a policy alone":         {"RateLimit-Policy", `"default";q=100;w=60`},
		"a limit alone":          {"X-RateLimit-Limit", "100"},
		"a reset alone":          {"X-RateLimit-Reset", "100"},
		"words":                  {"X-RateLimit-Remaining", "none"},
		"a number without end":   {"X-RateLimit-Remaining", strings.Repeat("9", 400)},
		"a fraction":             {"X-RateLimit-Remaining", "0.5"},
		"no parameters":          {"RateLimit", `"default"`},
		"an empty list":          {"RateLimit", ",,;;=,"},
		"a list without end":     {"RateLimit", `"a";r=0;t=9,` + strings.Repeat(`"a";r=0;t=9,`, 1000)},
		"a quote without end":    {"RateLimit", `"default;r=0;t=9`},
		"a backslash at the end": {"RateLimit", `"default\`},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := ratehint.Read(headers(header), now)
			assert.False(t, ok, "%+v", got)
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add("RateLimit", `"default";r=50;t=30`, "1")
	f.Add("RateLimit", "limit=100, remaining=0, reset=5", "")
	f.Add("X-RateLimit-Remaining", "0", "1795348800")
	f.Add("X-RateLimit-Remaining", "0", "Sun, 22 Nov 2026 12:00:20 GMT")
	f.Fuzz(func(t *testing.T, name, value, reset string) {
		h := http.Header{}
		h.Add(name, value)
		h.Add("RateLimit-Reset", reset)
		h.Add("X-RateLimit-Reset", reset)
		hint, ok := ratehint.Read(h, now)
		if !ok {
			assert.Zero(t, hint)
			return
		}
		assert.GreaterOrEqual(t, hint.Limit, int64(0))
		assert.GreaterOrEqual(t, hint.Remaining, int64(0))
		assert.True(t, hint.Reset == unknown || hint.Reset >= 0 && hint.Reset <= 1_000_000_000*time.Second, "%v", hint.Reset)
	})
}
