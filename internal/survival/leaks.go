package main

import (
	"bufio"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"time"
)

const (
	foulServers = 16 // so that ports of connections that have just ended do not run out
	foulTimeout = 50 * time.Millisecond
	callers     = 64
)

// foul is a server that fails in many ways, by chance.
type foul struct {
	listener net.Listener
	answers  []string
	running  sync.WaitGroup
	mu       sync.Mutex // guards rand
	rand     *rand.Rand
}

// fouls are what a foul server answers with, before it closes the connection.
var fouls = []string{
	"", // nothing
	"H",
	"HTTP/1.1 200 OK\r\nContent-Le",
	"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
	"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone",
	"HTTP/1.1 999999 Garbage\r\n\r\n",
	"\x00\x01\x02\x03\x04\x05\x06\x07\r\n\r\n",
	"HTTP/1.1 103 Early Hints\r\n\r\n",
	"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
	"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno",
	done, done, done, pageOne, // some go well, and keep their connection
}

// later is what one server says now and then: calls that come too soon are held back.
const later = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n"

func newFoul(r *rand.Rand, answers []string) (*foul, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &foul{listener: l, answers: answers, rand: r}
	f.running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f.running.Go(func() { f.serve(conn.(*net.TCPConn)) })
		}
	})
	return f, nil
}

func (f *foul) chance(n int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rand.IntN(n)
}

func (f *foul) serve(conn *net.TCPConn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		fate := f.chance(40)
		if fate > 1 { // the others do not read what they are sent
			_, _ = io.Copy(io.Discard, req.Body)
		}
		switch fate {
		case 0: // silence, for longer than a call takes
			time.Sleep(2 * foulTimeout)
			return
		case 2: // silence, until the client leaves
			_, _ = io.Copy(io.Discard, in)
			return
		case 3:
			_ = conn.SetLinger(0) // a reset
			return
		}
		text := f.answers[f.chance(len(f.answers))]
		if !write(conn, text) || text != done && text != pageOne || fate == 1 {
			return
		}
	}
}

func (f *foul) end() {
	_ = f.listener.Close() // it was open
	f.running.Wait()
}

// leaks makes many calls that fail in all ways, and looks what is left of them.
func leaks(t *trial) {
	servers := make([]*foul, foulServers)
	for i := range servers {
		answers := fouls
		if i == 0 {
			answers = append([]string{later}, fouls...)
		}
		f, err := newFoul(t.rand(i), answers)
		t.must(err)
		servers[i] = f
	}
	w, err := newWorld(nil, nil, withoutCircuits)
	t.must(err)
	for i, f := range servers {
		t.must(connectFoul(t.Context(), w.acme, i, f.listener.Addr().String()))
	}
	s := &storm{trial: t, world: w, servers: servers}
	s.rage(t.size(1_000, 2_000, 20_000)) // fills pools and caches
	before := stockOf()
	s.rage(t.size(2_000, 15_000, 1_000_000))
	left := s.luggage.left()
	t.check(left == 0, "%d files are left open", left)
	behind := s.luggage.behind.Load()
	t.check(behind == 0, "%d ends of batches were told when the loop had been left", behind)
	after := stockOf()
	for deadline := time.Now().Add(recovery); !after.within(before) && time.Now().Before(deadline); after = stockOf() {
		time.Sleep(100 * time.Millisecond)
	}
	t.check(after.within(before), "before %+v, after %+v", before, after)
	t.figure("goroutines", before.goroutines, after.goroutines)
	t.figure("descriptors", before.descriptors, after.descriptors)
	t.figure("heap, KiB", before.heap/1024, after.heap/1024)
	t.must(w.end())
	for _, f := range servers {
		f.end()
	}
}

func (t *trial) figure(name string, before, after int) {
	t.add(name+" before", float64(before))
	t.add(name+" after", float64(after))
}

// stock is what calls could have left behind.
type stock struct{ goroutines, descriptors, heap int }

// stockOf counts what there is.
func stockOf() stock {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	open, _ := os.ReadDir("/proc/self/fd") // none, where there is no such folder
	return stock{runtime.NumGoroutine(), len(open), int(m.HeapAlloc)}
}

// within allows for what is kept on purpose: idle connections, with two goroutines and one
// descriptor at each end.
func (s stock) within(before stock) bool {
	return s.goroutines <= before.goroutines+before.goroutines/10+callers &&
		s.descriptors <= before.descriptors+before.descriptors/10+callers/2 &&
		s.heap <= before.heap+before.heap/10+2<<20
}
