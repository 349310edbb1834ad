// Package dbtest starts real database servers for tests: PostgreSQL and MariaDB as Debian
// packages them, as an unprivileged user, in a directory of its own under the system's
// temporary one, on a free port of the loopback interface. What is not installed is
// installed through apt; a server that cannot be started fails the test.
package dbtest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Server is a database server of a test. Its methods must not be called concurrently, but
// while others use the database.
type Server struct {
	t       testing.TB
	dir     string // holds the data, and the log of each start
	port    string
	command []string // starts the server in the foreground
	ready   string   // what the server logs once it serves
	dsn     string
	disk    int64 // size of its own disk; 0: it has none
	starts  int
	running *process
}

// DSN is what a driver opens the server's empty database "hub" with, as a user who may do
// anything: a URL for PostgreSQL, user:password@tcp(address)/database for MariaDB.
func (s *Server) DSN() string { return s.dsn }

// Kill kills the server at once, as kill -9 or the kernel would, and returns when its main
// process is gone. It does nothing to a server that is dead already.
func (s *Server) Kill() {
	if s.running == nil {
		return
	}
	s.running.kill()
	s.running = nil
	// A process that the server had just begun may hold its port a moment longer.
	for gone := time.Now().Add(patience); time.Now().Before(gone); time.Sleep(time.Millisecond) {
		if l, err := net.Listen("tcp", "127.0.0.1:"+s.port); err == nil {
			_ = l.Close()
			return
		}
	}
}

// patience is how long a server may take to start or to recover.
const patience = 2 * time.Minute

// Start starts a server that was killed, on its port and its data, and returns when it has
// recovered.
func (s *Server) Start() {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := s.start(deadline)
		if err == nil {
			return
		}
		// What a killed server leaves behind, such as shared memory, may take a moment to go.
		if time.Now().After(deadline) || s.t.Context().Err() != nil {
			s.t.Fatalf("dbtest: start %s: %v", s.command[0], err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (s *Server) start(deadline time.Time) error {
	s.starts++
	log := filepath.Join(s.dir, "log."+strconv.Itoa(s.starts))
	p, err := spawn(s.dir, log, s.command)
	if err != nil {
		return err
	}
	for !p.ended() && time.Now().Before(deadline) {
		text, err := os.ReadFile(log)
		if err == nil && bytes.Contains(text, []byte(s.ready)) {
			s.running = p
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.kill()
	return fmt.Errorf("it does not serve:\n%s", tail(log))
}

// tail returns the end of a log.
func tail(log string) []byte {
	text, err := os.ReadFile(log)
	if err != nil {
		return []byte(err.Error())
	}
	return text[max(0, len(text)-2000):]
}

// newServer returns a server, not started, with a directory that its user owns. When the
// test ends the server is killed and the directory removed.
func newServer(t testing.TB, opts []Option) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "hub-db-")
	check(t, err)
	s := &Server{t: t, dir: dir, port: freePort(t)}
	for _, opt := range opts {
		opt(s)
	}
	t.Cleanup(func() {
		s.Kill()
		check(t, removeAll(dir))
	})
	check(t, giveAway(dir))
	return s
}

// removeAll removes a directory in which processes that are about to die may still write.
func removeAll(dir string) (err error) {
	for range 100 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return err
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// write makes a file of the server's directory that the server's user can read.
func (s *Server) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	check(s.t, os.WriteFile(path, []byte(text), 0o600))
	check(s.t, giveAway(path))
	return path
}

// run runs a command to its end as the server's user.
func (s *Server) run(command ...string) {
	s.t.Helper()
	cmd := prepared(s.dir, command)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("dbtest: %s: %v\n%s", command[0], err, out)
	}
}

// program returns the newest program that one of the patterns finds, after the packages
// were installed if there was none.
func program(t testing.TB, patterns []string, packages ...string) string {
	t.Helper()
	if path := find(patterns); path != "" {
		return path
	}
	install(t, patterns[0], packages)
	path := find(patterns)
	if path == "" {
		t.Fatalf("dbtest: the packages %q do not bring %q", packages, patterns)
	}
	return path
}

func find(patterns []string) (newest string) {
	for _, p := range patterns {
		found, _ := filepath.Glob(p)
		for _, path := range found {
			newest = path
		}
	}
	return newest
}

// install runs the repository's script for missing programs, one at a time on a machine.
func install(t testing.TB, program string, packages []string) {
	t.Helper()
	script, err := scriptPath()
	check(t, err)
	lock := filepath.Join(os.TempDir(), "hub-dbtest.lock")
	cmd := exec.CommandContext(t.Context(), "flock", append([]string{lock, script, program}, packages...)...)
	// The script's last word fails where the program's name is a pattern: find decides.
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Logf("dbtest: install %q: %v\n%s", packages, err, out)
	}
}

// scriptPath finds .ci/need in one of the directories above a test.
func scriptPath() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		script := filepath.Join(dir, ".ci", "need")
		if _, err := os.Stat(script); err == nil {
			return script, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no directory above the test holds .ci/need")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
}

func password() string { return rand.Text() }
