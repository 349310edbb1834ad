// Package client is the process of a peer: it checks that the peer does the whole work, and
// measures it under load.
package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/integrationhub/hub/bench/internal/job"
	"github.com/integrationhub/hub/bench/internal/process"
)

// Question is what a peer's process is asked.
type Question struct {
	// Target is who is called. Another one than before makes another peer.
	Target job.Target
	// InProcess: nobody is called, a stub answers.
	InProcess bool
	// Callers at once; zero: the peer is only checked.
	Callers int
	// Warm is how long the load runs before it is measured, For how long it then is.
	Warm, For time.Duration
}

// Main runs the process of a peer. A peer that validates must refuse a wrong payload.
func Main(ctx context.Context, open job.Open, validates bool) error {
	return Serve(ctx, os.Stdin, os.Stdout, open, validates)
}

// Serve answers questions until there are no more.
func Serve(ctx context.Context, in io.Reader, out io.Writer, open job.Open, validates bool) error {
	c := &client{open: open, validates: validates, peers: map[job.Target]job.Peer{}}
	for n := range c.payloads {
		c.payloads[n], c.wants[n] = job.Payload(n), job.Want(n)
	}
	err := process.Serve(in, out, func(q Question) (any, error) { return c.answer(ctx, q) })
	return errors.Join(err, c.close())
}

type client struct {
	open      job.Open
	validates bool
	payloads  [job.Variants][]byte
	wants     [job.Variants]job.Answer
	peers     map[job.Target]job.Peer
}

func (c *client) answer(ctx context.Context, q Question) (any, error) {
	peer, err := c.peer(ctx, q)
	if err != nil {
		return nil, err
	}
	if q.Callers == 0 {
		return Sample{}, c.check(ctx, peer)
	}
	return c.measure(ctx, peer, q)
}

func (c *client) peer(ctx context.Context, q Question) (job.Peer, error) {
	if peer, ok := c.peers[q.Target]; ok {
		return peer, nil
	}
	target := q.Target
	if q.InProcess {
		target.Stub = job.Stub()
	}
	peer, err := c.open(ctx, target)
	if err == nil {
		c.peers[q.Target] = peer
	}
	return peer, err
}

func (c *client) close() error {
	var failures []error
	for _, peer := range c.peers {
		failures = append(failures, peer.Close())
	}
	return errors.Join(failures...)
}

// check makes every call once, and one that must be refused.
func (c *client) check(ctx context.Context, peer job.Peer) error {
	for n := range c.payloads {
		if err := c.call(ctx, peer, n); err != nil {
			return err
		}
	}
	if !c.validates {
		return nil
	}
	if _, err := peer.Call(ctx, job.Wrong()); err == nil {
		return errors.New("a payload that breaks the schema was sent")
	}
	return nil
}

func (c *client) call(ctx context.Context, peer job.Peer, n int) error {
	got, err := peer.Call(ctx, c.payloads[n])
	if err != nil {
		return fmt.Errorf("payload %d: %w", n, err)
	}
	if got != c.wants[n] {
		return fmt.Errorf("payload %d: got %v in place of %v", n, got, c.wants[n])
	}
	return nil
}
