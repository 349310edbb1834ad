package sqlstore_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlstore"
)

func TestLabelsThereAndBack(t *testing.T) {
	for name, labels := range map[string][]storage.Label{
		"none":      nil,
		"one":       {{Key: "color", Value: "red"}},
		"empty":     {{}, {Key: "a"}, {Value: "b"}},
		"any bytes": {{Key: "\x00\xff", Value: "\n"}},
		"longest":   {{Key: strings.Repeat("k", storage.MaxKeyPart), Value: strings.Repeat("v", storage.MaxKeyPart)}},
	} {
		t.Run(name, func(t *testing.T) {
			encoded := sqlstore.EncodeLabels(labels)
			require.NotNil(t, encoded, "nil would be NULL")
			decoded, err := sqlstore.DecodeLabels(encoded)
			require.NoError(t, err)
			assert.Equal(t, labels, decoded)
		})
	}
}

func TestDamagedLabels(t *testing.T) {
	whole := sqlstore.EncodeLabels([]storage.Label{{Key: "color", Value: "red"}})
	for cut := 1; cut < len(whole); cut++ {
		_, err := sqlstore.DecodeLabels(whole[:cut])
		assert.Error(t, err, "cut at %d", cut)
	}
	_, err := sqlstore.DecodeLabels(bytes.Repeat([]byte{0xff}, 11))
	assert.Error(t, err)
}

// No bytes make the decoder panic, and what it reads, the encoder writes.
func FuzzDecodeLabels(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 'a', 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		labels, err := sqlstore.DecodeLabels(b)
		if err != nil {
			return
		}
		again, err := sqlstore.DecodeLabels(sqlstore.EncodeLabels(labels))
		require.NoError(t, err)
		require.Equal(t, labels, again)
	})
}
