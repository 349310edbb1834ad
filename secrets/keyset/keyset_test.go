package keyset_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
)

// Keysets for tests only, and what Seal made of "golden" with the aad "aad".
const (
	keyOne       = `{"id":"k_991082bc8d637910","state":"enabled","key":"nWvJycKD0njKmRoC6npA7yEhGH7NURqcasR8rkqMJcI="}`
	goldenKeyset = `{"format":"hub-keyset-1","primary":"k_991082bc8d637910","keys":[` + keyOne + `]}`
	goldenSealed = "015a466f2e5943f5cca5c326aa2e002a621d6048314b3401589b0d9ea49303f07274152243a2a2b839169a7ad7e16fa2c952050680b7fb57f9c384a6304c71d6c5bcbb"
)

func primary(t testing.TB, s *keyset.Keyset) string {
	id, err := s.KeyID(t.Context())
	require.NoError(t, err)
	return id
}

// keyOf returns the JSON of the only key of a fresh keyset, and its id.
func keyOf(t testing.TB) (keyJSON, id string) {
	var e struct{ Keys []json.RawMessage }
	s := generate(t)
	require.NoError(t, json.Unmarshal([]byte(s.Encode().Reveal()), &e))
	return string(e.Keys[0]), primary(t, s)
}

func setOf(primary string, keys ...string) []byte {
	return fmt.Appendf(nil, `{"format":"hub-keyset-1","primary":%q,"keys":[%s]}`, primary, strings.Join(keys, ","))
}

func TestGenerateIsFresh(t *testing.T) {
	a, b := generate(t), generate(t)
	assert.NotEqual(t, primary(t, a), primary(t, b))
	assert.False(t, a.Encode().Equal(b.Encode()))
	assert.Regexp(t, "^k_[0-9a-f]{16}$", primary(t, a))
}

func TestEncodeAndParse(t *testing.T) {
	s := generate(t)
	sealed, err := s.Seal(t.Context(), primary(t, s), []byte("x"), nil)
	require.NoError(t, err)
	again, err := keyset.Parse([]byte(s.Encode().Reveal()))
	require.NoError(t, err)
	assert.True(t, s.Encode().Equal(again.Encode()))
	got, err := again.Open(t.Context(), primary(t, s), sealed, nil)
	require.NoError(t, err)
	assert.Equal(t, "x", string(got))
}

// TestFormat1 opens what was sealed when the format was fixed. A change that breaks this
// test needs a new format.
func TestFormat1(t *testing.T) {
	s, err := keyset.Parse([]byte(goldenKeyset))
	require.NoError(t, err)
	sealed, err := hex.DecodeString(goldenSealed)
	require.NoError(t, err)
	got, err := s.Open(t.Context(), "k_991082bc8d637910", sealed, []byte("aad"))
	require.NoError(t, err)
	assert.Equal(t, "golden", string(got))
	assert.Equal(t, goldenKeyset, s.Encode().Reveal())
}

func TestSealedSize(t *testing.T) {
	s := generate(t)
	sealed, err := s.Seal(t.Context(), primary(t, s), make([]byte, 32), nil)
	require.NoError(t, err)
	assert.Len(t, sealed, 1+32+12+32+16)
}

func TestSeveralKeys(t *testing.T) {
	oldJSON, oldID := keyOf(t)
	newJSON, newID := keyOf(t)
	before, err := keyset.Parse(setOf(oldID, oldJSON))
	require.NoError(t, err)
	sealed, err := before.Seal(t.Context(), oldID, []byte("x"), nil)
	require.NoError(t, err)

	after, err := keyset.Parse(setOf(newID, oldJSON, newJSON))
	require.NoError(t, err)
	assert.Equal(t, newID, primary(t, after))
	got, err := after.Open(t.Context(), oldID, sealed, nil)
	require.NoError(t, err, "a key that is not the primary opens")
	assert.Equal(t, "x", string(got))
	_, err = after.Open(t.Context(), newID, sealed, nil)
	require.ErrorIs(t, err, secrets.ErrSealBroken, "under the other key")
	_, err = before.Open(t.Context(), newID, sealed, nil)
	require.ErrorIs(t, err, secrets.ErrKeyNotFound)
}

func TestDisabledKeyDoesNothing(t *testing.T) {
	oldJSON, oldID := keyOf(t)
	newJSON, newID := keyOf(t)
	before, err := keyset.Parse(setOf(oldID, oldJSON))
	require.NoError(t, err)
	sealed, err := before.Seal(t.Context(), oldID, []byte("x"), nil)
	require.NoError(t, err)

	s, err := keyset.Parse(setOf(newID, strings.Replace(oldJSON, "enabled", "disabled", 1), newJSON))
	require.NoError(t, err)
	_, err = s.Open(t.Context(), oldID, sealed, nil)
	require.ErrorIs(t, err, secrets.ErrKeyNotFound)
	require.ErrorContains(t, err, "disabled")
	_, err = s.Seal(t.Context(), oldID, []byte("x"), nil)
	require.ErrorIs(t, err, secrets.ErrKeyNotFound)
	assert.Contains(t, s.Encode().Reveal(), "disabled", "and is kept")
}

func TestParseRefuses(t *testing.T) {
	oneID := "k_991082bc8d637910"
	otherJSON, otherID := keyOf(t)
	tests := map[string]struct {
		data []byte
		rule string
	}{
		"nothing":             {nil, "not a keyset"},
		"no JSON":             {[]byte("hunter2"), "not a keyset"},
		"number":              {[]byte("1234567"), "not a keyset"},
		"null":                {[]byte("null"), "format"},
		"empty object":        {[]byte("{}"), "format"},
		"array":               {[]byte("[]"), "not a keyset"},
		"unknown member":      {[]byte(strings.Replace(goldenKeyset, `"keys"`, `"hunter2":1,"keys"`, 1)), "not a keyset"},
		"member of a key":     {setOf(oneID, strings.Replace(keyOne, `"id"`, `"hunter2":1,"id"`, 1)), "not a keyset"},
		"newer format":        {[]byte(strings.Replace(goldenKeyset, "keyset-1", "keyset-2", 1)), "format"},
		"two keysets":         {[]byte(goldenKeyset + goldenKeyset), "more follows"},
		"garbage after":       {[]byte(goldenKeyset + "hunter2"), "more follows"},
		"no keys":             {setOf(oneID), "primary is none"},
		"no primary":          {setOf("", keyOne), "primary is none"},
		"primary missing":     {setOf(otherID, keyOne), "primary is none"},
		"primary disabled":    {setOf(oneID, strings.Replace(keyOne, "enabled", "disabled", 1)), "primary key k_991082bc8d637910 is disabled"},
		"unknown state":       {setOf(oneID, strings.Replace(keyOne, "enabled", "hunter2", 1)), "keys[0]: the state of k_991082bc8d637910"},
		"id of another key":   {setOf(otherID, strings.Replace(keyOne, oneID, otherID, 1)), "keys[0]: the id is not"},
		"damaged key":         {setOf(oneID, strings.Replace(keyOne, "nWvJ", "nWvK", 1)), "keys[0]: the id is not"},
		"short key":           {setOf(oneID, strings.Replace(keyOne, "nWvJ", "", 1)), "keys[0]: the key has 29 bytes"},
		"no key":              {setOf(oneID, fmt.Sprintf(`{"id":%q,"state":"enabled"}`, oneID)), "the key has 0 bytes"},
		"key no base64":       {setOf(oneID, strings.Replace(keyOne, "nWvJ", "hunter2-", 1)), "not a keyset"},
		"key twice":           {setOf(oneID, otherJSON, keyOne, keyOne), "keys[2]: k_991082bc8d637910 is there twice"},
		"above the most size": {append([]byte(goldenKeyset), bytes.Repeat([]byte(" "), 1<<20)...), "more than 1048576"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := keyset.Parse(test.data)
			require.ErrorContains(t, err, test.rule)
			assert.Nil(t, s)
			for _, foreign := range []string{"hunter2", "nWv", "1234567"} {
				assert.NotContains(t, err.Error(), foreign)
			}
		})
	}
}

func TestParseRefusesEveryCut(t *testing.T) {
	for n := range len(goldenKeyset) {
		_, err := keyset.Parse([]byte(goldenKeyset[:n]))
		require.Error(t, err, "the first %d bytes", n)
	}
}

func TestParseTakesWhiteSpace(t *testing.T) {
	data := []byte("\n " + goldenKeyset + " \r\n")
	before := slices.Clone(data)
	_, err := keyset.Parse(data)
	require.NoError(t, err)
	assert.Equal(t, before, data)
}

func TestSaltIsFresh(t *testing.T) {
	s := generate(t)
	seen := map[string]bool{}
	for range 20 {
		sealed, err := s.Seal(t.Context(), primary(t, s), nil, nil)
		require.NoError(t, err)
		salt, nonce := string(sealed[1:33]), string(sealed[33:45])
		assert.False(t, seen[salt] || seen[nonce])
		seen[salt], seen[nonce] = true, true
	}
}

func TestString(t *testing.T) {
	s, err := keyset.Parse([]byte(goldenKeyset))
	require.NoError(t, err)
	assert.Equal(t, "keyset(primary k_991082bc8d637910, keys: 1)", fmt.Sprint(s))
	assert.Equal(t, s.String(), fmt.Sprintf("%#v", s))
}

func TestKeysDoNotShow(t *testing.T) {
	generated := generate(t)
	parsed, err := keyset.Parse([]byte(generated.Encode().Reveal()))
	require.NoError(t, err)
	_, key, _ := strings.Cut(generated.Encode().Reveal(), `"key":"`)
	for _, s := range []*keyset.Keyset{generated, parsed} {
		checkHidden(t, s, key[:44])
	}
}

// checkHidden prints a keyset in the ways programs do, and looks for its key.
func checkHidden(t *testing.T, s *keyset.Keyset, key string) {
	raw, err := base64.StdEncoding.DecodeString(key)
	require.NoError(t, err)
	type holder struct{ keys *keyset.Keyset }
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%c", "%U", "%p", "%t", "%T"} {
		for _, x := range []any{s, *s, &s, holder{s}, []*keyset.Keyset{s}, map[string]any{"k": *s}} {
			fmt.Fprintf(&out, verb+"\n", x)
		}
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "keys", s, "struct", *s)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "keys", s, "struct", *s)
	require.NoError(t, json.NewEncoder(&out).Encode(map[string]any{"keys": s, "struct": *s}))
	for _, form := range []string{
		key[:12], string(raw[:6]), hex.EncodeToString(raw[:6]), strings.ToUpper(hex.EncodeToString(raw[:6])), strings.Trim(fmt.Sprint(raw[:6]), "[]"),
		strings.Trim(fmt.Sprintf("%#v", raw[:4]), "[]byte{}"), strings.Trim(fmt.Sprintf("%o", raw[:6]), "[]"), strings.Trim(fmt.Sprintf("%U", raw[:4]), "[]"),
	} {
		assert.NotContains(t, out.String(), form)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(goldenKeyset))
	f.Add([]byte(goldenKeyset[:60]))
	f.Add([]byte(`{"format":"hub-keyset-1","primary":"","keys":[]}`))
	f.Add([]byte(`{"format":"hub-keyset-1","primary":"k","keys":[{"id":"k","state":"enabled","key":""}]}`))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := keyset.Parse(data)
		if err != nil {
			require.Nil(t, s)
			return
		}
		require.NoError(t, secrets.CheckKeyID(primary(t, s)))
		again, err := keyset.Parse([]byte(s.Encode().Reveal()))
		require.NoError(t, err)
		require.True(t, s.Encode().Equal(again.Encode()))
	})
}

func FuzzOpen(f *testing.F) {
	s, err := keyset.Parse([]byte(goldenKeyset))
	require.NoError(f, err)
	golden, err := hex.DecodeString(goldenSealed)
	require.NoError(f, err)
	f.Add(golden, []byte("aad"))
	f.Add(golden[:33], []byte("aad"))
	f.Add([]byte{1}, []byte{})
	f.Fuzz(func(t *testing.T, sealed, aad []byte) {
		_, err := s.Open(t.Context(), "k_991082bc8d637910", sealed, aad)
		if bytes.Equal(sealed, golden) && string(aad) == "aad" {
			require.NoError(t, err)
			return
		}
		require.ErrorIs(t, err, secrets.ErrSealBroken)
	})
}
