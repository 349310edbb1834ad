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

// slowly is what encoding/json makes of a text.
func slowly(data []byte) (v any, err error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	err = dec.Decode(&v)
	return v, err
}

// decodeTexts are texts with something to go wrong in.
var decodeTexts = []string{
	`{"a":1,"b":[true,false,null],"c":{"d":{}}}`, ` [ 1 , -1.50e3 , "x" , [ ] , { } , [ [ ] ] ] `, `{"a":1,"a":2,"\u0061":3}`, `{"":""}`, `{"a\n":"\u00e9\ud83d\ude00\ud83d"}`,
	"{\"\xff\":\"a\xffb\",\"ok\":\"ünï😀\"}", `12345678901234567890`, `"text"`, ` null `, "\"\u2028\"", `["\"",{"]":"}"}]`,
	`{"long":"` + strings.Repeat("All work and no play. ", 100) + `","list":[` + strings.Repeat(`{"n":1.0,"s":"x"},`, 50) + `0]}`,
}

// requireDecoded demands of Decode what encoding/json makes of a text.
func requireDecoded(t *testing.T, data []byte, max int) {
	t.Helper()
	kept := bytes.Clone(data)
	got, ok := payload.Decode(data, max)
	require.Equal(t, max >= 0 && payload.Valid(data, max), ok, "%q", data)
	if !ok {
		return
	}
	require.Equal(t, kept, data)
	want, err := slowly(kept)
	require.NoError(t, err)
	clear(data) // it shares no memory
	require.Equal(t, want, got, "%q", kept)
}

func TestDecode(t *testing.T) {
	for _, text := range append(validTexts, decodeTexts...) {
		requireDecoded(t, []byte(text), 64)
		requireDecoded(t, []byte(`{"k":[`+text+`,`+text+`]}`), 64)
	}
}

func TestDecodeGoesNoDeeperThanItMay(t *testing.T) {
	for depth := range 5 {
		requireDecoded(t, []byte(strings.Repeat("[", depth)+strings.Repeat("]", depth)), 3)
	}
	requireDecoded(t, []byte("[]"), -1)
}

func TestDecodeCopiesLittleOfWhatIsShort(t *testing.T) {
	text := []byte(`{"number":"INC0012345","id":987654321,"tags":["a","b"]}`)
	fast := testing.AllocsPerRun(10, func() { payload.Decode(text, 64) })
	slow := testing.AllocsPerRun(10, func() { _, _ = slowly(text) })
	assert.Less(t, fast, slow*2/3)
	assert.LessOrEqual(t, fast, 10.0)
}

// FuzzDecode compares with encoding/json.
func FuzzDecode(f *testing.F) {
	for _, text := range append(validTexts, decodeTexts...) {
		f.Add([]byte(text), 64)
	}
	f.Fuzz(func(t *testing.T, data []byte, max int) { requireDecoded(t, data, min(max, 1000)) })
}

func BenchmarkDecode(b *testing.B) {
	text := []byte(`{"number":"INC0012345","id":987654321,"state":"open","tags":["billing","refund"],"caller":{"name":"Ada","vip":true}}`)
	b.Run("here", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			payload.Decode(text, 64)
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = slowly(text)
		}
	})
}
