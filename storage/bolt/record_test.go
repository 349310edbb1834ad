package bolt_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/bolt"
)

func full() storage.Record {
	return storage.Record{
		Key:      storage.Key{Tenant: "acme", Kind: "thing", ID: "a"},
		Parent:   "shelf",
		Name:     "\xff",
		Search:   "search",
		Labels:   []storage.Label{{Key: "color", Value: "red"}, {Key: "size"}},
		Revision: 1 << 62,
		Updated:  time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC),
		Data:     []byte{0, 1, 2},
	}
}

func TestRecordThereAndBack(t *testing.T) {
	bare := storage.Record{Key: storage.Key{Kind: "k", ID: "i"}, Revision: 1, Updated: time.UnixMicro(0).UTC()}
	for name, r := range map[string]storage.Record{"full": full(), "bare": bare} {
		t.Run(name, func(t *testing.T) {
			b := bolt.Encode(r)
			back, err := bolt.Decode(r.Key, b)
			require.NoError(t, err)
			assert.Equal(t, r, back)
			clear(b)
			assert.Equal(t, r, back, "no memory is shared")
		})
	}
}

func TestDamagedRecords(t *testing.T) {
	r := full()
	r.Data = nil
	whole := bolt.Encode(r)
	for cut := range whole {
		_, err := bolt.Decode(r.Key, whole[:cut])
		assert.Error(t, err, "cut at %d", cut)
	}
}

// No bytes make the decoder panic or take much memory, and what it reads, the encoder writes.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add(bolt.Encode(full()))
	f.Add([]byte{2, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := bolt.Decode(storage.Key{Kind: "k", ID: "i"}, b)
		if err != nil {
			return
		}
		again, err := bolt.Decode(r.Key, bolt.Encode(r))
		require.NoError(t, err)
		require.Equal(t, r, again)
	})
}
