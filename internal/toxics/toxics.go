package toxics

import (
	"errors"
	"time"
)

// Toxic does something to the bytes of one direction. Its methods are called by one goroutine
// per flow, so one toxic serves many flows at once.
type Toxic interface {
	// Carry sends data on, in its own way, and returns what it has not sent when it is
	// replaced meanwhile. Any other error closes the connection.
	Carry(f *Flow, data []byte) (rest []byte, err error)
}

// Closer is a Toxic that has a say when a sender has nothing more to say.
type Closer interface {
	// Close returns when the receiver may be told.
	Close(f *Flow) error
}

var errCut = errors.New("the toxic has cut the connection")

// Latency lets bytes arrive late: by its Delay, and up to Jitter more or less.
type Latency struct{ Delay, Jitter time.Duration }

// Carry waits, then sends.
func (t Latency) Carry(f *Flow, data []byte) ([]byte, error) {
	delay := t.Delay
	if t.Jitter > 0 {
		delay += time.Duration(f.rand.Int64N(2*int64(t.Jitter)+1)) - t.Jitter
	}
	if err := f.Sleep(delay); err != nil {
		return data, err
	}
	return f.Write(data)
}

// Bandwidth lets so many bytes pass in a second.
type Bandwidth struct{ BytesPerSecond int }

// bandwidthStep is how often a share of the bandwidth passes.
const bandwidthStep = 20 * time.Millisecond

// Carry sends a share, then waits as long as that takes.
func (t Bandwidth) Carry(f *Flow, data []byte) ([]byte, error) {
	share := max(1, int(int64(t.BytesPerSecond)*int64(bandwidthStep)/int64(time.Second)))
	share = min(share, len(data))
	if err := f.Sleep(time.Duration(share) * time.Second / time.Duration(t.BytesPerSecond)); err != nil {
		return data, err
	}
	rest, err := f.Write(data[:share])
	return data[share-len(rest):], err
}

// SlowClose tells late that a sender has nothing more to say.
type SlowClose struct{ Delay time.Duration }

// Carry sends at once.
func (SlowClose) Carry(f *Flow, data []byte) ([]byte, error) { return f.Write(data) }

// Close waits.
func (t SlowClose) Close(f *Flow) error { return f.Sleep(t.Delay) }

// Timeout is a black hole: nothing passes, and After the first byte that came to it the
// connection is closed. With After zero it stays open, and when the toxic ends what it holds
// goes on, as with a network that has come back.
type Timeout struct{ After time.Duration }

// Carry holds data back.
func (t Timeout) Carry(f *Flow, data []byte) ([]byte, error) {
	if t.After <= 0 {
		return data, f.await(nil)
	}
	if err := f.Sleep(time.Until(f.first.Add(t.After))); err != nil {
		return data, err
	}
	return data, errCut
}

// Close keeps the receiver from hearing of it, too.
func (t Timeout) Close(f *Flow) error {
	if t.After <= 0 {
		return f.await(nil)
	}
	return f.Sleep(t.After)
}

// ResetPeer resets both ends of the connection, After the first byte that came, which does
// not arrive.
type ResetPeer struct{ After time.Duration }

// Carry waits, then resets.
func (t ResetPeer) Carry(f *Flow, data []byte) ([]byte, error) {
	if err := f.Sleep(time.Until(f.first.Add(t.After))); err != nil {
		return data, err
	}
	f.link.reset()
	return data, errCut
}

// Slicer cuts what passes into slices of Size bytes, up to Variation more or less, with a
// Delay between them.
type Slicer struct {
	Size, Variation int
	Delay           time.Duration
}

// Carry sends one slice.
func (t Slicer) Carry(f *Flow, data []byte) ([]byte, error) {
	size := t.Size
	if t.Variation > 0 {
		size += f.rand.IntN(2*t.Variation+1) - t.Variation
	}
	size = min(max(size, 1), len(data))
	rest, err := f.Write(data[:size])
	if err == nil && size < len(data) {
		err = f.Sleep(t.Delay)
	}
	return data[size-len(rest):], err
}

// LimitData closes the connection when so many Bytes have passed since it took effect.
type LimitData struct{ Bytes int }

// Carry sends what is within the limit.
func (t LimitData) Carry(f *Flow, data []byte) ([]byte, error) {
	within := min(len(data), max(0, t.Bytes-f.passed))
	rest, err := f.Write(data[:within])
	if err == nil && f.passed >= t.Bytes {
		err = errCut
	}
	return data[within-len(rest):], err
}
