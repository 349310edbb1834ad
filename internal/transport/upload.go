package transport

import (
	"context"
	"io"
	"sync"
)

// Upload is a body that is read while it is sent.
type Upload struct {
	// Size is its length, negative if it is not known.
	Size int64
	// Open starts it anew for an attempt. It is required, and is read only when there is a
	// connection to send it on. An error of reading it ends the call with Kind Aborted and
	// stays reachable through errors.Is and errors.As.
	Open func(ctx context.Context) io.ReadCloser
	// Again reports whether it can be sent once more. Nil: it can.
	Again func() bool
}

// again reports whether the body can be sent once more.
func (u *Upload) again() bool { return u == nil || u.Again == nil || u.Again() }

// upload is the body of one attempt. net/http may still read it when the attempt is over, but
// gets nothing more then, and what the caller handed over is not read any longer.
type upload struct {
	mu     sync.Mutex // guards all below
	src    io.ReadCloser
	busy   bool // src is being read
	over   bool
	closed bool
	err    error // of src
	n      int64
}

// Read reads as long as the attempt lasts.
func (u *upload) Read(p []byte) (int, error) {
	u.mu.Lock()
	if u.over || u.err != nil {
		u.mu.Unlock()
		return 0, io.ErrClosedPipe
	}
	u.busy = true
	u.mu.Unlock()
	n, err := u.src.Read(p)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.busy = false
	u.n += int64(n)
	if err != nil && err != io.EOF {
		u.err = err
	}
	if u.over {
		u.close()
		return 0, io.ErrClosedPipe
	}
	return n, err
}

// Close ends the body; a Read that is under way closes what it reads.
func (u *upload) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.over = true
	if !u.busy {
		u.close()
	}
	return nil
}

func (u *upload) close() {
	if !u.closed {
		u.closed = true
		_ = u.src.Close() // it was read, or nobody wants it any more
	}
}

// failure is what went wrong with what the caller handed over.
func (u *upload) failure() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.err
}

// end closes the body and notes how much of it was read.
func (u *upload) end(a *Attempt) {
	_ = u.Close() // always nil
	u.mu.Lock()
	defer u.mu.Unlock()
	a.BytesOut = u.n
}
