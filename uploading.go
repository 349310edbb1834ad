package hub

import (
	"bytes"
	"context"
	"io"

	"github.com/integrationhub/hub/internal/render"
)

// uploading reads the body of one attempt: what was rendered, and the files between it.
type uploading struct {
	run    *run
	ctx    context.Context
	pieces []render.Piece // not begun yet

	file *File // that is being read; nil: rendered bytes
	name string
	src  io.ReadCloser // nil: the next piece begins
	read int64         // of the file
	all  int64         // of all files
}

// uploadFault is an error of the hub about a file, in contrast to one of the file.
type uploadFault struct{ broken *Error }

// Error is that of the broken rule.
func (f uploadFault) Error() string { return f.broken.Error() }

// Read reads on, and opens what comes next.
func (u *uploading) Read(p []byte) (int, error) {
	for {
		if u.src == nil {
			if len(u.pieces) == 0 {
				return 0, io.EOF
			}
			if err := u.next(); err != nil {
				return 0, err
			}
		}
		n, err := u.src.Read(p)
		if u.file != nil {
			if bad := u.count(n, err); bad != nil {
				return 0, bad
			}
		}
		whole := err == io.EOF
		if whole {
			_, err = u.Close(), nil
		}
		if n > 0 || !whole { // nothing, too: whoever reads may have had enough of waiting
			return n, err
		}
	}
}

// next begins the next piece.
func (u *uploading) next() error {
	piece := u.pieces[0]
	u.pieces = u.pieces[1:]
	if piece.File == "" {
		u.file, u.src = nil, io.NopCloser(bytes.NewReader(piece.Bytes))
		return nil
	}
	f := u.run.call.Files[piece.File]
	if f.Once && u.run.spent.Swap(true) {
		return u.fault(piece.File, "once", "can be read once, and has been")
	}
	src, err := f.Open(u.ctx)
	if err != nil {
		return err
	}
	u.file, u.name, u.src, u.read = &f, piece.File, src, 0
	return nil
}

// count holds what was read of a file against its size and the bound.
func (u *uploading) count(n int, err error) error {
	u.read += int64(n)
	u.all += int64(n)
	switch {
	case u.all > u.run.limits.UploadBytes:
		return u.fault(u.name, "too-large", tooLargeTogether(u.run.limits.UploadBytes))
	case u.file.Size > 0 && u.read > u.file.Size:
		return u.fault(u.name, "size", "has more bytes than its Size says")
	case u.file.Size > 0 && err == io.EOF && u.read < u.file.Size:
		return u.fault(u.name, "size", "has fewer bytes than its Size says")
	}
	return nil
}

func (u *uploading) fault(name, rule, message string) error {
	return uploadFault{&Error{Code: Invalid, Fields: []FieldError{{Path: "files." + name, Rule: rule, Message: message}}}}
}

// Close closes the file that is being read.
func (u *uploading) Close() error {
	src := u.src
	if u.src = nil; src == nil {
		return nil
	}
	return src.Close()
}
