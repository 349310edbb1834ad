package oauth

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Forms in which an answer tells when its token ends.
const (
	Seconds      = "seconds"           // a life, in seconds
	Milliseconds = "milliseconds"      // a life, in milliseconds
	Unix         = "unix"              // a moment, in seconds since 1970
	UnixMillis   = "unix-milliseconds" // a moment, in milliseconds since 1970
	Date         = "date"              // a moment, as RFC 3339 or HTTP writes it
)

// Forms lists all.
var Forms = []string{Seconds, Milliseconds, Unix, UnixMillis, Date}

// layouts are what Date reads; without a zone UTC is meant.
var layouts = []string{
	time.RFC3339Nano, http.TimeFormat, time.RFC1123Z, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05", "2006-01-02T15:04:05.999-0700",
}

// End reads the text of a field in one of the forms: when a token ends that was asked for at
// a time. It reports false for what is no such text, and for what lies outside the years
// that can be written.
func End(text, form string, asked time.Time) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if form == Date {
		for _, layout := range layouts {
			if t, err := time.Parse(layout, text); err == nil {
				return t, true
			}
		}
		return time.Time{}, false
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || math.Abs(n) > 1e14 {
		return time.Time{}, false
	}
	if form == Milliseconds || form == UnixMillis {
		n /= 1000
	}
	if form == Seconds || form == Milliseconds {
		return asked.Add(time.Duration(min(n, 1e9) * float64(time.Second))), n > 0
	}
	return time.UnixMilli(int64(n * 1000)), n > 0 && n < 1e11
}

// ExpOf reads the claim exp of a JSON Web Token, whose signature is the server's business. It
// reports false if the text is no such token, or says no end.
func ExpOf(token string) (time.Time, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return time.Time{}, false
	}
	var claims struct {
		Exp json.Number `json:"exp"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.Exp == "" {
		return time.Time{}, false
	}
	return End(claims.Exp.String(), Unix, time.Time{})
}
