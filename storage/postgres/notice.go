package postgres

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/integrationhub/hub/storage"
)

// A notice is the payload of a notification: the base64 of keys, each as tenant, kind and id
// with their lengths before them. A notice that says nothing, or nothing that can be read,
// stands for any key. Server and channel keep whoever may not connect to the database out;
// whoever may can at most make others look.

// maxNotice is how many bytes of keys a notice holds, so that with base64 it stays below the
// server's limit of 8,000. A key of the greatest length fits.
const maxNotice = 5900

var noticeEncoding = base64.RawStdEncoding

// notices packs the keys into as few notices as hold them.
func notices(keys []storage.Key) []string {
	var out []string
	var full []byte
	for _, k := range keys {
		b := appendKey(nil, k)
		if len(full)+len(b) > maxNotice {
			out = append(out, noticeEncoding.EncodeToString(full))
			full = nil
		}
		full = append(full, b...)
	}
	return append(out, noticeEncoding.EncodeToString(full))
}

func appendKey(b []byte, k storage.Key) []byte {
	for _, text := range []string{k.Tenant, k.Kind, k.ID} {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return b
}

// keysOf reads a notice. It returns the zero Key for what it cannot read.
func keysOf(notice string) []storage.Key {
	b, err := noticeEncoding.DecodeString(notice)
	if err != nil || len(b) == 0 {
		return []storage.Key{{}}
	}
	var keys []storage.Key
	for len(b) > 0 {
		var texts [3]string
		for i := range texts {
			var ok bool
			if texts[i], b, ok = cutText(b); !ok {
				return []storage.Key{{}}
			}
		}
		keys = append(keys, storage.Key{Tenant: texts[0], Kind: texts[1], ID: texts[2]})
	}
	return keys
}

func cutText(b []byte) (text string, rest []byte, ok bool) {
	n, width := binary.Uvarint(b)
	if width <= 0 || n > uint64(len(b)-width) {
		return "", nil, false
	}
	b = b[width:]
	return string(b[:n]), b[n:], true
}
