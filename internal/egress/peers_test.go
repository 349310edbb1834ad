package egress_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/integrationhub/hub/internal/egress"
)

// authority issues certificates for tests.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority " + t.Name()},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{t: t, cert: cert, key: key}
}

// issue returns a certificate for names and addresses that is valid for a time from now.
func (a *authority) issue(valid time.Duration, names ...string) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: names[0]},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(valid),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	require.NoError(a.t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// upstream starts a TLS server for handler on loopback.
func upstream(t *testing.T, config *tls.Config, h2 bool, handler http.HandlerFunc) (*httptest.Server, uint16) {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = h2
	s.TLS = config
	s.StartTLS()
	t.Cleanup(s.Close)
	return s, portOf(s.Listener)
}

func portOf(l net.Listener) uint16 {
	return netip.MustParseAddrPort(l.Addr().String()).Port()
}

// names is a DNS server on loopback, over UDP and TCP.
type names struct {
	t      *testing.T
	answer func(name string, v6 bool) []netip.Addr // nil: no such name

	mu    sync.Mutex
	asked []string
	addr  string
}

func serveNames(t *testing.T, answer func(name string, v6 bool) []netip.Addr) *names {
	t.Helper()
	n := &names{t: t, answer: answer}
	packets, streams := listenBoth(t)
	n.addr = packets.LocalAddr().String()
	var wg sync.WaitGroup
	wg.Go(func() { n.servePackets(packets) })
	wg.Go(func() { n.serveStreams(streams) })
	t.Cleanup(func() {
		_ = packets.Close()
		_ = streams.Close()
		wg.Wait()
	})
	return n
}

// listenBoth opens one port for UDP and TCP. The first that is free for one may be taken
// for the other.
func listenBoth(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	for range 100 {
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		streams, err := net.Listen("tcp", packets.LocalAddr().String())
		if err == nil {
			return packets, streams
		}
		require.NoError(t, packets.Close())
	}
	require.Fail(t, "no port is free for both")
	return nil, nil
}

// hosts answers from a table: a name's IPv4 addresses as A, its IPv6 ones as AAAA.
func hosts(table map[string][]string) func(string, bool) []netip.Addr {
	return func(name string, v6 bool) []netip.Addr {
		list, ok := table[name]
		if !ok {
			return nil
		}
		addrs := []netip.Addr{}
		for _, s := range list {
			if a := netip.MustParseAddr(s); a.Is6() == v6 {
				addrs = append(addrs, a)
			}
		}
		return addrs
	}
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, n.addr)
	}}
}

// questions returns the names asked for so far.
func (n *names) questions() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.asked...)
}

func (n *names) servePackets(c net.PacketConn) {
	buf := make([]byte, 4096)
	for {
		size, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		if reply := n.reply(buf[:size], 512); reply != nil {
			_, _ = c.WriteTo(reply, from)
		}
	}
}

func (n *names) serveStreams(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err == nil {
			query := make([]byte, binary.BigEndian.Uint16(size[:]))
			if _, err := io.ReadFull(c, query); err == nil {
				reply := n.reply(query, 65535)
				_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
			}
		}
		_ = c.Close()
	}
}

// reply answers one question; what does not fit is marked as truncated.
func (n *names) reply(query []byte, room int) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	name := strings.TrimSuffix(q.Name.String(), ".")
	n.mu.Lock()
	n.asked = append(n.asked, name)
	n.mu.Unlock()
	addrs := n.answer(name, q.Type == dnsmessage.TypeAAAA)
	m.Header = dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}
	m.Additionals = nil
	if addrs == nil {
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, a := range addrs {
		r := dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}}
		if q.Type == dnsmessage.TypeAAAA {
			r.Body = &dnsmessage.AAAAResource{AAAA: a.As16()}
		} else {
			r.Body = &dnsmessage.AResource{A: a.As4()}
		}
		m.Answers = append(m.Answers, r)
	}
	packed, err := m.Pack()
	if err != nil {
		n.t.Error(err)
		return nil
	}
	if len(packed) > room {
		m.Answers, m.Truncated = nil, true
		packed, _ = m.Pack()
	}
	return packed
}

// connects counts what an Egress connects to, and lets it connect to loopback only.
type connects struct {
	mu   sync.Mutex
	list []string
}

func watch(e *egress.Egress) *connects {
	c := &connects{}
	e.OnConnect(func(address string) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.list = append(c.list, address)
		if !netip.MustParseAddrPort(address).Addr().IsLoopback() {
			return errors.New("tests stay on loopback")
		}
		return nil
	})
	return c
}

func (c *connects) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{}, c.list...)
}

func open(t *testing.T, c egress.Config) *egress.Egress {
	t.Helper()
	e := egress.New(c)
	t.Cleanup(e.Close)
	return e
}

// get fetches a URL in the form ParseURL gives it, and reads the answer to its end.
func get(t *testing.T, rt http.RoundTripper, format string, args ...any) (*http.Response, string, error) {
	t.Helper()
	u, err := egress.ParseURL(fmt.Sprintf(format, args...))
	require.NoError(t, err)
	return send(t, rt, &http.Request{Method: http.MethodGet, URL: u, Header: http.Header{}})
}

func send(t *testing.T, rt http.RoundTripper, req *http.Request) (*http.Response, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	res, err := rt.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, "", err
	}
	body, err := io.ReadAll(res.Body)
	require.NoError(t, res.Body.Close())
	return res, string(body), err
}

func mustParse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := egress.ParseURL(s)
	require.NoError(t, err)
	return u
}

func mustParseStd(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	require.NoError(t, err)
	return u
}
