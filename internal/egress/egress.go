package egress

import (
	"container/list"
	"crypto/x509"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Defaults of [Config].
const (
	DefaultDialTimeout    = 5 * time.Second
	DefaultTLSTimeout     = 5 * time.Second
	DefaultMaxHeaderBytes = 256 << 10
	DefaultMaxIdlePerHost = 100
	DefaultMaxIdentities  = 256
	DefaultIdleTimeout    = 90 * time.Second
	DefaultPingAfter      = 5 * time.Second
	DefaultPingTimeout    = 3 * time.Second
)

// Config is what one Egress does. Zero values mean the defaults named with each field.
type Config struct {
	Policy

	// RootCAs are the authorities trusted for every connector; nil means the system's. It
	// must not be changed later.
	RootCAs *x509.CertPool

	// Resolver answers for names; nil means net.DefaultResolver. Names with a dot are
	// asked for as they stand, without the search list of the system.
	Resolver *net.Resolver

	// DialTimeout bounds one dial: resolving the name and connecting to one of its
	// addresses. Default 5 s.
	DialTimeout time.Duration

	// TLSTimeout bounds one TLS handshake. Default 5 s.
	TLSTimeout time.Duration

	// MaxHeaderBytes bounds the headers of one answer, and those of the 1xx answers before
	// it. Whoever has the context of a request trace 1xx answers takes over counting them
	// (net/http/httptrace, Got1xxResponse). Default 256 KiB.
	MaxHeaderBytes int64

	// MaxIdlePerHost bounds the idle connections kept per identity and host; an identity
	// keeps ten times as many for all its hosts. Default 100.
	MaxIdlePerHost int

	// MaxIdentities bounds the identities whose connections are kept; beyond it, those
	// used longest ago are dropped. Default 256.
	MaxIdentities int

	// IdleTimeout is how long an idle connection is kept. Default 90 s.
	IdleTimeout time.Duration

	// PingAfter is how long nothing may come over a connection of HTTP/2, which many calls
	// share, before it is asked whether it still leads anywhere; one that does not say so
	// within PingTimeout is closed, so that calls do not go on finding it dead. Defaults 5 s
	// and 3 s.
	PingAfter, PingTimeout time.Duration
}

func (c Config) withDefaults() Config {
	c.DialTimeout = positive(c.DialTimeout, DefaultDialTimeout)
	c.TLSTimeout = positive(c.TLSTimeout, DefaultTLSTimeout)
	c.MaxHeaderBytes = positive(c.MaxHeaderBytes, DefaultMaxHeaderBytes)
	c.MaxIdlePerHost = positive(c.MaxIdlePerHost, DefaultMaxIdlePerHost)
	c.MaxIdentities = positive(c.MaxIdentities, DefaultMaxIdentities)
	c.IdleTimeout = positive(c.IdleTimeout, DefaultIdleTimeout)
	c.PingAfter = positive(c.PingAfter, DefaultPingAfter)
	c.PingTimeout = positive(c.PingTimeout, DefaultPingTimeout)
	c.AllowPorts = slices.Clone(c.AllowPorts)
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	return c
}

func positive[T int | int64 | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}

// Egress makes connections under one policy and pools them per identity. It is safe for
// concurrent use.
type Egress struct {
	config Config
	dialer *dialer
	conns  conns

	mu     sync.Mutex
	closed bool
	recent *list.List               // of *pool, the one used last in front
	pools  map[string]*list.Element // identity key → element of recent
}

// pool is the connections of one identity.
type pool struct {
	key       string
	transport *http.Transport
}

// New returns an Egress for config. The caller closes it.
func New(config Config) *Egress {
	config = config.withDefaults()
	e := &Egress{config: config, recent: list.New(), pools: map[string]*list.Element{}}
	e.dialer = newDialer(config, &e.conns)
	return e
}

// Transport returns the way out for an identity; nil is the shared one. It is a view: it
// costs nothing, may be kept, and has no method but RoundTrip, so that nobody can empty
// the pool for others. Its errors are those of package net/http, with [Refusal] and
// [DialError] inside, and [ErrClosed].
func (e *Egress) Transport(id *Identity) http.RoundTripper {
	return &roundTripper{egress: e, identity: id}
}

// NewClient returns a client over rt that follows no redirect, keeps no cookies and has no
// timeout of its own: the ctx of a request is its deadline.
func NewClient(rt http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     rt,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// CloseIdle lets go of an identity, as when a connector's definition changes: its next call
// makes a new connection in a new TLS session. Idle connections are closed at once, the
// others when their answer is read or, with HTTP/2, have been idle for IdleTimeout. Nil lets
// go of the shared identity's.
func (e *Egress) CloseIdle(id *Identity) {
	e.mu.Lock()
	dropped := e.drop(e.pools[id.Key()])
	e.mu.Unlock()
	if dropped != nil {
		dropped.CloseIdleConnections()
	}
}

// Close closes every connection, also those in use, and fails further round trips with
// ErrClosed. Whoever wants answers to arrive waits for them first. It may be called again.
func (e *Egress) Close() {
	e.mu.Lock()
	e.closed = true
	var dropped []*http.Transport
	for e.recent.Len() > 0 {
		dropped = append(dropped, e.drop(e.recent.Back()))
	}
	e.mu.Unlock()
	e.conns.closeAll()
	for _, t := range dropped {
		t.CloseIdleConnections()
	}
}

// transport returns the pool of an identity, and makes it if there is none.
func (e *Egress) transport(id *Identity) (*http.Transport, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	if el, ok := e.pools[id.Key()]; ok {
		e.recent.MoveToFront(el)
		return el.Value.(*pool).transport, nil
	}
	if e.recent.Len() >= e.config.MaxIdentities {
		e.drop(e.recent.Back()).CloseIdleConnections()
	}
	t := e.newTransport(id)
	e.pools[id.Key()] = e.recent.PushFront(&pool{key: id.Key(), transport: t})
	return t, nil
}

// drop takes a pool out and returns its transport. The caller holds e.mu.
func (e *Egress) drop(el *list.Element) *http.Transport {
	if el == nil {
		return nil
	}
	p := e.recent.Remove(el).(*pool)
	delete(e.pools, p.key)
	return p.transport
}

func (e *Egress) newTransport(id *Identity) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Transport{
		Proxy:                  nil, // none, whatever the environment says
		DialContext:            e.dialer.DialContext,
		TLSClientConfig:        id.tlsConfig(e.config.RootCAs),
		TLSHandshakeTimeout:    e.config.TLSTimeout,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    e.config.MaxIdlePerHost,
		MaxIdleConns:           10 * e.config.MaxIdlePerHost,
		IdleConnTimeout:        e.config.IdleTimeout,
		MaxResponseHeaderBytes: e.config.MaxHeaderBytes,
		Protocols:              protocols,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: e.config.PingAfter, PingTimeout: e.config.PingTimeout},
	}
}
