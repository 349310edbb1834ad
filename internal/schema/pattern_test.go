package schema_test

import (
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/schema"
)

func TestPlainPatterns(t *testing.T) {
	for expression, plain := range map[string]bool{
		`^$`: true, `^a$`: true, `^c-[0-9]+-[0-9]+$`: true, `^[A-Z]{2}[0-9]{2,30}$`: true, `^\+?[0-9]{7,15}$`: true, `^[\w.-]*$`: true,
		`^a?b*c+$`: true, `^a*b?c$`: true, `^[^\x{80}-\x{10ffff}]$`: true, `\Aab\z`: true, `^a{2}a$`: true, `^(?:ab)$`: true, `^\d{3,}$`: true,
		``: false, `a`: false, `^a`: false, `a$`: false, `^a*a$`: false, `^a*b?a$`: false, `^[a-c]+c$`: false, `^.$`: false, `^é$`: false, `^[^a]$`: false,
		`(?i)^a$`: false, `(?m)^a$`: false, `^(a)$`: false, `^a|b$`: false, `^(?:ab)*$`: false, `^(?:a*)*$`: false, `^\ba$`: false, `^[[:^ascii:]]$`: false, `^a??$`: true,
		`(`: false, `^[^\x00-\x{10ffff}]$`: false,
	} {
		_, ok := schema.PlainPattern(expression, nil)
		assert.Equal(t, plain, ok, expression)
	}
}

// requireSameMatch compares with regexp.
func requireSameMatch(t *testing.T, expression, text string) (plain, matches bool) {
	t.Helper()
	re, err := regexp.Compile(expression)
	if err != nil {
		return false, false
	}
	got, ok := schema.PlainPattern(expression, []byte(text))
	if ok {
		require.Equal(t, re.MatchString(text), got, "%q of %q", text, expression)
	}
	return ok, got
}

// FuzzPattern takes any expression and any text.
func FuzzPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{`^[a-c]?[d-f]{1,2}g*$`, "adefg"}, {`^c-[0-9]+-[0-9]+$`, "c-4711-0815"}, {`^a*b?c$`, "aac"}, {`^\+?\d{2,3}$`, "+49"}, {`^x*$`, "xé"}, {`^a{2}a$`, "aaa"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, expression, text string) {
		if len(expression) < 100 {
			requireSameMatch(t, expression, text)
		}
	})
}

// TestPlainPatternsMatchAsRegexp makes expressions and texts of a few characters, so that many match.
func TestPlainPatternsMatchAsRegexp(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	of := func(list ...string) string { return list[random.IntN(len(list))] }
	plain, matching := 0, 0
	for range 20_000 {
		expression, text := of("^", "^", "^", ""), ""
		for range random.IntN(5) {
			expression += of("a", "b", "c", "[ab]", "[bc]", "[^a]", "é", ".", "(?:b)") + of("", "", "?", "*", "+", "{2}", "{1,2}", "{0,2}", "{2,}", "*?")
		}
		for range random.IntN(6) {
			text += of("a", "b", "c", "a", "b", "é", "\xff", "\n")
		}
		ok, matches := requireSameMatch(t, expression+of("$", "$", "$", ""), text)
		if ok {
			plain++
		}
		if matches {
			matching++
		}
	}
	t.Logf("%d expressions were plain, %d of them matched", plain, matching)
	assert.Greater(t, plain, 4_000)
	assert.Greater(t, matching, 400)
}
