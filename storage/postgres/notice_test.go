package postgres_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/postgres"
)

// serverLimit is below what PostgreSQL accepts as payload: less than 8,000 bytes.
const serverLimit = 8000

func TestNoticesHoldAllKeys(t *testing.T) {
	long := strings.Repeat("x", storage.MaxKeyPart)
	for name, keys := range map[string][]storage.Key{
		"one":     {{Kind: "k", ID: "i"}},
		"any":     {{}},
		"longest": {{Tenant: long, Kind: long, ID: long}},
		"many longest": func() (keys []storage.Key) {
			for i := range 500 {
				keys = append(keys, storage.Key{Tenant: long, Kind: long, ID: long[:i%storage.MaxKeyPart+1]})
			}
			return keys
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			var back []storage.Key
			for _, n := range postgres.Notices(keys) {
				assert.Less(t, len(n), serverLimit)
				back = append(back, postgres.KeysOf(n)...)
			}
			assert.Equal(t, keys, back)
		})
	}
}

func TestUnreadableNoticesMeanAnyKey(t *testing.T) {
	for _, n := range []string{"", "!", "AA", "BWFi", "/////////////////w", "AAAAAA"} {
		assert.Contains(t, postgres.KeysOf(n), storage.Key{}, "%q", n)
	}
}

// What waits is bounded: too much of it is told as any key.
func TestWaitingNoticesAreBounded(t *testing.T) {
	var keys []storage.Key
	for i := range 3*postgres.MaxWaiting + 1 {
		keys = append(keys, storage.Key{Kind: "k", ID: strconv.Itoa(i)})
	}
	full := keys[:postgres.MaxWaiting]
	assert.ElementsMatch(t, full, postgres.Waiting(append(full[:len(full):len(full)], full[0])), "each once")
	waiting := postgres.Waiting(keys)
	assert.LessOrEqual(t, len(waiting), postgres.MaxWaiting)
	assert.Contains(t, waiting, storage.Key{})
}

// No payload makes the reader panic, and what it reads can be told again.
func FuzzKeysOf(f *testing.F) {
	f.Add("")
	f.Add("AAAA")
	f.Add(postgres.Notices([]storage.Key{{Tenant: "acme", Kind: "thing", ID: "a"}})[0])
	f.Fuzz(func(t *testing.T, payload string) {
		keys := postgres.KeysOf(payload)
		require.NotEmpty(t, keys)
		var back []storage.Key
		for _, n := range postgres.Notices(keys) {
			back = append(back, postgres.KeysOf(n)...)
		}
		require.Equal(t, keys, back)
	})
}
