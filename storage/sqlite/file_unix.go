//go:build unix

package sqlite

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

func checkMode(file string, mode fs.FileMode) error {
	if mode.Perm()&0o077 == 0 {
		return nil
	}
	return fmt.Errorf("others than its owner may use %q (mode %04o): run chmod 600 on it", file, mode.Perm())
}

// The permissions that access(2) asks for.
const mayWriteAndEnter = 0o2 | 0o1

// checkDir finds out whether SQLite can keep its other files in dir.
func checkDir(dir string) error {
	if err := syscall.Access(dir, mayWriteAndEnter); err != nil {
		return fmt.Errorf("the directory must be writable, for the files that SQLite keeps beside the database: %w", err)
	}
	return nil
}

// syncDir makes a new name in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return reason(err)
	}
	defer d.Close()
	return d.Sync()
}
