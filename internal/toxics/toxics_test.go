package toxics_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/toxics"
)

// pair is a connection through a proxy, seen from both ends.
type pair struct {
	proxy          *toxics.Proxy
	client, server *net.TCPConn
	next           func() *net.TCPConn // the server's end of the next connection
}

// connect makes a proxy before a listener, and a connection through it.
func connect(t *testing.T, seed uint64) *pair {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	p, err := toxics.New(l.Addr().String(), seed)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	c := &pair{proxy: p, next: func() *net.TCPConn {
		t.Helper()
		conn, err := l.Accept()
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		return conn.(*net.TCPConn)
	}}
	c.client, c.server = dial(t, p), c.next()
	return c
}

func dial(t *testing.T, p *toxics.Proxy) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn)
}

// ends returns who sends and who receives in a direction.
func (c *pair) ends(d toxics.Direction) (from, to *net.TCPConn) {
	if d == toxics.Up {
		return c.client, c.server
	}
	return c.server, c.client
}

// each runs a test for both directions, with the toxic in effect.
func each(t *testing.T, toxic toxics.Toxic, test func(t *testing.T, c *pair, d toxics.Direction, from, to *net.TCPConn)) {
	for _, d := range toxics.Directions {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			c := connect(t, 1)
			c.proxy.Set(d, toxic)
			from, to := c.ends(d)
			test(t, c, d, from, to)
		})
	}
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	_, err := io.WriteString(c, text)
	require.NoError(t, err)
}

func receive(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	_, err := io.ReadFull(c, got)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}

// silence is that nothing comes for a while.
func silence(t *testing.T, c net.Conn) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	n, err := c.Read(make([]byte, 1))
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout(), "%v", err)
	require.Zero(t, n)
	require.NoError(t, c.SetReadDeadline(time.Time{}))
}

// exchange shows that both directions work.
func exchange(t *testing.T, client, server net.Conn) {
	t.Helper()
	send(t, client, "ping")
	receive(t, server, "ping")
	send(t, server, "pong")
	receive(t, client, "pong")
}

func TestWithoutAToxicAllPasses(t *testing.T) {
	c := connect(t, 1)
	exchange(t, c.client, c.server)
	var writers sync.WaitGroup
	large := bytes.Repeat([]byte("0123456789"), 100_000)
	writers.Go(func() { _, _ = c.client.Write(large); _ = c.client.CloseWrite() })
	got, err := io.ReadAll(c.server)
	writers.Wait()
	require.NoError(t, err)
	assert.True(t, bytes.Equal(large, got))
	send(t, c.server, "half closed")
	receive(t, c.client, "half closed")
	require.NoError(t, c.server.Close())
	_, err = c.client.Read(make([]byte, 1))
	assert.ErrorIs(t, err, io.EOF)
}

func TestAResetIsPassedOn(t *testing.T) {
	c := connect(t, 1)
	exchange(t, c.client, c.server)
	require.NoError(t, c.client.SetLinger(0))
	require.NoError(t, c.client.Close())
	_, err := c.server.Read(make([]byte, 1))
	assert.ErrorIs(t, err, syscall.ECONNRESET)
}

func TestLatencyDelays(t *testing.T) {
	each(t, toxics.Latency{Delay: 60 * time.Millisecond, Jitter: 20 * time.Millisecond},
		func(t *testing.T, c *pair, _ toxics.Direction, from, to *net.TCPConn) {
			for range 3 {
				begun := time.Now()
				send(t, from, "late")
				receive(t, to, "late")
				assert.GreaterOrEqual(t, time.Since(begun), 40*time.Millisecond)
			}
			send(t, to, "not this way")
			receive(t, from, "not this way")
		})
}

func TestBandwidthBoundsBytesPerSecond(t *testing.T) {
	each(t, toxics.Bandwidth{BytesPerSecond: 20_000}, func(t *testing.T, _ *pair, _ toxics.Direction, from, to *net.TCPConn) {
		begun, text := time.Now(), string(bytes.Repeat([]byte("x"), 2000))
		send(t, from, text)
		receive(t, to, text)
		assert.GreaterOrEqual(t, time.Since(begun), 100*time.Millisecond)
	})
}

func TestSlowCloseTellsLate(t *testing.T) {
	each(t, toxics.SlowClose{Delay: 80 * time.Millisecond}, func(t *testing.T, _ *pair, _ toxics.Direction, from, to *net.TCPConn) {
		begun := time.Now()
		send(t, from, "last words")
		require.NoError(t, from.CloseWrite())
		receive(t, to, "last words")
		_, err := to.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		assert.GreaterOrEqual(t, time.Since(begun), 80*time.Millisecond)
	})
}

func TestTimeoutIsABlackHoleUntilItHeals(t *testing.T) {
	each(t, toxics.Timeout{}, func(t *testing.T, c *pair, _ toxics.Direction, from, to *net.TCPConn) {
		send(t, from, "held back")
		silence(t, to)
		send(t, to, "the other way")
		receive(t, from, "the other way")
		require.NoError(t, c.proxy.Heal())
		receive(t, to, "held back")
		exchange(t, from, to)
	})
}

func TestTimeoutHidesThatASenderHasEnded(t *testing.T) {
	each(t, toxics.Timeout{}, func(t *testing.T, c *pair, _ toxics.Direction, from, to *net.TCPConn) {
		require.NoError(t, from.CloseWrite())
		silence(t, to)
		require.NoError(t, c.proxy.Heal())
		_, err := to.Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.EOF)
	})
}

func TestTimeoutClosesInTheEnd(t *testing.T) {
	each(t, toxics.Timeout{After: 50 * time.Millisecond}, func(t *testing.T, _ *pair, _ toxics.Direction, from, to *net.TCPConn) {
		begun := time.Now()
		send(t, from, "never arrives")
		got, err := io.ReadAll(to)
		require.NoError(t, err)
		assert.Empty(t, got)
		assert.GreaterOrEqual(t, time.Since(begun), 50*time.Millisecond)
	})
}

func TestResetPeerResetsBothEnds(t *testing.T) {
	each(t, toxics.ResetPeer{After: 20 * time.Millisecond}, func(t *testing.T, _ *pair, _ toxics.Direction, from, to *net.TCPConn) {
		send(t, from, "never arrives")
		for _, end := range []*net.TCPConn{from, to} {
			n, err := end.Read(make([]byte, 1))
			assert.Zero(t, n)
			assert.ErrorIs(t, err, syscall.ECONNRESET)
		}
	})
}

// recorder notes how many bytes a toxic sends at a time.
type recorder struct {
	toxics.Toxic
	sizes chan int
}

func (r recorder) Carry(f *toxics.Flow, data []byte) ([]byte, error) {
	rest, err := r.Toxic.Carry(f, data)
	r.sizes <- len(data) - len(rest)
	return rest, err
}

func TestSlicerSlicesByItsSeed(t *testing.T) {
	slices := func(t *testing.T, d toxics.Direction, seed uint64) (sizes []int) {
		c := connect(t, seed)
		r := recorder{toxics.Slicer{Size: 10, Variation: 5, Delay: time.Millisecond}, make(chan int, 1000)}
		c.proxy.Set(d, r)
		from, to := c.ends(d)
		text := string(bytes.Repeat([]byte("0123456789"), 30))
		send(t, from, text)
		receive(t, to, text)
		for sum := 0; sum < len(text); {
			size := <-r.sizes
			sizes, sum = append(sizes, size), sum+size
		}
		return sizes
	}
	for _, d := range toxics.Directions {
		t.Run(d.String(), func(t *testing.T) {
			first := slices(t, d, 1)
			for _, size := range first[:len(first)-1] {
				assert.True(t, 5 <= size && size <= 15, "%d", size)
			}
			assert.Equal(t, first, slices(t, d, 1))
			assert.NotEqual(t, first, slices(t, d, 2))
		})
	}
}

func TestLimitDataCutsAfterSoManyBytes(t *testing.T) {
	for _, limit := range []int{0, 1, 9, 10} {
		each(t, toxics.LimitData{Bytes: limit}, func(t *testing.T, _ *pair, _ toxics.Direction, from, to *net.TCPConn) {
			send(t, from, "0123456789")
			got, err := io.ReadAll(to)
			require.NoError(t, err)
			assert.Equal(t, "0123456789"[:limit], string(got))
			_, err = from.Read(make([]byte, 1))
			assert.True(t, errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET), "%v", err)
		})
	}
}

func TestDownRefusesAndHealsOnItsPort(t *testing.T) {
	c := connect(t, 1)
	exchange(t, c.client, c.server)
	c.proxy.Down()
	_, err := c.client.Read(make([]byte, 1))
	require.Error(t, err)
	_, err = net.Dial("tcp", c.proxy.Addr())
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.NoError(t, c.proxy.Heal())
	client := dial(t, c.proxy)
	exchange(t, client, c.next())
}

func TestToxicsEndAtOnceWhenTheyAreReplaced(t *testing.T) {
	for name, toxic := range map[string]toxics.Toxic{
		"latency": toxics.Latency{Delay: time.Hour}, "bandwidth": toxics.Bandwidth{BytesPerSecond: 1},
		"timeout": toxics.Timeout{After: time.Hour}, "reset peer": toxics.ResetPeer{After: time.Hour},
		"slicer": toxics.Slicer{Size: 1, Delay: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, toxic, func(t *testing.T, c *pair, d toxics.Direction, from, to *net.TCPConn) {
				send(t, from, "0123456789")
				c.proxy.Set(d, nil)
				receive(t, to, "0123456789")
			})
		})
	}
}

func TestStrandedConnectionsLeadNowhereAndNewOnesDo(t *testing.T) {
	c := connect(t, 1)
	exchange(t, c.client, c.server)
	c.proxy.Strand()
	send(t, c.client, "lost")
	silence(t, c.server)
	send(t, c.server, "lost")
	silence(t, c.client)
	require.NoError(t, c.server.Close())
	silence(t, c.client)
	client := dial(t, c.proxy)
	exchange(t, client, c.next())
}

func TestCloseLeavesNothingOpen(t *testing.T) {
	c := connect(t, 1)
	for _, d := range toxics.Directions {
		c.proxy.Set(d, toxics.Timeout{})
	}
	send(t, c.client, "held back")
	c.proxy.Close()
	assert.Zero(t, c.proxy.Open())
	_, err := c.server.Read(make([]byte, 1))
	require.Error(t, err)
	require.NoError(t, c.proxy.Heal(), "what is closed stays closed")
	_, err = net.Dial("tcp", c.proxy.Addr())
	assert.Error(t, err)
}
