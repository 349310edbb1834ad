package storage

import (
	"context"
	"io"
)

// Backuper is what a [Store] implements that lives in this machine's files or memory and can
// be copied out of them while it is in use. Stores on a database server lack the method:
// their server has tools of its own. Between stores of different kinds, [Copy] is the way.
type Backuper interface {
	// Backup writes the records of one moment to w, in a format of the store's own, which
	// the Restore function of its package reads. The moment is not before the call:
	// whatever was acknowledged by then is in the backup. Those who read and write
	// meanwhile are not held up by a slow w. An error of w is passed on, and what w has
	// got by then is no backup; Restore refuses it.
	//
	// What is sealed in the store is sealed in the backup, under the same keys: keep these
	// too, elsewhere.
	Backup(ctx context.Context, w io.Writer) error
}
