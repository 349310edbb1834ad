//go:build unix

package bolt

import (
	"fmt"
	"io/fs"
	"os"
)

func checkMode(mode fs.FileMode) error {
	if mode.Perm()&0o077 == 0 {
		return nil
	}
	return fmt.Errorf("others than its owner may use the file (mode %04o): run chmod 600 on it", mode.Perm())
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
