// Package ratehint reads what answers say of the rate limits they were counted under:
// RateLimit in the forms of the IETF's drafts, RateLimit-Limit, -Remaining and -Reset, and
// the same with X- before it. What cannot be read says nothing.
package ratehint

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Hint is what an answer says of a rate limit.
type Hint struct {
	// Limit is the limit, zero if the answer does not say.
	Limit int64
	// Remaining is how many requests are left.
	Remaining int64
	// Reset is after which time there are more; negative if the answer does not say.
	Reset time.Duration
}

// Bounds of what is read.
const (
	maxText   = 1024
	maxItems  = 16
	maxCount  = 999_999_999_999_999 // of RFC 9651, section 3.3.1
	maxReset  = 1_000_000_000 * time.Second
	fromEpoch = 1e9  // seconds from here on count from 1970
	fromMilli = 1e11 // and from here on they are milliseconds
)

// names are the headers in their three parts, as net/http writes them, the more telling first.
var names = [...][3]string{
	{"Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset"},
	{"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"},
	{"X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset"},
}

// Read reads the headers of an answer that came just now. It reports false if they do not
// tell how many requests are left. Of several limits the one counts that is used up most.
func Read(h http.Header, now time.Time) (Hint, bool) {
	if lines := h["Ratelimit"]; len(lines) > 0 {
		if hint, ok := fromList(strings.Join(lines, ","), now); ok {
			return hint, true
		}
	}
	for i := range names {
		n := &names[i]
		remaining, ok := count(first(h, n[1]))
		if !ok {
			continue
		}
		limit, _ := count(first(h, n[0]))
		return Hint{limit, remaining, reset(first(h, n[2]), h, now)}, true
	}
	return Hint{}, false
}

// first is the first value of a header, without what else a list has.
func first(h http.Header, name string) string {
	v := h[name]
	if len(v) == 0 || len(v[0]) > maxText {
		return ""
	}
	if name[len(name)-5:] == "Reset" { // a date has a comma
		return strings.TrimSpace(v[0])
	}
	item, _, _ := strings.Cut(v[0], ",")
	item, _, _ = strings.Cut(item, ";")
	return strings.TrimSpace(item)
}

// fromList reads RateLimit: "default";r=50;t=30 and limit=100, remaining=50, reset=5.
func fromList(text string, now time.Time) (Hint, bool) {
	if len(text) > maxText {
		return Hint{}, false
	}
	var worst, whole Hint
	found, told := false, false
	whole.Reset = -1
	for i, item := range split(text, ',') {
		if i == maxItems {
			break
		}
		parts := split(item, ';')
		if name, value, ok := strings.Cut(parts[0], "="); ok && !strings.HasPrefix(parts[0], `"`) {
			told = whole.set(name, value) || told
			continue
		}
		one, ok := Hint{Reset: -1}, false
		for _, p := range parts[1:] {
			name, value, _ := strings.Cut(p, "=")
			ok = one.set(name, value) || ok
		}
		if ok && (!found || one.worse(worst)) {
			worst, found = one, true
		}
	}
	if told && (!found || whole.worse(worst)) {
		return whole, true
	}
	return worst, found
}

// set takes one member, and reports whether it tells how many requests are left.
func (h *Hint) set(name, value string) bool {
	n, ok := count(strings.TrimSpace(value))
	if !ok {
		return false
	}
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "r", "remaining":
		h.Remaining = n
		return true
	case "t", "reset":
		h.Reset = min(time.Duration(min(n, int64(maxReset/time.Second)))*time.Second, maxReset)
	case "q", "limit":
		h.Limit = n
	}
	return false
}

// worse reports whether h leaves less than other, or as much for longer.
func (h Hint) worse(other Hint) bool {
	return h.Remaining < other.Remaining || h.Remaining == other.Remaining && h.Reset > other.Reset
}

// split cuts a list outside of its quoted strings.
func split(text string, by byte) []string {
	var out []string
	quoted, from := false, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == by && !quoted:
			out = append(out, strings.TrimSpace(text[from:i]))
			from = i + 1
		}
	}
	return append(out, strings.TrimSpace(text[from:]))
}

// count reads a whole number; one below zero is zero.
func count(text string) (int64, bool) {
	if text == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > maxCount || n < -maxCount {
		return 0, false
	}
	return max(n, 0), true
}

// reset reads seconds, seconds or milliseconds since 1970, or a date. What names a moment
// counts from the answer's own Date, if it has one, so that a clock that is off does not
// matter.
func reset(text string, h http.Header, now time.Time) time.Duration {
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err == nil && n >= 0 && n < fromEpoch:
		return time.Duration(n * float64(time.Second))
	case err == nil && n >= fromEpoch && n < fromMilli:
		return until(time.UnixMilli(int64(n*1000)), h, now)
	case err == nil && n >= fromMilli && n < 1000*fromMilli:
		return until(time.UnixMilli(int64(n)), h, now)
	case err == nil || text == "":
		return -1
	}
	for _, parse := range []func(string) (time.Time, error){http.ParseTime, rfc3339} {
		if at, err := parse(text); err == nil {
			return until(at, h, now)
		}
	}
	return -1
}

func rfc3339(text string) (time.Time, error) { return time.Parse(time.RFC3339, text) }

func until(at time.Time, h http.Header, now time.Time) time.Duration {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), maxReset)
}
