package payload_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/payload"
)

var seeds = []string{
	``, ` `, `null`, `-0.1e+5`, `01`, `1e401`, `"\ud83d\ude00"`, `"\ud83d"`, "\"\xff\"", "\ufeff1", `[1,[2,{"a":{"b":[]}}],3]`,
	`{"a":1,"\u0061":2}`, `{"a":1,"b":{"a":[{"a":1}]}}`, `[[[[[[]]]]]]`, `{"a":}`, `[1,]`, `{} {}`, `"\u12`, `{"😀":"é","\ud83d\ude00x":1}`,
}

// FuzzCheck compares with encoding/json: what Check accepts the standard library reads without loss, and what
// it refuses is wrong by a rule that the library does not have, or wrong for both.
func FuzzCheck(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := payload.Check(data, payload.Limits{})
		if err == nil {
			require.True(t, json.Valid(data))
			require.True(t, utf8.Valid(data))
			require.False(t, hasTwins(t, data))
			require.NoError(t, payload.CheckDepth(data, 64))
			return
		}
		var p *payload.Problem
		require.ErrorAs(t, err, &p)
		require.True(t, 0 <= p.Offset && p.Offset <= len(data))
		require.Less(t, len(err.Error()), 4096)
		switch p.Rule {
		case payload.Syntax, payload.Empty, payload.Truncated, payload.TrailingData, payload.ByteOrderMark:
			require.False(t, json.Valid(data))
		case payload.DuplicateMember:
			if json.Valid(data) {
				require.True(t, hasTwins(t, data))
			}
		case payload.InvalidUTF8:
			require.False(t, utf8.Valid(data))
		case payload.LoneSurrogate:
			require.Contains(t, strings.ToLower(string(data)), `\ud`)
		case payload.TooDeep:
			require.Error(t, payload.CheckDepth(data, 64))
		case payload.NumberTooLong, payload.ExponentTooLarge, payload.TooLarge:
			require.Positive(t, p.Limit)
		default:
			t.Fatalf("unknown rule %q", p.Rule)
		}
		if p.Rule == payload.Truncated {
			require.Equal(t, len(data), p.Offset)
		}
	})
}

// hasTwins looks for equal member names with the standard library's own decoder.
func hasTwins(t *testing.T, data []byte) bool {
	t.Helper()
	type object map[string]bool
	var (
		open   []object // nil for an array
		isName []bool
	)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return false
		}
		require.NoError(t, err)
		top := len(open) - 1
		if name, ok := token.(string); ok && top >= 0 && open[top] != nil && isName[top] {
			if open[top][name] {
				return true
			}
			open[top][name], isName[top] = true, false
			continue
		}
		switch token {
		case json.Delim('{'):
			open, isName = append(open, object{}), append(isName, true)
			continue
		case json.Delim('['):
			open, isName = append(open, nil), append(isName, false)
			continue
		case json.Delim('}'), json.Delim(']'):
			open, isName = open[:top], isName[:top]
		}
		if top = len(open) - 1; top >= 0 {
			isName[top] = true
		}
	}
}

// FuzzCheckDepth compares with a decoder that walks the same bytes.
func FuzzCheckDepth(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed), 3)
	}
	f.Fuzz(func(t *testing.T, data []byte, limit int) {
		limit %= 600
		err := payload.CheckDepth(data, limit)
		if limit < 0 || !json.Valid(data) {
			return
		}
		depth, deepest := 0, 0
		decoder := json.NewDecoder(bytes.NewReader(data))
		for token, tokenErr := decoder.Token(); tokenErr == nil; token, tokenErr = decoder.Token() {
			switch token {
			case json.Delim('['), json.Delim('{'):
				depth++
			case json.Delim(']'), json.Delim('}'):
				depth--
			}
			deepest = max(deepest, depth)
		}
		assert.Equal(t, deepest > limit, err != nil)
	})
}
