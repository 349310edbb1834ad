package storage

import "context"

// Watcher is what a [Store] implements that can tell soon when records change, whoever
// changes them. A store that cannot simply lacks the method: its users compare revisions.
//
// What it tells is a hint. A hint follows the commit, mostly within milliseconds; it may come
// late, more than once, for a record that did not change, or, when a process or a connection
// dies at the wrong moment, not at all. Whoever must not miss a change compares revisions
// now and then all the same.
type Watcher interface {
	// Watch calls changed with the key of each record that an Apply of any process
	// creates, updates or deletes after Watch has begun to listen. The zero Key means
	// that any record may have changed: Watch says so once when it has begun to listen,
	// and again whenever it may have missed something.
	//
	// Calls to changed come one after the other from a single goroutine, and the next hint
	// waits for the last call to return: changed must be quick and must not call the store.
	// Watch returns when ctx has ended, with an error that wraps ctx.Err(), or when the
	// store is closed, with ErrClosed; an interruption in between it mends by itself.
	Watch(ctx context.Context, changed func(Key)) error
}
