package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// besides are the endings of the files that SQLite keeps beside a database.
var besides = [...]string{"-wal", "-shm", "-journal"}

// prepare returns the absolute name of the file that path leads to, after it has created
// the file if there is none and checked that it is its owner's alone.
func prepare(path string) (string, error) {
	file, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if err := create(file); err != nil {
		return "", err
	}
	// SQLite keeps its other files beside the real one.
	if file, err = filepath.EvalSymlinks(file); err != nil {
		return "", reason(err)
	}
	if err := checkFile(file); err != nil {
		return "", err
	}
	for _, ending := range besides {
		if err := checkFile(file + ending); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	if err := checkDir(filepath.Dir(file)); err != nil {
		return "", err
	}
	return file, checkWritable(file)
}

// create makes an empty file that is its owner's alone, unless there is one of that name.
func create(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
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
	return syncDir(filepath.Dir(file))
}

func checkFile(file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return reason(err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%q is not a regular file", filepath.Base(file))
	}
	return checkMode(file, info.Mode())
}

// checkWritable finds out now, and in the operating system's words, what SQLite would find
// out at the first write.
func checkWritable(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("the file must be readable and writable: %w", reason(err))
	}
	return f.Close()
}

// reason strips an error of the file name, which the caller's message holds already.
func reason(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}
