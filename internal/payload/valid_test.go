package payload_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/payload"
)

// validTexts are texts near the borders of JSON.
var validTexts = []string{
	"", " ", "{}", "[]", " [ ] ", " { } ", "[1]", "[1,]", "[,1]", "[1 2]", "[1", "[", "]", "{", "}", "[}", "{]", "[]]", "[[]", "[1}", "{}{}", "1 1", "\x00", "1\x00",
	`{"a":1}`, `{"a":1,}`, `{"a"}`, `{"a":}`, `{"a" : 1 , "b" : [ ] }`, `{a:1}`, `{"a":1 "b":2}`, `{"a":1,"b"}`, `{"a":1,2}`, `{1:2}`, `{"a"::1}`, `{"a":1]`, `[:]`, `{,}`,
	"true", "false", "null", "tru", "truex", "nul", "falsey", "True", "nulll", "-", "-a", "--1", "+1", "0", "-0", "00", "01", "-01", "1.", "1.5", ".5", "1.e1", "1e", "1e+", "1e-", "1E+5", "1e5.5", "0e0", "0.0e-0", "0x1", "1a", "-1.50e3",
	`""`, `"`, `"a`, `"\`, `"\"`, `"\\"`, `"\u"`, `"\u12"`, `"\u12"3`, `"\u12G4"`, `"\u1234"`, `"\uD800"`, `"\x41"`, `"\/\b\f\n\r\t\""`, "\"a\nb\"", "\"\x1f\"", "\"\x7f\"", "\"\x80\xff\"", "\"\xe2\x82\"", "\ufeff1",
	`"12345678"`, `"1234567`, `"1234567"`, `"123456\"8"`, "\"1234567\x01\"", "\"12345678\x1f9012345\"", `"ünï→cödé😀"`, `"aaaaaaaaaaaaaaaa\u0041aaaaaaaa"`,
}

func TestValid(t *testing.T) {
	for _, text := range validTexts {
		assert.Equal(t, gjson.Valid(text), payload.Valid([]byte(text), -1), "%q", text)
		for _, around := range []string{"[%]", `{"k":%}`, "[1,%,2]", " % ", `{"":[%]}`} {
			whole := strings.ReplaceAll(around, "%", text)
			assert.Equal(t, gjson.Valid(whole), payload.Valid([]byte(whole), -1), "%q", whole)
		}
	}
}

func TestValidBoundsTheDepth(t *testing.T) {
	for depth := range 200 {
		for _, text := range []string{strings.Repeat("[", depth) + strings.Repeat("]", depth), strings.Repeat(`{"a":[`, depth) + "1" + strings.Repeat("]}", depth)} {
			for max := range 201 {
				want := gjson.Valid(text) && payload.CheckDepth([]byte(text), max) == nil
				assert.Equal(t, want, payload.Valid([]byte(text), max), "%d levels, at most %d", depth, max)
			}
		}
	}
	const million = 1_000_000
	text := []byte(strings.Repeat("[", million) + strings.Repeat("]", million))
	assert.True(t, payload.Valid(text, -1))
	assert.True(t, payload.Valid(text, million))
	assert.False(t, payload.Valid(text, million-1))
	assert.False(t, payload.Valid(text[:million], -1))
}

func TestValidCostsNoMemory(t *testing.T) {
	text := []byte(`{"a":[` + strings.Repeat(`{"name":"text","n":-1.5e3,"x":"\u00e9"},`, 20) + `null]}`)
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		if !payload.Valid(text, 64) {
			t.Fail()
		}
	}))
}

// FuzzValid holds Valid against the two that it stands for.
func FuzzValid(f *testing.F) {
	for _, text := range validTexts {
		f.Add([]byte(text), 64)
	}
	f.Add([]byte(`{"a":[[1,{"b":"c"}]],"d":{}}`), 3)
	f.Fuzz(func(t *testing.T, data []byte, max int) {
		want := payload.CheckDepth(data, max) == nil && gjson.ValidBytes(data)
		if payload.Valid(data, max) != want {
			t.Fatalf("%q at %d levels: not %v", data, max, want)
		}
	})
}

func BenchmarkValid(b *testing.B) {
	text := []byte(`{"result":{"number":"INC0012345","id":987654321,"state":"open","text":"` +
		strings.Repeat("All work and no play makes a long answer. ", 21) + `"},"links":{"self":"https://api.example.com/v2/incidents/987654321"}}`)
	items := []byte("[" + strings.Repeat(`{"id":"3f2a9c1b","name":"Ada \"Lovelace\"","tags":["a","b"],"total":1234.56,"open":true},`, 11) + "null]")
	for name, text := range map[string][]byte{"long strings": text, "items": items} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				payload.Valid(text, 512)
			}
		})
		b.Run(name+" twice", func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				_ = payload.CheckDepth(text, 512) == nil && gjson.ValidBytes(text)
			}
		})
	}
}

// FuzzBehind demands that Behind ends where a value does, and comes to an end with any text.
func FuzzBehind(f *testing.F) {
	for _, text := range validTexts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for i := range data {
			if end, ok := payload.Behind(data, i); ok && (end <= i || end > len(data)) {
				t.Fatalf("%q: from %d to %d", data, i, end)
			}
		}
		value := bytes.Trim(data, " \t\r\n")
		if !payload.Valid(value, -1) {
			return
		}
		for _, around := range [][2]string{{"", ""}, {`{"a":`, `,"b":[1]}`}, {"[", " ]"}} {
			end, ok := payload.Behind([]byte(around[0]+string(value)+around[1]), len(around[0]))
			if !ok || end != len(around[0])+len(value) {
				t.Fatalf("%q in %q: ends at %d", value, around, end)
			}
		}
	})
}
