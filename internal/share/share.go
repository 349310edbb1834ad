// Package share keeps one of many that are equal, for as long as somebody uses it.
package share

import (
	"crypto/sha256"
	"encoding/json"
	"sync"
	"weak"
)

// Key is a digest of all that a value was made of: of one key there is one value.
type Key [sha256.Size]byte

// KeyOf returns the key of parts by their JSON, and how long that is: another part, order or
// number of parts is another key. Bytes that need not be a text are given as []byte.
func KeyOf(parts ...any) (key Key, length int, err error) {
	data, err := json.Marshal(parts)
	return sha256.Sum256(data), len(data), err
}

// Table finds values that are in use by their keys. Those that nobody uses any more are left to
// the garbage collector. The zero Table is empty and ready; it is safe for concurrent use.
type Table[T any] struct {
	mu    sync.Mutex
	known map[Key]weak.Pointer[T]
	most  int // how many may be known before those that are gone are cleared out
}

// leastSweep is how many values are known at least before a table looks for those that are gone.
const leastSweep = 64

// Get returns the value of a key: the one that is in use, or else what make makes. Whoever has a
// value shares it, and must not change it. An error of make is returned, and nothing kept.
func (t *Table[T]) Get(key Key, make func() (*T, error)) (*T, error) {
	if v := t.find(key); v != nil {
		return v, nil
	}
	v, err := make()
	if err != nil {
		return nil, err
	}
	return t.keep(key, v), nil
}

func (t *Table[T]) find(key Key) *T {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known[key].Value()
}

// keep makes v the value of its key, unless another was quicker.
func (t *Table[T]) keep(key Key, v *T) *T {
	t.mu.Lock()
	defer t.mu.Unlock()
	if other := t.known[key].Value(); other != nil {
		return other
	}
	if t.known == nil {
		t.known = map[Key]weak.Pointer[T]{}
	}
	if len(t.known) >= max(t.most, leastSweep) {
		t.sweep()
	}
	t.known[key] = weak.Make(v)
	return v
}

// sweep forgets the values that are gone. It runs when there are twice as many as it left the
// last time, so its effort is spread.
func (t *Table[T]) sweep() {
	for key, p := range t.known {
		if p.Value() == nil {
			delete(t.known, key)
		}
	}
	t.most = 2 * len(t.known)
}

// Len is how many values are known, those that are gone but not yet cleared out among them.
func (t *Table[T]) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.known)
}
