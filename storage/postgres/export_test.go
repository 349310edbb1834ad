package postgres

import "github.com/integrationhub/hub/storage"

// MaxWaiting is how many keys wait to be told.
const MaxWaiting = maxWaiting

// The encoding of notices.
var (
	Notices = notices
	KeysOf  = keysOf
)

// Waiting returns what waits to be told after so many keys, if nothing is sent meanwhile.
func Waiting(keys []storage.Key) []storage.Key {
	n := &notifier{wake: make(chan struct{}, 1), waiting: make(map[storage.Key]struct{})}
	for _, k := range keys {
		n.add(k)
	}
	return n.take()
}
