package sealed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/secrets/sealed"
)

func seal(t testing.TB, keeper secrets.Keeper, plaintext string, aad ...string) []byte {
	box, err := sealed.Seal(context.Background(), keeper, []byte(plaintext), aad...)
	require.NoError(t, err)
	return box
}

func TestSealOpen(t *testing.T) {
	keys := newKeyset(t)
	for name, plaintext := range map[string]string{"empty": "", "text": "s3cr3t", "bytes": "\x00\xff", "large": strings.Repeat("x", 1<<20)} {
		t.Run(name, func(t *testing.T) {
			box := seal(t, keys, plaintext, "a", "b")
			got, err := sealed.Open(t.Context(), keys, box, "a", "b")
			require.NoError(t, err)
			assert.Equal(t, plaintext, string(got))
		})
	}
}

func TestSealIsFresh(t *testing.T) {
	keys := newKeyset(t)
	assert.NotEqual(t, seal(t, keys, "x", "aad"), seal(t, keys, "x", "aad"))
}

func TestKeyID(t *testing.T) {
	keys := newKeyset(t)
	want, err := keys.KeyID(t.Context())
	require.NoError(t, err)
	got, err := sealed.KeyID(seal(t, keys, "x"))
	require.NoError(t, err)
	assert.Equal(t, want, got)

	got, err = sealed.KeyID([]byte("no box"))
	require.ErrorIs(t, err, secrets.ErrSealBroken)
	assert.Empty(t, got)
}

func TestKeyIDWantsABox(t *testing.T) {
	box := seal(t, &stub{id: "k"}, "")
	tests := map[string][]byte{"format 0": {0}, "format 2": {2}, "no key id": {1, 0}, "a space": {1, 1, ' '}, "another length": {1, 2}}
	for name, start := range tests {
		altered := append(bytes.Clone(start), box[len(start):]...)
		_, err := sealed.KeyID(altered)
		require.ErrorIs(t, err, secrets.ErrSealBroken, name)
	}
	for n := range box {
		_, err := sealed.KeyID(box[:n:n])
		require.ErrorIs(t, err, secrets.ErrSealBroken, "the first %d bytes", n)
	}
}

func TestOpenKnowsItsTexts(t *testing.T) {
	lists := [][]string{
		{}, {""}, {"", ""}, {"ab", "c"}, {"a", "bc"}, {"abc"}, {"c", "ab"}, {"a", "b", "c"}, {"ab", "c", ""}, {"AB", "c"},
		{"\x00\x00\x00\x00\x00\x00\x00\x01a"}, {"a\x00"},
	}
	keys := newKeyset(t)
	for i, sealedFor := range lists {
		box := seal(t, keys, "x", sealedFor...)
		for j, openedFor := range lists {
			got, err := sealed.Open(t.Context(), keys, box, openedFor...)
			if i == j {
				require.NoError(t, err)
				continue
			}
			require.ErrorIs(t, err, secrets.ErrSealBroken, "%q as %q", sealedFor, openedFor)
			assert.Nil(t, got)
		}
	}
}

func TestEveryBitCounts(t *testing.T) {
	keys := newKeyset(t)
	box := seal(t, keys, "s3cr3t", "aad")
	for i := range len(box) * 8 {
		altered := bytes.Clone(box)
		altered[i/8] ^= 1 << (i % 8)
		got, err := sealed.Open(t.Context(), keys, altered, "aad")
		require.True(t, errors.Is(err, secrets.ErrSealBroken) || errors.Is(err, secrets.ErrKeyNotFound), "bit %d: %v", i, err)
		require.Nil(t, got, "bit %d", i)
	}
}

func TestEveryLengthCounts(t *testing.T) {
	keys := newKeyset(t)
	box := seal(t, keys, "s3cr3t", "aad")
	for n := range box {
		for _, part := range [][]byte{box[:n:n], box[n+1:]} {
			got, err := sealed.Open(t.Context(), keys, part, "aad")
			require.Error(t, err, "cut at %d", n)
			require.Nil(t, got)
		}
		_, err := sealed.Open(t.Context(), keys, box[:n:n], "aad")
		require.ErrorIs(t, err, secrets.ErrSealBroken, "the first %d bytes", n)
	}
	_, err := sealed.Open(t.Context(), keys, append(bytes.Clone(box), 0), "aad")
	require.ErrorIs(t, err, secrets.ErrSealBroken)
}

// TestPartsDoNotMix joins the head of one box and the data of another of the same length.
func TestPartsDoNotMix(t *testing.T) {
	keys := newKeyset(t)
	one, two := seal(t, keys, "one", "aad"), seal(t, keys, "two", "aad")
	for n := 1; n < len(one); n++ {
		mixed := append(bytes.Clone(one[:n]), two[n:]...)
		if bytes.Equal(mixed, one) || bytes.Equal(mixed, two) {
			continue
		}
		_, err := sealed.Open(t.Context(), keys, mixed, "aad")
		require.ErrorIs(t, err, secrets.ErrSealBroken, "at %d", n)
	}
}

func TestOtherKeysOpenNothing(t *testing.T) {
	box := seal(t, newKeyset(t), "x", "aad")
	_, err := sealed.Open(t.Context(), newKeyset(t), box, "aad")
	require.ErrorIs(t, err, secrets.ErrKeyNotFound)
}

// TestFormat1 opens a box made when the format was fixed. A change that breaks this test
// needs a new format.
func TestFormat1(t *testing.T) {
	keys, err := keyset.Parse([]byte(goldenKeyset))
	require.NoError(t, err)
	got, err := sealed.Open(t.Context(), keys, unhex(t, goldenBox), "secret", "acme")
	require.NoError(t, err)
	assert.Equal(t, "golden", string(got))
}

// stub is a keeper whose answers are set. Zero fields are those of a keeper that hands the
// plaintext through.
type stub struct {
	id      string
	idErr   error
	sealErr error
	openErr error
	wrapped func(plaintext []byte) []byte
	opened  func(sealed []byte) []byte
}

func (s *stub) KeyID(context.Context) (string, error) { return s.id, s.idErr }

func (s *stub) Seal(_ context.Context, _ string, plaintext, _ []byte) ([]byte, error) {
	if s.wrapped != nil {
		return s.wrapped(plaintext), s.sealErr
	}
	return bytes.Clone(plaintext), s.sealErr
}

func (s *stub) Open(_ context.Context, _ string, sealed, _ []byte) ([]byte, error) {
	if s.opened != nil {
		return s.opened(sealed), s.openErr
	}
	return bytes.Clone(sealed), s.openErr
}

var errService = errors.New("service is down")

func TestSealReportsTheKeeper(t *testing.T) {
	tests := map[string]struct {
		keeper *stub
		want   error
	}{
		"no key id":           {&stub{idErr: errService}, errService},
		"no seal":             {&stub{id: "k", sealErr: errService}, errService},
		"bad key id":          {&stub{id: "my key"}, secrets.ErrInvalid},
		"endless wrapped key": {&stub{id: "k", wrapped: func([]byte) []byte { return make([]byte, 1<<16) }}, secrets.ErrInvalid},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			box, err := sealed.Seal(t.Context(), test.keeper, []byte("s3cr3t"))
			require.ErrorIs(t, err, test.want)
			assert.Nil(t, box)
			assert.NotContains(t, err.Error(), "s3cr3t")
		})
	}
}

func TestOpenReportsTheKeeper(t *testing.T) {
	box := seal(t, &stub{id: "k"}, "s3cr3t")
	tests := map[string]struct {
		keeper *stub
		want   error
	}{
		"no open":        {&stub{openErr: errService}, errService},
		"short data key": {&stub{opened: func(b []byte) []byte { return b[:15] }}, secrets.ErrSealBroken},
		"other data key": {&stub{opened: func(b []byte) []byte { return make([]byte, 32) }}, secrets.ErrSealBroken},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := sealed.Open(t.Context(), test.keeper, box)
			require.ErrorIs(t, err, test.want)
			assert.Nil(t, got)
		})
	}
}

// TestWrappedKeyHasOneSpelling gives a keeper that disregards a byte of what it sealed: the
// content's layer notices.
func TestWrappedKeyHasOneSpelling(t *testing.T) {
	lenient := &stub{
		id:      "k",
		wrapped: func(p []byte) []byte { return append(bytes.Clone(p), '=') },
		opened:  func(s []byte) []byte { return bytes.Clone(s[:32]) },
	}
	box := seal(t, lenient, "x")
	_, err := sealed.Open(t.Context(), lenient, box)
	require.NoError(t, err)
	box[1+1+1+2+32] = '-'
	_, err = sealed.Open(t.Context(), lenient, box)
	require.ErrorIs(t, err, secrets.ErrSealBroken)
}

func TestLongestKeyID(t *testing.T) {
	keeper := &stub{id: strings.Repeat("k", 255)}
	box := seal(t, keeper, "x")
	id, err := sealed.KeyID(box)
	require.NoError(t, err)
	assert.Equal(t, keeper.id, id)
	_, err = sealed.Open(t.Context(), keeper, box)
	require.NoError(t, err)
}

func TestDataKeysAreWiped(t *testing.T) {
	var lent [][]byte
	spy := &stub{id: "k"}
	spy.wrapped = func(p []byte) []byte { lent = append(lent, p); return bytes.Clone(p) }
	spy.opened = func(s []byte) []byte { p := bytes.Clone(s); lent = append(lent, p); return p }
	box := seal(t, spy, "x")
	_, err := sealed.Open(t.Context(), spy, box)
	require.NoError(t, err)
	require.Len(t, lent, 2)
	for i, key := range lent {
		assert.Equal(t, make([]byte, 32), key, "data key %d", i)
	}
}

func FuzzOpen(f *testing.F) {
	keys, err := keyset.Parse([]byte(goldenKeyset))
	require.NoError(f, err)
	golden := unhex(f, goldenBox)
	f.Add(golden)
	f.Add(golden[:40])
	f.Add([]byte{})
	f.Add([]byte{1, 0, 0, 0})
	f.Add([]byte{1, 255, 'k'})
	f.Add([]byte{2, 1, 'k', 0, 0})
	f.Fuzz(func(t *testing.T, box []byte) {
		before := bytes.Clone(box)
		id, idErr := sealed.KeyID(box)
		got, err := sealed.Open(t.Context(), keys, box, "secret", "acme")
		require.Equal(t, before, box)
		switch {
		case bytes.Equal(box, golden):
			require.NoError(t, err)
		case err == nil:
			t.Fatalf("%x opened as %q", box, got)
		case idErr != nil:
			require.ErrorIs(t, err, secrets.ErrSealBroken)
		default:
			require.NoError(t, secrets.CheckKeyID(id))
			require.True(t, errors.Is(err, secrets.ErrSealBroken) || errors.Is(err, secrets.ErrKeyNotFound), fmt.Sprint(err))
		}
	})
}
