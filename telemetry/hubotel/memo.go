package hubotel

import "sync"

// memo keeps what was made of a key, for as many keys as it has room for: then it begins anew.
type memo[K comparable, V any] struct {
	make func(K) V

	mu  sync.RWMutex
	met map[K]V
}

// room is how many keys a memo has room for: some thousand definitions in use, in less than 2 MiB.
const room = 2048

func newMemo[K comparable, V any](make func(K) V) *memo[K, V] {
	return &memo[K, V]{make: make, met: map[K]V{}}
}

func (m *memo[K, V]) of(key K) V {
	m.mu.RLock()
	v, ok := m.met[key]
	m.mu.RUnlock()
	if ok {
		return v
	}
	v = m.make(key)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.met) >= room {
		clear(m.met)
	}
	m.met[key] = v
	return v
}
