package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// script says how a mortal lives and dies.
type script struct {
	before  []string // answers to the first requests
	request int      // dies after so many bytes of each further request; negative: of none
	answer  int      // dies after so many bytes of the answers to them; negative: of none
	reset   bool     // dies with a reset
}

const (
	done    = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"done\":true}"
	refusal = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
)

// mortal is a raw server that dies at a byte.
type mortal struct {
	script
	listener net.Listener
	running  sync.WaitGroup
	answered atomic.Int64 // requests so far

	effects atomic.Int64 // further requests whose header was whole
	seen    atomic.Int64 // their bytes
}

// newMortal starts a server that follows a script.
func newMortal(s script) (*mortal, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &mortal{listener: l, script: s}
	m.running.Go(m.accept)
	return m, nil
}

func (m *mortal) address() string { return m.listener.Addr().String() }

// end returns when the server has read all that it is going to; its clients must have left.
func (m *mortal) end() {
	_ = m.listener.Close() // it was open
	m.running.Wait()
}

func (m *mortal) accept() {
	for {
		c, err := m.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			m.running.Go(func() { m.serve(c.(*net.TCPConn)) })
		}
	}
}

// serve answers what comes over a connection, until the server dies or the client leaves.
func (m *mortal) serve(conn *net.TCPConn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		if m.request == 0 && m.answered.Load() >= int64(len(m.before)) {
			m.die(conn)
			return
		}
		if _, err := in.Peek(1); err != nil {
			return
		}
		n := int(m.answered.Add(1)) - 1
		if n >= len(m.before) {
			m.last(conn, in)
			return
		}
		if _, err := read(in); err != nil || !write(conn, m.before[n]) {
			return
		}
	}
}

// last takes a request that the server dies of, or answers it.
func (m *mortal) last(conn *net.TCPConn, in *bufio.Reader) {
	var got bytes.Buffer
	var from io.Reader = in
	if m.request >= 0 {
		from = io.LimitReader(in, int64(m.request))
	}
	whole, err := read(io.TeeReader(from, &got))
	m.seen.Add(int64(got.Len()))
	if whole {
		m.effects.Add(1)
	}
	answer := done
	if m.answer >= 0 {
		answer = done[:m.answer]
	}
	if err == nil && m.request < 0 {
		write(conn, answer)
	}
	m.die(conn)
}

// read reads a request, and not more than belongs to it. It tells whether the header was whole.
func read(r io.Reader) (header bool, err error) {
	req, err := http.ReadRequest(bufio.NewReaderSize(oneByOne{r}, 16))
	if err != nil {
		return false, err
	}
	_, err = io.Copy(io.Discard, req.Body)
	return true, err
}

// oneByOne reads one byte at a time.
type oneByOne struct{ io.Reader }

func (o oneByOne) Read(p []byte) (int, error) { return o.Reader.Read(p[:min(1, len(p))]) }

func write(w io.Writer, text string) bool {
	_, err := io.WriteString(w, text)
	return err == nil
}

func (m *mortal) die(conn *net.TCPConn) {
	if m.reset {
		_ = conn.SetLinger(0) // the client may have been quicker
	}
	_ = conn.Close()
}
