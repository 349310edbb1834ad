package payload_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/payload"
)

// rebuild decodes a document by its index alone, and returns the place behind the value at one.
func rebuild(t *testing.T, d *payload.Document, at int32) (any, int32) {
	t.Helper()
	v := d.Values()[at]
	raw := string(d.Text()[v.From:v.To])
	switch v.Kind {
	case payload.Null:
		require.Equal(t, "null", raw)
		return nil, v.Next
	case payload.True, payload.False:
		return v.Kind == payload.True, v.Next
	case payload.Number:
		return json.Number(raw), v.Next
	case payload.String:
		require.Equal(t, strings.Contains(raw, `\`), v.Escaped)
		return unquoted(t, raw), v.Next
	case payload.Array:
		list := []any{}
		next := at + 1
		for range v.Count {
			require.Zero(t, d.Values()[next].NameTo)
			require.False(t, d.Values()[next].NameEscaped)
			var element any
			element, next = rebuild(t, d, next)
			list = append(list, element)
		}
		require.Equal(t, v.Next, next)
		require.Equal(t, "[]", raw[:1]+raw[len(raw)-1:])
		return list, next
	}
	require.Equal(t, payload.Object, v.Kind)
	require.Equal(t, "{}", raw[:1]+raw[len(raw)-1:])
	object := map[string]any{}
	next := at + 1
	for range v.Count {
		m := d.Values()[next]
		name := unquoted(t, `"`+string(d.Text()[m.NameFrom:m.NameTo])+`"`)
		if place, known := d.Member(at, name); known {
			require.Equal(t, next, place)
		}
		require.Equal(t, name, string(payload.Unescape(nil, d.Text()[m.NameFrom:m.NameTo])))
		object[name], next = rebuild(t, d, next)
	}
	require.Equal(t, v.Next, next)
	return object, next
}

func unquoted(t *testing.T, raw string) (text string) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(raw), &text))
	return text
}

func TestDocumentKnowsEveryValue(t *testing.T) {
	var d payload.Document
	for _, text := range append([]string{
		string(ordinary), `{"a":{"b":[1,2.5,{"c":null}],"":true},"é":"\u00e9","\u0061b":[[],{}]}`, ` [ [ ] , { "a" : { } } ] `, `-0.1e+5`,
		`{"\u0061":"\u0061","\u0062":1}`, `["a",1,2]`,
	}, seeds...) {
		requireIndex(t, &d, []byte(text))
	}
}

func requireIndex(t *testing.T, d *payload.Document, text []byte) {
	t.Helper()
	err := d.Read(text, payload.Limits{})
	require.Equal(t, payload.Check(text, payload.Limits{}), err)
	if err != nil {
		require.Empty(t, d.Values())
		require.Nil(t, d.Text())
		return
	}
	if d.Values() == nil {
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var want any
	require.NoError(t, decoder.Decode(&want))
	got, end := rebuild(t, d, 0)
	require.Equal(t, want, got)
	require.Len(t, d.Values(), int(end))
}

// FuzzDocument rebuilds what any text holds.
func FuzzDocument(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var d payload.Document
		requireIndex(t, &d, text)
	})
}

func TestDocumentOfManyValuesIsNotKept(t *testing.T) {
	var d payload.Document
	for values, kept := range map[int]bool{4095: true, 4096: false, 100_000: false} {
		text := []byte("[" + strings.Repeat("0,", values-1) + "0]")
		require.NoError(t, d.Read(text, payload.Limits{}))
		assert.Equal(t, kept, d.Values() != nil, "%d values", values)
		assert.Equal(t, text, d.Text())
	}
	require.NoError(t, d.Read([]byte("{}"), payload.Limits{}))
	assert.Len(t, d.Values(), 1, "the next text is kept again")
}

func TestDocumentMembers(t *testing.T) {
	var d payload.Document
	require.NoError(t, d.Read([]byte(`{"a":{"b":1},"b":2,"\u0063":3}`), payload.Limits{}))
	for name, want := range map[string]struct {
		at    int32
		known bool
	}{"a": {1, true}, "b": {3, true}, "c": {0, false}, "d": {0, false}} {
		at, known := d.Member(0, name)
		assert.Equal(t, want.at, at, name)
		assert.Equal(t, want.known, known, name)
	}
	at, known := d.Member(1, "a")
	assert.Zero(t, at)
	assert.True(t, known)
}

func TestDocumentWithin(t *testing.T) {
	var d payload.Document
	assert.False(t, d.Within(payload.Limits{}), "nothing was read")
	require.NoError(t, d.Read([]byte(`[1]`), payload.Limits{}))
	for name, c := range map[string]struct {
		limits payload.Limits
		within bool
	}{
		"the same":       {payload.Limits{}, true},
		"none":           {payload.Limits{Bytes: -1, Depth: -1, Digits: -1, Exponent: -1}, true},
		"fewer bytes":    {payload.Limits{Bytes: 100}, false},
		"less depth":     {payload.Limits{Depth: 63}, false},
		"fewer digits":   {payload.Limits{Digits: 63}, false},
		"small exponent": {payload.Limits{Exponent: 399}, false},
	} {
		assert.Equal(t, c.within, d.Within(c.limits), name)
	}
}

func TestDocumentReusesItsMemory(t *testing.T) {
	var d payload.Document
	require.NoError(t, d.Read(ordinary, payload.Limits{}))
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		if d.Read(ordinary, payload.Limits{}) != nil {
			t.Fail()
		}
	}))
}
