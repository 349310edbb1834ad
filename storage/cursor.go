package storage

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
)

// Position is where a page ended: the part of its last record that the order is made of.
// With Everywhere that is Tenant, Kind and ID, otherwise Search and ID; the rest is empty.
type Position struct {
	Tenant, Kind, Search, ID string
}

// PageSize returns how many records a page of q holds at most: Limit as the contract
// reads it.
func (q Query) PageSize() int {
	if q.Limit <= 0 {
		return DefaultPage
	}
	return min(q.Limit, MaxPage)
}

// Cursor returns the Next of a page of q whose last record is last. It is printable ASCII
// and holds the record's sort key and a checksum over it and over the query, so that
// [Query.Position] refuses it for any other query. It is not a proof of origin: who knows the
// algorithm can make one, and gains nothing, since the query decides what can be seen.
func (q Query) Cursor(last Record) string {
	body := []byte{cursorVersion}
	for _, part := range q.order(last) {
		body = appendText(body, part)
	}
	return cursorEncoding.EncodeToString(append(body, q.checksum(body)...))
}

// Position returns the position after which the page of q begins; began is false for the
// first page. The error wraps ErrInvalid if After was not made by [Query.Cursor] for the
// same query.
func (q Query) Position() (p Position, began bool, err error) {
	if q.After == "" {
		return Position{}, false, nil
	}
	parts, ok := q.openCursor()
	if !ok {
		return Position{}, false, invalid("After is not a cursor of this query")
	}
	if q.Everywhere {
		return Position{Tenant: parts[0], Kind: parts[1], ID: parts[2]}, true, nil
	}
	return Position{Search: parts[0], ID: parts[1]}, true, nil
}

// PrefixEnd returns the smallest string above all strings that begin with prefix; bounded
// is false if there is none (prefix is empty or all 0xff), and then every string that is
// not below prefix begins with it.
func PrefixEnd(prefix string) (end string, bounded bool) {
	last := len(prefix) - 1
	for last >= 0 && prefix[last] == 0xff {
		last--
	}
	if last < 0 {
		return "", false
	}
	return prefix[:last] + string([]byte{prefix[last] + 1}), true
}

const (
	cursorVersion  = 1
	cursorSumSize  = 8
	maxCursorBytes = 4096
)

var cursorEncoding = base64.RawURLEncoding.Strict()

// order returns what the pages of q are ordered by.
func (q Query) order(r Record) []string {
	if q.Everywhere {
		return []string{r.Tenant, r.Kind, r.ID}
	}
	return []string{r.Search, r.ID}
}

func (q Query) openCursor() (parts []string, ok bool) {
	if len(q.After) > maxCursorBytes {
		return nil, false
	}
	raw, err := cursorEncoding.DecodeString(q.After)
	if err != nil || len(raw) < 1+cursorSumSize {
		return nil, false
	}
	body, sum := raw[:len(raw)-cursorSumSize], raw[len(raw)-cursorSumSize:]
	if string(sum) != string(q.checksum(body)) || body[0] != cursorVersion {
		return nil, false
	}
	return q.readParts(body[1:])
}

func (q Query) readParts(rest []byte) (parts []string, ok bool) {
	for range q.order(Record{}) {
		var part string
		if part, rest, ok = cutText(rest); !ok {
			return nil, false
		}
		parts = append(parts, part)
	}
	inPrefix := q.Everywhere || strings.HasPrefix(parts[0], q.Prefix)
	return parts, len(rest) == 0 && inPrefix
}

// checksum covers a cursor's body and everything of the query that decides what is listed.
func (q Query) checksum(body []byte) []byte {
	seal := appendText(nil, string(body))
	if q.Everywhere {
		seal = appendText(append(seal, 'e'), q.Kind)
	} else {
		seal = append(seal, 's')
		for _, part := range []string{q.Tenant, q.Kind, q.Parent, q.Name, q.Prefix} {
			seal = appendText(seal, part)
		}
		for _, l := range NormalLabels(q.Labels) {
			seal = appendText(appendText(seal, l.Key), l.Value)
		}
	}
	sum := sha256.Sum256(seal)
	return sum[:cursorSumSize]
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func cutText(b []byte) (s string, rest []byte, ok bool) {
	n, width := binary.Uvarint(b)
	if width <= 0 || n > uint64(len(b)-width) {
		return "", nil, false
	}
	b = b[width:]
	return string(b[:n]), b[n:], true
}
