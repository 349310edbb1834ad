// Package upstream is the third party of the comparison. It says next to nothing of HTTP/1.1
// and so takes little of the machine that it shares with the clients, but it checks every
// request: its path, query, headers and body must be what the payload leads to.
package upstream

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/integrationhub/hub/bench/internal/job"
)

// Server answers on two ports of the loopback interface.
type Server struct {
	delay     time.Duration
	listeners []net.Listener
	ca        string
	replies   [job.Variants][]byte
	token     []byte
	running   sync.WaitGroup

	good, tokens atomic.Int64

	mu    sync.Mutex
	conns map[net.Conn]bool
	bad   int64
	first string // what was wrong with the first bad request
}

// Addresses are where a server listens: plain, and with TLS and a delay.
type Addresses struct {
	Plain, TLS string
	CA         string // the certificate that TLS is trusted by
}

// Counts are the requests so far.
type Counts struct {
	Good, Tokens, Bad int64
	First             string // what was wrong with the first bad request
}

// Start starts a server. With TLS it answers after a delay.
func Start(delay time.Duration) (*Server, error) {
	s := &Server{delay: delay, conns: map[net.Conn]bool{}, token: answer([]byte(job.TokenReply))}
	for n := range s.replies {
		s.replies[n] = answer(job.Reply(n))
	}
	certificate, ca, err := certify()
	if err != nil {
		return nil, err
	}
	s.ca = ca
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.listeners = append(s.listeners, l)
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}}
	s.running.Go(func() { s.accept(s.listeners[0], 0) })
	s.running.Go(func() { s.accept(tls.NewListener(s.listeners[1], config), delay) })
	return s, nil
}

func answer(body []byte) []byte {
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\nDate: Sun, 01 Mar 2026 09:30:00 GMT\r\nContent-Type: application/json\r\n"+
		"X-Request-Id: 0123456789abcdef\r\nContent-Length: %d\r\n\r\n", len(body))
	return append([]byte(head), body...)
}

// Addresses returns where the server listens.
func (s *Server) Addresses() Addresses {
	return Addresses{
		Plain: "http://" + s.listeners[0].Addr().String(),
		TLS:   "https://" + s.listeners[1].Addr().String(),
		CA:    s.ca,
	}
}

// Counts returns how many requests came.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Counts{Good: s.good.Load(), Tokens: s.tokens.Load(), Bad: s.bad, First: s.first}
}

// Close closes every connection, and returns when nothing of the server runs any more. It may
// be called again.
func (s *Server) Close() error {
	var failures []error
	for _, l := range s.listeners {
		failures = append(failures, l.Close())
	}
	s.listeners = nil
	s.mu.Lock()
	for c := range s.conns {
		failures = append(failures, c.Close())
	}
	s.conns = nil
	s.mu.Unlock()
	s.running.Wait()
	return errors.Join(failures...)
}

func (s *Server) accept(l net.Listener, delay time.Duration) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		if !s.keep(c) {
			_ = c.Close()
			return
		}
		s.running.Go(func() {
			newConn(s, c, delay).serve()
			s.forget(c)
		})
	}
}

func (s *Server) keep(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		return false
	}
	s.conns[c] = true
	return true
}

// forget closes a connection, unless Close did.
func (s *Server) forget(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns[c] {
		delete(s.conns, c)
		_ = c.Close()
	}
}

// wrong counts a bad request.
func (s *Server) wrong(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bad++; s.bad == 1 {
		s.first = why
	}
}
