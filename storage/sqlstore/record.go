package sqlstore

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/integrationhub/hub/storage"
)

// columns of a record r, in the order that scan reads.
const columns = `r.tenant, r.kind, r.id, r.parent, r.name, r.search, r.revision, r.updated, r.labels, r.data`

// scan reads a row of columns by means of the Scan of a *sql.Row or *sql.Rows.
func scan(from func(dest ...any) error) (storage.Record, error) {
	var (
		r       storage.Record
		name    sql.NullString
		updated int64
		labels  []byte
	)
	err := from(&r.Tenant, &r.Kind, &r.ID, &r.Parent, &name, &r.Search, &r.Revision, &updated, &labels, &r.Data)
	if err != nil {
		return storage.Record{}, err
	}
	r.Name = name.String
	r.Updated = time.UnixMicro(updated).UTC()
	if len(r.Data) == 0 {
		r.Data = nil
	}
	if r.Labels, err = decodeLabels(labels); err != nil {
		return storage.Record{}, fmt.Errorf("read %s: %w", r.Key, err)
	}
	return r, nil
}

// values returns what the columns after the key hold for r.
func values(r storage.Record) []any {
	return []any{
		[]byte(r.Parent), nameValue(r.Name), []byte(r.Search),
		r.Revision, r.Updated.UnixMicro(), encodeLabels(r.Labels), dataValue(r.Data),
	}
}

func keyValues(k storage.Key) []any {
	return []any{[]byte(k.Tenant), []byte(k.Kind), []byte(k.ID)}
}

// nameValue gives no name as NULL, of which a unique index allows many.
func nameValue(name string) any {
	if name == "" {
		return nil
	}
	return []byte(name)
}

// dataValue keeps empty data from becoming NULL.
func dataValue(data []byte) []byte {
	if data == nil {
		return []byte{}
	}
	return data
}

// encodeLabels writes each key and value as its length, a uvarint, and its bytes. The labels
// stand in the record too so that reading one takes a single row.
func encodeLabels(labels []storage.Label) []byte {
	b := []byte{}
	for _, l := range labels {
		for _, s := range []string{l.Key, l.Value} {
			b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
		}
	}
	return b
}

func decodeLabels(b []byte) (labels []storage.Label, err error) {
	for len(b) > 0 {
		var l storage.Label
		if l.Key, b, err = cutText(b); err != nil {
			return nil, err
		}
		if l.Value, b, err = cutText(b); err != nil {
			return nil, err
		}
		labels = append(labels, l)
	}
	return labels, nil
}

var errLabels = errors.New("the stored labels are damaged")

func cutText(b []byte) (s string, rest []byte, err error) {
	n, width := binary.Uvarint(b)
	if width <= 0 || n > uint64(len(b)-width) {
		return "", nil, errLabels
	}
	b = b[width:]
	return string(b[:n]), b[n:], nil
}
