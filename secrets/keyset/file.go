package keyset

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// FromEnv reads a keyset, encoded as in a file, from the named environment variable.
func FromEnv(name string) (*Keyset, error) {
	text := os.Getenv(name)
	if text == "" {
		return nil, fmt.Errorf("keyset: environment variable %q is not set or empty", name)
	}
	s, err := Parse([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("environment variable %q: %w", name, err)
	}
	return s, nil
}

// Open reads the keyset at path. If there is no file the error wraps fs.ErrNotExist. A file
// that others than its owner may read or write, or a directory that everybody may write to,
// is refused with the command that mends it.
func Open(path string) (*Keyset, error) {
	// First by name: opening a pipe would wait for its other end.
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("keyset: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("keyset: %q is not a regular file", path)
	}
	if err := checkDir(path); err != nil {
		return nil, err
	}
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	s, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("file %q: %w", path, err)
	}
	return s, nil
}

// Create makes a keyset of one fresh key and writes it to path, with mode 0600. It returns
// when file and directory are on disk. The file appears whole or not at all; one that is
// there already stays as it is, and the error wraps fs.ErrExist. The file system must
// support hard links. The directory must exist, and not everybody may write to it.
func Create(path string) (*Keyset, error) {
	if err := checkDir(path); err != nil {
		return nil, err
	}
	s, err := Generate()
	if err != nil {
		return nil, err
	}
	if err := publish(path, []byte(s.Encode().Reveal())); err != nil {
		return nil, fmt.Errorf("keyset: not created: %w", err)
	}
	return s, nil
}

// read checks the mode of the file it has open, so that it cannot be another by then.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("keyset: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("keyset: %w", err)
	}
	if loose := looseFile(info.Mode()); loose {
		return nil, fmt.Errorf("keyset: %q is open to others than its owner (mode %04o): run chmod 600 %s",
			path, info.Mode().Perm(), shellQuote(path))
	}
	data, err := io.ReadAll(io.LimitReader(f, maxEncoded+1))
	if err != nil {
		return nil, fmt.Errorf("keyset: %w", err)
	}
	return data, nil
}

func checkDir(path string) error {
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("keyset: %w", err)
	}
	if looseDir(info.Mode()) {
		return fmt.Errorf("keyset: everybody may write to the directory %q (mode %04o): run chmod o-w %s, or use another",
			dir, info.Mode().Perm(), shellQuote(dir))
	}
	return nil
}

// publish writes a file beside path and links it there: unlike a rename, a link never
// replaces a file that came first.
func publish(path string, data []byte) (err error) {
	defer clear(data)
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".keyset-*") // exclusive, 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return linkError(path, err)
	}
	return syncDir(dir)
}

// linkError says which file is in the way, rather than the name of the temporary one.
func linkError(path string, err error) error {
	if errors.Is(err, fs.ErrExist) {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	return err
}

func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
