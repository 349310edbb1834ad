package toxics

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// link is one connection of a client, and the one made for it to the server.
type link struct {
	client, server *net.TCPConn
	flows          [2]*Flow

	once     sync.Once
	ended    chan struct{} // closed when both ends are
	hole     sync.Once
	stranded chan struct{} // closed when it leads nowhere any more
}

// run forwards in both directions until both have ended.
func (l *link) run() {
	var flows sync.WaitGroup
	for _, f := range l.flows {
		flows.Go(f.run)
	}
	flows.Wait()
	l.cut()
}

func (l *link) strand() { l.hole.Do(func() { close(l.stranded) }) }

// cut closes both ends.
func (l *link) cut() {
	l.once.Do(func() {
		close(l.ended)
		_ = l.client.Close() // closing is all there is to do
		_ = l.server.Close()
	})
}

// reset resets both ends.
func (l *link) reset() {
	l.once.Do(func() {
		close(l.ended)
		reset(l.client)
		reset(l.server)
	})
}

// chunk is the most bytes that a toxic sees at once.
const chunk = 16 << 10

// errOver says that a toxic is no longer in effect.
var errOver = errors.New("the toxic is over")

// Flow is one direction of one connection, as a toxic sees it.
type Flow struct {
	proxy     *Proxy
	link      *link
	direction Direction
	rand      *rand.Rand

	now    *dose     // in effect
	passed int       // bytes since it is
	first  time.Time // when the first byte came since it is; zero: none did
}

func (f *Flow) ends() (from, to *net.TCPConn) {
	if f.direction == Up {
		return f.link.client, f.link.server
	}
	return f.link.server, f.link.client
}

func (f *Flow) run() {
	from, _ := f.ends()
	buf := make([]byte, chunk)
	for {
		n, err := from.Read(buf)
		if n > 0 && f.carry(buf[:n]) != nil {
			f.link.cut()
			return
		}
		if err != nil {
			f.end(err)
			return
		}
	}
}

// carry gives bytes to the toxic in effect; what one leaves when it is replaced is the next one's.
func (f *Flow) carry(data []byte) (err error) {
	for len(data) > 0 {
		f.look()
		if f.first.IsZero() {
			f.first = time.Now()
		}
		if f.now.toxic == nil {
			data, err = f.Write(data)
		} else {
			data, err = f.now.toxic.Carry(f, data)
		}
		if err != nil && !errors.Is(err, errOver) {
			return err
		}
	}
	return nil
}

// look notes which toxic is in effect.
func (f *Flow) look() {
	if d := f.proxy.dose(f.direction); d != f.now {
		f.now, f.passed, f.first = d, 0, time.Time{}
	}
}

// end passes on how a sender ended: that it has no more to say, or that it is gone.
func (f *Flow) end(err error) {
	select {
	case <-f.link.stranded:
		f.vanish()
		return
	default:
	}
	if !errors.Is(err, io.EOF) {
		f.link.reset()
		return
	}
	for {
		f.look()
		closer, ok := f.now.toxic.(Closer)
		if !ok {
			break
		}
		if err := closer.Close(f); !errors.Is(err, errOver) {
			break
		}
	}
	_, to := f.ends()
	_ = to.CloseWrite() // a receiver that is gone needs not be told
}

// vanish is what becomes of all that is sent into a black hole. That a client gives up frees
// the connection; what a server does, nobody hears.
func (f *Flow) vanish() {
	if f.direction == Down {
		<-f.link.ended
		return
	}
	_, _ = io.Copy(io.Discard, f.link.client) // until it gives up
	f.link.cut()
}

// Write sends bytes on, and returns those that it could not send because the connection leads
// nowhere any more.
func (f *Flow) Write(data []byte) ([]byte, error) {
	select {
	case <-f.link.stranded:
		f.vanish()
		return nil, net.ErrClosed
	default:
	}
	_, to := f.ends()
	n, err := to.Write(data)
	f.passed += n
	return data[n:], err
}

// Sleep waits, less if the toxic is replaced or the connection ends: then it is an error.
func (f *Flow) Sleep(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	return f.await(t.C)
}

// await waits for a moment; one that never comes is nil.
func (f *Flow) await(moment <-chan time.Time) error {
	select {
	case <-moment:
		return nil
	case <-f.now.over:
		return errOver
	case <-f.link.ended:
		return net.ErrClosed
	}
}
