package dbtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/integrationhub/hub/storage"
)

// Option changes how a server is started.
type Option func(*Server)

// SmallDisk gives a server a disk of its own of this many bytes, which [FullDisk] fills. To
// mount it takes root's rights; without them the test fails.
func SmallDisk(bytes int64) Option { return func(s *Server) { s.disk = bytes } }

// makeData makes the empty directory of the server's data, on its disk if it has one.
func (s *Server) makeData() string {
	s.t.Helper()
	check(s.t, os.Mkdir(s.data(), 0o700))
	if s.disk > 0 {
		check(s.t, mount(s.data(), s.disk))
		s.t.Cleanup(func() {
			s.Kill()
			check(s.t, unmount(s.data()))
		})
	}
	check(s.t, giveAway(s.data()))
	return s.data()
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

func (s *Server) ballast() string { return filepath.Join(s.data(), "ballast") }

// fill leaves nothing of the server's disk.
func (s *Server) fill() {
	s.t.Helper()
	f, err := os.Create(s.ballast())
	check(s.t, err)
	defer f.Close()
	for chunk := make([]byte, 1<<20); err == nil; {
		_, err = f.Write(chunk)
	}
	if !isFull(err) {
		s.t.Fatalf("dbtest: the disk is not full: %v", err)
	}
}

func (s *Server) free() {
	s.t.Helper()
	check(s.t, os.Remove(s.ballast()))
}

// aboutSpace matches how databases say that the disk is full.
var aboutSpace = regexp.MustCompile(`(?i)no space left|is full`)

// FullDisk fills the disk of a server while a store writes to it. The write that fails must
// say why, what was acknowledged must be there, none may be there in part, and work must go
// on by itself once there is space: rounds times.
func FullDisk(t testing.TB, s *Server, open func() (storage.Store, error)) {
	t.Helper()
	store := opened(t, open)
	w := &writer{store: store, name: "full disk"}
	for round := range 3 {
		s.fill()
		err := w.writeFor(t.Context(), 30*time.Second)
		if err == nil || !aboutSpace.MatchString(err.Error()) {
			t.Fatalf("dbtest: round %d: on a full disk, after %d writes: %v", round, w.acknowledged, err)
		}
		check(t, w.inspect(t.Context(), store))
		s.free()
		check(t, w.once(t.Context()))
		check(t, w.inspect(t.Context(), store))
	}
	check(t, w.count(t.Context()))
	check(t, store.Close())
	t.Logf("%d writes", w.acknowledged)
}

// writeFor is write with an end.
func (w *writer) writeFor(ctx context.Context, longest time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, longest, errors.New("the disk never became full"))
	defer cancel()
	return w.write(ctx)
}
