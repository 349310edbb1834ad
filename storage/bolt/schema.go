package bolt

import (
	"encoding/binary"
	"fmt"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/integrationhub/hub/storage"
)

// The buckets. Their keys are texts joined by NUL, which no text holds, so that the bytewise
// order of keys is the order of their texts, one after the other.
var (
	metaBucket   = []byte("meta")   // :: "format" → version, 8 bytes big-endian
	recordBucket = []byte("record") // :: tenant, kind, id → record
	nameBucket   = []byte("name")   // :: tenant, kind, parent, name → id
	searchBucket = []byte("search") // :: tenant, kind, parent, search, id → nothing
	labelBucket  = []byte("label")  // :: tenant, kind, parent, label key, label value, search, id → nothing
)

// format is the version of all this and of the encoding of records.
const format = 1

var formatKey = []byte("format")

// migrate makes the buckets in a new file and refuses a file with others.
func migrate(tx *bbolt.Tx) error {
	meta, err := tx.CreateBucketIfNotExists(metaBucket)
	if err != nil {
		return err
	}
	if is := meta.Get(formatKey); is != nil {
		return checkFormat(is)
	}
	for _, name := range [][]byte{recordBucket, nameBucket, searchBucket, labelBucket} {
		if _, err := tx.CreateBucket(name); err != nil {
			return fmt.Errorf("make the bucket %s: %w", name, err)
		}
	}
	return meta.Put(formatKey, binary.BigEndian.AppendUint64(nil, format))
}

func checkFormat(is []byte) error {
	if len(is) != 8 {
		return fmt.Errorf("the version of the file's format has %d bytes: it is damaged or another program's", len(is))
	}
	if v := binary.BigEndian.Uint64(is); v != format {
		return fmt.Errorf("the file has format version %d, this program knows version %d: use a newer one", v, format)
	}
	return nil
}

const separator = "\x00"

func join(texts ...string) []byte { return []byte(strings.Join(texts, separator)) }

func recordKey(k storage.Key) []byte { return join(k.Tenant, k.Kind, k.ID) }

func nameKey(r storage.Record) []byte { return join(r.Tenant, r.Kind, r.Parent, r.Name) }

// indexKeys are the keys under which r stands in the buckets that listings read: one of
// searchBucket and one of labelBucket for each label.
func indexKeys(r storage.Record) (search []byte, labels [][]byte) {
	for _, l := range r.Labels {
		labels = append(labels, join(r.Tenant, r.Kind, r.Parent, l.Key, l.Value, r.Search, r.ID))
	}
	return join(r.Tenant, r.Kind, r.Parent, r.Search, r.ID), labels
}
