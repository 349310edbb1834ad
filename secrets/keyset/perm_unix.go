//go:build unix

package keyset

import (
	"errors"
	"io/fs"
	"os"
)

func looseFile(mode fs.FileMode) bool { return mode.Perm()&0o077 != 0 }

func looseDir(mode fs.FileMode) bool { return mode.Perm()&0o002 != 0 }

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
