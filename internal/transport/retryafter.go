package transport

import (
	"net/http"
	"strings"
	"time"
)

// longestRetryAfter caps what a header can say: some 30 years.
const longestRetryAfter = 1_000_000_000 * time.Second

// RetryAfter reads Retry-After in both forms of RFC 9110 §10.2.3. A date
// counts from the answer's own Date, if it has one, so that a clock that is off,
// here or there, does not matter. A date that has passed is zero.
func RetryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	v := strings.Trim(h.Get("Retry-After"), " \t")
	if d, ok := delaySeconds(v); ok {
		return d, true
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0, false
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), longestRetryAfter), true
}

// delaySeconds reads 1*DIGIT of any length.
func delaySeconds(v string) (time.Duration, bool) {
	const most = int64(longestRetryAfter / time.Second)
	var seconds int64
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return 0, false
		}
		seconds = min(seconds*10+int64(v[i]-'0'), most)
	}
	return time.Duration(seconds) * time.Second, v != ""
}
