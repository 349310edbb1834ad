package secrets_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
)

func TestValueReveal(t *testing.T) {
	for name, text := range map[string]string{"text": "s3cr3t", "empty": "", "bytes": "\x00\xff\n"} {
		t.Run(name, func(t *testing.T) {
			v := secrets.New(text)
			assert.Equal(t, text, v.Reveal())
			assert.Equal(t, len(text), v.Len())
			assert.Equal(t, text == "", v.IsZero())
			assert.Equal(t, text, secrets.FromBytes([]byte(text)).Reveal())
		})
	}
	assert.Empty(t, secrets.Value{}.Reveal(), "the zero Value")
	assert.True(t, secrets.FromBytes(nil).IsZero())
}

func TestFromBytesCopies(t *testing.T) {
	b := []byte("s3cr3t")
	v := secrets.FromBytes(b)
	clear(b)
	assert.Equal(t, "s3cr3t", v.Reveal())
}

func TestValueEqual(t *testing.T) {
	tests := map[string]struct {
		a, b  string
		equal bool
	}{
		"same":          {"s3cr3t", "s3cr3t", true},
		"empty":         {"", "", true},
		"other":         {"s3cr3t", "s3cr3T", false},
		"prefix":        {"s3cr3t", "s3cr3", false},
		"one is empty":  {"s3cr3t", "", false},
		"mask and mask": {"[secret]", "[secret]", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.equal, secrets.New(test.a).Equal(secrets.New(test.b)))
			assert.Equal(t, test.equal, secrets.New(test.b).Equal(secrets.New(test.a)))
		})
	}
}

func TestValueIsNotComparable(t *testing.T) {
	var a, b any = secrets.New("x"), secrets.New("x")
	assert.Panics(t, func() { _ = a == b })
}

func TestDecodersRefuse(t *testing.T) {
	tests := map[string]func(*secrets.Value) error{
		"json string": func(v *secrets.Value) error { return json.Unmarshal([]byte(`"[secret]"`), v) },
		"json object": func(v *secrets.Value) error { return json.Unmarshal([]byte(`{"reveal":"x"}`), v) },
		"json number": func(v *secrets.Value) error { return json.Unmarshal([]byte(`1`), v) },
		"text":        func(v *secrets.Value) error { return v.UnmarshalText([]byte("hunter2")) },
		"binary":      func(v *secrets.Value) error { return v.UnmarshalBinary([]byte("hunter2")) },
	}
	for name, decode := range tests {
		t.Run(name, func(t *testing.T) {
			v := secrets.New("kept")
			err := decode(&v)
			require.ErrorContains(t, err, "secrets.New")
			assert.NotContains(t, err.Error(), "hunter2")
			assert.Equal(t, "kept", v.Reveal())
		})
	}
}

func TestUnmarshalJSONNullChangesNothing(t *testing.T) {
	v := secrets.New("kept")
	require.NoError(t, json.Unmarshal([]byte("null"), &v))
	assert.Equal(t, "kept", v.Reveal())
}

func TestOmitzero(t *testing.T) {
	type form struct {
		Key secrets.Value `json:"key,omitzero"`
	}
	empty, err := json.Marshal(form{})
	require.NoError(t, err)
	assert.JSONEq(t, `{}`, string(empty))
	full, err := json.Marshal(form{secrets.New("x")})
	require.NoError(t, err)
	assert.JSONEq(t, `{"key":"[secret]"}`, string(full))
}

func TestLengthDoesNotShow(t *testing.T) {
	short, long := secrets.New("x"), secrets.New(strings.Repeat("x", 1000))
	assert.Equal(t, short.String(), long.String())
	assert.Equal(t, short.String(), secrets.Value{}.String())
	assert.Equal(t, short.String(), long.GoString())
}
