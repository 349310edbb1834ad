package job

import (
	"context"
	"net/http"
)

// Peer does the work, one call at a time, from many goroutines at once.
type Peer interface {
	// Call does it for a payload.
	Call(ctx context.Context, payload []byte) (Answer, error)
	// Close lets go of all that the peer holds.
	Close() error
}

// Target is the third party as a peer is told of it.
type Target struct {
	// Origin is its scheme, host and port.
	Origin string
	// CA is the certificate (PEM) that it is trusted by; empty: it speaks plain HTTP.
	CA string
	// Stub answers in place of the third party; nil: nobody does.
	Stub http.RoundTripper
}

// Open makes a peer for a target.
type Open func(ctx context.Context, target Target) (Peer, error)
