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

// Disk is a small disk in memory, which [FullDisk] fills.
type Disk struct {
	t   testing.TB
	dir string // where it is mounted
}

// NewDisk mounts a disk of this many bytes until the test ends. That takes root's rights;
// without them the test fails.
func NewDisk(t testing.TB, bytes int64) *Disk {
	t.Helper()
	d := &Disk{t: t, dir: t.TempDir()}
	check(t, mount(d.dir, bytes))
	t.Cleanup(func() { check(t, unmount(d.dir)) })
	return d
}

// Dir is the directory of what the disk holds.
func (d *Disk) Dir() string { return d.dir }

func (d *Disk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fill leaves nothing of the disk.
func (d *Disk) fill() {
	d.t.Helper()
	f, err := os.Create(d.ballast())
	check(d.t, err)
	defer f.Close()
	for chunk := make([]byte, 1<<20); err == nil; {
		_, err = f.Write(chunk)
	}
	if !isFull(err) {
		d.t.Fatalf("dbtest: the disk is not full: %v", err)
	}
}

func (d *Disk) free() {
	d.t.Helper()
	check(d.t, os.Remove(d.ballast()))
}

// SmallDisk gives a server a disk of its own of this many bytes. To mount it takes root's
// rights; without them the test fails.
func SmallDisk(bytes int64) Option { return func(s *Server) { s.disk = bytes } }

// Disk is where the server's data is. It fills if the server was started with [SmallDisk].
func (s *Server) Disk() *Disk { return &Disk{t: s.t, dir: s.data()} }

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

// aboutSpace matches how databases say that the disk is full.
var aboutSpace = regexp.MustCompile(`(?i)no space left|is full`)

// FullDisk fills the disk that a store writes to, itself or through a server, three times. The
// write that fails must say why, what was acknowledged must be there, none may be there in
// part, and work must go on by itself once there is space.
func FullDisk(t testing.TB, disk *Disk, open func() (storage.Store, error)) {
	t.Helper()
	store := opened(t, open)
	w := &writer{store: store, name: "full disk"}
	for range 50 { // there is something to lose
		check(t, w.once(t.Context()))
	}
	for round := range 3 {
		disk.fill()
		err := w.writeFor(t.Context(), 30*time.Second)
		if err == nil || !aboutSpace.MatchString(err.Error()) {
			t.Fatalf("dbtest: round %d: on a full disk, after %d writes: %v", round, w.acknowledged, err)
		}
		check(t, w.inspect(t.Context(), store))
		disk.free()
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
