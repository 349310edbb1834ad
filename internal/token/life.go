package token

import (
	"strconv"
	"strings"
	"time"
)

// Lives of tokens.
const (
	// DefaultLife is assumed where an answer does not say: a token that ends earlier is
	// renewed when it is refused.
	DefaultLife = 10 * time.Minute
	// LongestLife is the most that is believed.
	LongestLife = 30 * 24 * time.Hour
)

// Life reads the text of an expires_in (RFC 6749 section 5.1): seconds, as a JSON number or,
// as some servers write it, in a string. Whatever is no positive number of seconds, zero
// included, gives DefaultLife: servers that write zero mean a token that does not expire,
// and a renewal for each call would help nobody.
func Life(text string) time.Duration {
	text = strings.TrimSpace(strings.Trim(strings.TrimSpace(text), `"`))
	if text == "" || strings.ContainsAny(text, "xXpP_") { // numbers as Go writes them, not JSON
		return DefaultLife
	}
	seconds, err := strconv.ParseFloat(text, 64)
	switch {
	case seconds >= LongestLife.Seconds(): // also what overflows
		return LongestLife
	case err != nil, !(seconds > 0):
		return DefaultLife
	}
	return max(time.Duration(seconds*float64(time.Second)), time.Nanosecond)
}
