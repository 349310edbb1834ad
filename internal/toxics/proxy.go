// Package toxics is a TCP proxy for tests that does to connections what bad networks and dying
// peers do. It has the eight toxics of Shopify's toxiproxy: latency, bandwidth, slow close,
// timeout, reset peer, slicer, limit data, and down.
//
// A toxic works in one direction. It takes effect at once, also on connections that are open,
// and ends at once when it is replaced: bytes that it held back go on. Down works on the
// proxy as a whole.
package toxics

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Direction is the way of bytes through a proxy.
type Direction int

// The directions.
const (
	Up   Direction = iota // from the client to the server
	Down                  // from the server to the client
)

// Directions lists them.
var Directions = []Direction{Up, Down}

// String returns "up" or "down".
func (d Direction) String() string { return [...]string{"up", "down"}[d] }

// Proxy forwards connections to one server. It is safe for concurrent use.
type Proxy struct {
	address, server string
	seed            uint64

	running sync.WaitGroup // accept loops and connections

	mu       sync.Mutex // guards what follows
	closed   bool
	listener net.Listener // nil: down
	release  func()       // gives up the port of one that is down; nil: it is not held
	current  [2]*dose     // :: direction → what works there; never nil
	links    map[*link]struct{}
	made     uint64 // connections so far
}

// dose is a toxic in effect.
type dose struct {
	toxic Toxic
	over  chan struct{} // closed when another one takes its place
}

// New returns a proxy on a free port of the loopback interface, for the server at an address
// "host:port". What toxics leave to chance follows from the seed and the order of
// connections. The caller closes it.
func New(server string, seed uint64) (*Proxy, error) {
	p := &Proxy{server: server, seed: seed, links: map[*link]struct{}{}}
	for _, d := range Directions {
		p.current[d] = &dose{over: make(chan struct{})}
	}
	if err := p.listen("127.0.0.1:0"); err != nil {
		return nil, err
	}
	p.address = p.listener.Addr().String()
	return p, nil
}

// Addr is where clients find the server. It does not change.
func (p *Proxy) Addr() string { return p.address }

// Set puts a toxic in effect in one direction, in place of the one before; nil ends it.
func (p *Proxy) Set(d Direction, t Toxic) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.current[d]
	p.current[d] = &dose{toxic: t, over: make(chan struct{})}
	close(before.over)
}

// Down closes all connections and the port: whoever connects is refused.
func (p *Proxy) Down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener == nil {
		return
	}
	address := p.listener.Addr().(*net.TCPAddr)
	p.shut()
	p.release = hold(address)
}

// Heal ends the toxics, and being down. It fails if somebody took the port meanwhile.
func (p *Proxy) Heal() error {
	for _, d := range Directions {
		p.Set(d, nil)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.listener != nil {
		return nil
	}
	p.letGo()
	return p.listen(p.address)
}

// letGo gives up a port that is held; p.mu is held.
func (p *Proxy) letGo() {
	if p.release != nil {
		p.release()
		p.release = nil
	}
}

// Strand makes the connections that are open now a black hole for good, as when a firewall
// has forgotten them. It does nothing to those that come.
func (p *Proxy) Strand() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.strand()
	}
}

// Open is how many connections there are.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

// Close ends the proxy and all its connections, and returns when nothing of it is left.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.shut()
	p.letGo()
	p.mu.Unlock()
	p.running.Wait()
}

// shut closes what is open; p.mu is held.
func (p *Proxy) shut() {
	if p.listener != nil {
		_ = p.listener.Close() // the port is free afterwards either way
		p.listener = nil
	}
	for l := range p.links {
		l.cut()
	}
}

// portPatience is how long Heal tries to have its port back.
const portPatience = 2 * time.Second

// listen begins to accept; p.mu is held, or p is not shared yet.
func (p *Proxy) listen(address string) error {
	deadline := time.Now().Add(portPatience)
	l, err := net.Listen("tcp", address)
	for ; err != nil && time.Now().Before(deadline); l, err = net.Listen("tcp", address) {
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("toxics: %w", err)
	}
	p.listener = l
	p.running.Go(func() { p.accept(l) })
	return nil
}

func (p *Proxy) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			p.running.Go(func() { p.serve(conn.(*net.TCPConn)) })
		}
	}
}

// serve connects a client through. One that has no server behind it is reset.
func (p *Proxy) serve(client *net.TCPConn) {
	conn, err := net.Dial("tcp", p.server)
	if err != nil {
		reset(client)
		return
	}
	l := p.enter(client, conn.(*net.TCPConn))
	if l == nil {
		reset(client)
		reset(conn.(*net.TCPConn))
		return
	}
	l.run()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// enter puts a connection on the list, unless the proxy is down.
func (p *Proxy) enter(client, server *net.TCPConn) *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener == nil {
		return nil
	}
	p.made++
	l := &link{client: client, server: server, ended: make(chan struct{}), stranded: make(chan struct{})}
	for _, d := range Directions {
		l.flows[d] = &Flow{proxy: p, link: l, direction: d, rand: rand.New(rand.NewPCG(p.seed, 2*p.made+uint64(d)))}
	}
	p.links[l] = struct{}{}
	return l
}

func (p *Proxy) dose(d Direction) *dose {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current[d]
}

// reset closes a connection so that its other end reads "connection reset".
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0) // of a connection that is gone already nothing is left to reset
	_ = c.Close()
}
