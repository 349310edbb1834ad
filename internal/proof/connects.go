package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync/atomic"

	"github.com/integrationhub/hub/internal/egress"
)

// connects asks for addresses that are refused by default. Those of the loopback lead to a
// listener that counts who comes; of the others the decision alone is asked for, so that
// nothing leaves the machine whatever is broken.
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
	port := l.Addr().(*net.TCPAddr).Port
	out := egress.New(egress.Config{Policy: egress.Policy{AllowAnyPort: true}})
	client := egress.NewClient(out.Transport(nil))
	for i := range t.size(5000, 100_000) {
		a := t.loopback()
		host := net.JoinHostPort([]string{a.String(), "::ffff:" + a.String()}[i%2], strconv.Itoa(port))
		t.tried++
		if err := visit(ctx, client, "https://"+host+"/"); err == nil {
			t.failed++
		}
		t.decide(netip.AddrFrom4([4]byte{10, a.As4()[1], a.As4()[2], a.As4()[3]}))
		t.decide(netip.AddrFrom4([4]byte{192, 168, a.As4()[2], a.As4()[3]}))
		t.decide(netip.AddrFrom4([4]byte{169, 254, a.As4()[2], a.As4()[3]}))
		t.decide(embed("64:ff9b::", a))
		t.decide(embed("::", a))
	}
	out.Close()
	err = l.Close()
	<-done
	t.failed += int(came.Load())
	return errors.Join(err, ctx.Err())
}

func (t *trial) loopback() netip.Addr {
	n := t.rnd.Uint32()
	return netip.AddrFrom4([4]byte{127, byte(n >> 16), byte(n >> 8), byte(n)})
}

// decide asks the policy about an address.
func (t *trial) decide(a netip.Addr) {
	t.tried++
	if (egress.Policy{AllowAnyPort: true}).CheckAddr(a) == nil {
		t.failed++
	}
}

// embed puts an IPv4 address at the end of a prefix of IPv6.
func embed(prefix string, v4 netip.Addr) netip.Addr {
	b := netip.MustParseAddr(prefix).As16()
	last := v4.As4()
	copy(b[12:], last[:])
	return netip.AddrFrom16(b)
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
