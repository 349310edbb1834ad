package files

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/integrationhub/hub/secrets"
)

// readings bounds how often a file is read that changes meanwhile.
const readings = 5

// read returns what the file at path holds.
func (v *Vault) read(ctx context.Context, path string) (secrets.Value, error) {
	for range readings {
		if err := ctx.Err(); err != nil {
			return secrets.Value{}, err
		}
		data, whole, err := v.readOnce(path)
		if err != nil {
			return secrets.Value{}, err
		}
		if whole {
			defer clear(data)
			return v.value(path, data)
		}
		clear(data)
	}
	return secrets.Value{}, fmt.Errorf("files: %q does not stop changing", path)
}

// readOnce reads a file, and reports whether it stayed as it was.
func (v *Vault) readOnce(path string) (data []byte, whole bool, err error) {
	// First by name: opening a pipe would wait for its other end.
	before, err := v.root.Stat(path)
	if err == nil {
		err = acceptable(path, before)
	}
	if err != nil {
		return nil, false, missing(path, err)
	}
	f, err := v.root.Open(path)
	if err != nil {
		return nil, false, missing(path, err)
	}
	defer f.Close()
	data, err = io.ReadAll(io.LimitReader(f, secrets.MaxValue+3))
	if err != nil {
		return nil, false, fmt.Errorf("files: %w", err)
	}
	after, err := f.Stat()
	if err != nil {
		return nil, false, fmt.Errorf("files: %w", err)
	}
	return data, same(before, after), nil
}

// same reports whether two looks saw one file in one state.
func same(before, after fs.FileInfo) bool {
	return os.SameFile(before, after) && before.Size() == after.Size() &&
		before.ModTime().Equal(after.ModTime()) && before.Mode() == after.Mode()
}

func acceptable(path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: %q is not a regular file", secrets.ErrInvalid, path)
	}
	if info.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("%w: everybody may write to %q (mode %04o): run chmod o-w on it", secrets.ErrInvalid, path, info.Mode().Perm())
	}
	return nil
}

func missing(path string, err error) error {
	if isMissing(err) {
		return fmt.Errorf("%w: there is no file %q", secrets.ErrNotFound, path)
	}
	return fmt.Errorf("files: %w", err)
}

func (v *Vault) value(path string, data []byte) (secrets.Value, error) {
	if v.trim {
		data = trimNewline(data)
	}
	if len(data) == 0 {
		return secrets.Value{}, fmt.Errorf("%w: file %q is empty", secrets.ErrNotFound, path)
	}
	if len(data) > secrets.MaxValue {
		return secrets.Value{}, fmt.Errorf("%w: file %q has more than %d bytes", secrets.ErrInvalid, path, secrets.MaxValue)
	}
	return secrets.FromBytes(data), nil
}

func trimNewline(data []byte) []byte {
	n := len(data)
	if n > 0 && data[n-1] == '\n' {
		n--
		if n > 0 && data[n-1] == '\r' {
			n--
		}
	}
	return data[:n]
}
