//go:build unix

package sqlite

import (
	"fmt"
	"io/fs"
	"os"
)

func checkMode(file string, mode fs.FileMode) error {
	if mode.Perm()&0o077 == 0 {
		return nil
	}
	return fmt.Errorf("others than its owner may use %q (mode %04o): run chmod 600 on it", file, mode.Perm())
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
