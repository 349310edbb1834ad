package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"github.com/integrationhub/hub/storage"
)

// encode writes what a record holds beside its key: revision and microseconds as varints,
// then parent, name, search, the number of labels and their keys and values, each text with
// its length before it, and data to the end.
func encode(r storage.Record) []byte {
	b := make([]byte, 0, 64+len(r.Parent)+len(r.Name)+len(r.Search)+32*len(r.Labels)+len(r.Data))
	b = binary.AppendVarint(b, r.Revision)
	b = binary.AppendVarint(b, r.Updated.UnixMicro())
	b = appendTexts(b, r.Parent, r.Name, r.Search)
	b = binary.AppendUvarint(b, uint64(len(r.Labels)))
	for _, l := range r.Labels {
		b = appendTexts(b, l.Key, l.Value)
	}
	return append(b, r.Data...)
}

func appendTexts(b []byte, texts ...string) []byte {
	for _, t := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(t))), t...)
	}
	return b
}

var errDamaged = errors.New("the stored record is damaged")

// decode reads what encode wrote. The record shares no memory with b, which bbolt takes
// back when the transaction ends.
func decode(k storage.Key, b []byte) (storage.Record, error) {
	d := decoder{rest: b}
	r := storage.Record{Key: k}
	r.Revision = d.varint()
	r.Updated = time.UnixMicro(d.varint()).UTC()
	r.Parent, r.Name, r.Search = d.text(), d.text(), d.text()
	labels := d.uvarint()
	for range labels {
		if d.damaged {
			break
		}
		r.Labels = append(r.Labels, storage.Label{Key: d.text(), Value: d.text()})
	}
	if d.damaged {
		return storage.Record{}, errDamaged
	}
	if len(d.rest) > 0 {
		r.Data = bytes.Clone(d.rest)
	}
	return r, nil
}

// decoder reads from rest, until something does not fit.
type decoder struct {
	rest    []byte
	damaged bool
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	d.advance(n)
	return v
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	d.advance(n)
	return v
}

func (d *decoder) advance(n int) {
	if n <= 0 {
		d.damaged = true
		return
	}
	d.rest = d.rest[n:]
}

func (d *decoder) text() string {
	n := d.uvarint()
	if d.damaged || n > uint64(len(d.rest)) {
		d.damaged = true
		return ""
	}
	text := string(d.rest[:n])
	d.rest = d.rest[n:]
	return text
}
