package main

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/integrationhub/hub"
)

// luggage counts what callers hand over: each file that is opened must be closed, once, and a
// function must not be called behind its caller's back.
type luggage struct {
	opened, closed atomic.Int64
	behind         atomic.Int64 // calls of a function after the batch that it was for
}

// file is one of so many bytes, which it does not tell.
func (v *voyage) file() hub.File {
	return hub.File{Open: func(ctx context.Context) (io.ReadCloser, error) {
		v.luggage.opened.Add(1)
		p := &parcel{io.LimitReader(zeros{}, v.size), v.luggage}
		if v.careless {
			p.Reader = io.MultiReader(io.LimitReader(zeros{}, v.size/2), stuck{ctx})
		}
		return p, nil
	}}
}

// parcel is a file that is open.
type parcel struct {
	io.Reader
	luggage *luggage
}

// Close counts.
func (p *parcel) Close() error {
	p.luggage.closed.Add(1)
	return nil
}

// stuck is read to no end: it waits until ctx ends.
type stuck struct{ ctx context.Context }

// Read waits.
func (s stuck) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// broken is a writer whose disk is full.
type broken struct{}

var errFull = errors.New("no space left")

// Write fails.
func (broken) Write([]byte) (int, error) { return 0, errFull }

// zeros has no end.
type zeros struct{}

// Read fills p.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// left is how many files are open, or closed too often. The last are closed a moment after
// their calls.
func (l *luggage) left() int64 {
	for deadline := time.Now().Add(recovery); l.opened.Load() != l.closed.Load() && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	return l.opened.Load() - l.closed.Load()
}
