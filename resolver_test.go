package hub_test

import (
	"context"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/integrationhub/hub"
)

// resolving gives a hub a name server of its own on loopback: it knows the names of a table
// and no others. A name without an address is never answered.
func resolving(t testing.TB, table map[string]string) func(*hub.Options) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		serveNames(conn, table)
	}()
	over, end := context.WithCancel(context.Background())
	t.Cleanup(func() {
		end()
		require.NoError(t, conn.Close())
		<-stopped
	})
	return func(o *hub.Options) {
		o.Egress.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			asking, err := new(net.Dialer).DialContext(over, "udp", conn.LocalAddr().String())
			if err == nil { // package net waits on for an answer after its caller has gone
				context.AfterFunc(over, func() { _ = asking.Close() })
			}
			return asking, err
		}}
	}
}

func serveNames(conn net.PacketConn, table map[string]string) {
	buf := make([]byte, 1500)
	for {
		n, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if reply := answerName(buf[:n], table); reply != nil {
			_, _ = conn.WriteTo(reply, from)
		}
	}
}

// answerName answers one question; nil is silence.
func answerName(query []byte, table map[string]string) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	name := q.Name.String()
	address, known := table[name[:len(name)-1]]
	if known && address == "" {
		return nil
	}
	m.Header = dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}
	m.Additionals = nil
	if !known {
		m.RCode = dnsmessage.RCodeNameError
	} else if q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
			Body:   &dnsmessage.AResource{A: netip.MustParseAddr(address).As4()},
		}}
	}
	reply, err := m.Pack()
	if err != nil {
		return nil
	}
	return reply
}
