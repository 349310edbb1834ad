package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const fileMode fs.FileMode = 0o600

// prepare creates the file if there is none and checks that it is its owner's alone.
func prepare(path string) error {
	if err := create(path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return reason(err)
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	return checkMode(info.Mode())
}

// create makes an empty file that is its owner's alone, unless there is one of that name.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, fileMode)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("the directory does not exist: create it first")
	case err != nil:
		return fmt.Errorf("create the file: %w", reason(err))
	}
	if err := f.Close(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// reason strips an error of the file name, which the caller's message holds already.
func reason(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}
