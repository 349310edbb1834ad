package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/integrationhub/hub/internal/egress"
	"github.com/integrationhub/hub/internal/egress/egresstest"
)

// dials asks an Egress for forbidden addresses, and counts what sockets are about to connect
// to. Only loopback is really connected to, where a listener counts who comes: nothing leaves
// the machine, whatever is broken.
type dials struct {
	*trial
	client    *http.Client
	connected atomic.Int64
	port      uint16
}

// connects asks for every hostile address, as a literal, by a name that leads to it alone, and
// by one that leads to a public address too; then for many more at random.
func connects(ctx context.Context, t *trial) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "0.0.0.0:0")
	if err != nil {
		return err
	}
	var came atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			came.Add(1)
			_ = c.Close()
		}
	}()
	port := l.Addr().(*net.TCPAddr).AddrPort().Port()
	err = t.dial(ctx, port)
	err = errors.Join(err, l.Close(), ctx.Err())
	<-done
	t.failed += int(came.Load())
	return err
}

// dial tries the matrix with nothing opened and with all that can be, and then at random.
func (t *trial) dial(ctx context.Context, port uint16) error {
	hostile := egresstest.Hostile()
	for _, policy := range []egress.Policy{
		{AllowAnyPort: true}, {AllowAnyPort: true, AllowHTTP: true, AllowLoopback: true, AllowPrivate: true},
	} {
		if err := t.matrix(ctx, policy, port, hostile); err != nil {
			return err
		}
	}
	matrix := t.tried
	t.random(ctx, port)
	t.note = fmt.Sprintf("%d addresses in %d ways, %d at random", len(hostile), matrix, t.tried-matrix)
	return nil
}

// open returns a way out whose names lead where the table says.
func (t *trial) open(policy egress.Policy, port uint16, table egresstest.Names) (*dials, *egress.Egress) {
	d := &dials{trial: t, port: port}
	out := egress.New(egress.Config{Policy: policy, Resolver: table.Resolver()})
	out.OnConnect(func(address string) error {
		d.connected.Add(1)
		if !netip.MustParseAddrPort(address).Addr().IsLoopback() {
			return errors.New("the proof stays on loopback")
		}
		return nil
	})
	d.client = egress.NewClient(out.Transport(nil))
	return d, out
}

func (t *trial) matrix(ctx context.Context, policy egress.Policy, port uint16, hostile map[string]netip.Addr) error {
	public := []netip.Addr{netip.MustParseAddr("8.8.8.8"), netip.MustParseAddr("2606:4700:4700::1111")}
	table := egresstest.Names{"public.test": public}
	d, out := t.open(policy, port, table)
	defer out.Close()
	if err := visit(ctx, d.client, "https://public.test/"); err == nil || d.connected.Load() == 0 {
		return fmt.Errorf("the way out is shut for public addresses too: %w", err)
	}
	for i, name := range slices.Sorted(maps.Keys(hostile)) {
		a := hostile[name]
		opened := policy.AllowPrivate && (egress.Classify(a) == egress.Private || egress.Classify(a) == egress.Loopback)
		if a.Zone() != "" || opened { // a zone has no place in a URL or in DNS
			continue
		}
		mixed := append([]netip.Addr{a}, public...)
		if i%2 == 0 {
			slices.Reverse(mixed)
		}
		one, several := fmt.Sprintf("one.n%d.test", i), fmt.Sprintf("mixed.n%d.test", i)
		table[one], table[several] = []netip.Addr{a}, mixed
		for _, host := range []string{bracketed(a), one, several} {
			d.refuses(ctx, host)
		}
	}
	return nil
}

func bracketed(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// refuses counts it as a failure unless the host is refused for its address, with no socket
// that was about to connect.
func (d *dials) refuses(ctx context.Context, host string) {
	d.tried++
	before := d.connected.Load()
	u, err := egress.ParseURL(fmt.Sprintf("https://%s:%d/", host, d.port)) // as the hub does
	if err == nil {
		err = visit(ctx, d.client, u.String())
	}
	var refusal *egress.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != egress.RefusedAddress || d.connected.Load() != before {
		d.failed++
	}
}

// forbidden are networks of IPv4 whose every address is forbidden by default.
var forbidden = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("172.16.0.0/12"),
	netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("224.0.0.0/3"),
}

// random dials addresses of the forbidden networks, and asks for the decision about each in
// every embedding.
func (t *trial) random(ctx context.Context, port uint16) {
	d, out := t.open(egress.Policy{AllowAnyPort: true}, port, nil)
	defer out.Close()
	embeddings := slices.Sorted(maps.Keys(egresstest.Embeddings))
	for i := range t.size(5000, 100_000) {
		a := t.within(forbidden[i%len(forbidden)])
		d.refuses(ctx, []string{a.String(), "[::ffff:" + a.String() + "]"}[t.rnd.IntN(2)])
		for _, name := range embeddings {
			t.tried++
			if (egress.Policy{AllowAnyPort: true}).CheckAddr(egresstest.Embed(egresstest.Embeddings[name], a)) == nil {
				t.failed++
			}
		}
	}
}

// within returns an address of a network.
func (t *trial) within(network netip.Prefix) netip.Addr {
	b, n := network.Addr().As4(), t.rnd.Uint32()>>network.Bits()
	for i := range b {
		b[i] |= byte(n >> (24 - 8*i))
	}
	return netip.AddrFrom4(b)
}

// visit is an error unless somebody answered.
func visit(ctx context.Context, client *http.Client, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
