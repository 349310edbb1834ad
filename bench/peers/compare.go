package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/integrationhub/hub/bench/internal/client"
	"github.com/integrationhub/hub/bench/internal/job"
	"github.com/integrationhub/hub/bench/internal/process"
	"github.com/integrationhub/hub/bench/internal/upstream"
)

// scenario is one way to call.
type scenario struct {
	name    string
	callers int
	way     way
}

type way int

const (
	plain way = iota
	secure
	inProcess
)

var (
	manyPlain   = scenario{"64 callers, HTTP", 64, plain}
	manySecure  = scenario{"64 callers, HTTPS", 64, secure}
	alonePlain  = scenario{"1 caller, HTTP", 1, plain}
	aloneSecure = scenario{"1 caller, HTTPS", 1, secure}
	stubbed     = scenario{"in process", 1, inProcess} // the last: a stub may stay in its place
)

// comparison is a run: its processes and what was measured.
type comparison struct {
	plan
	progress io.Writer
	server   *process.Process
	at       upstream.Addresses
	clients  map[string]*process.Process
	samples  map[string]map[string][]client.Sample // :: scenario → peer → one for each round
	memory   []memoryFigure
}

// compare measures everything and prints it.
func (p plan) compare(ctx context.Context, out, progress io.Writer) (err error) {
	c := &comparison{
		plan: p, progress: progress,
		clients: map[string]*process.Process{}, samples: map[string]map[string][]client.Sample{},
	}
	dir, err := os.MkdirTemp("", "hub-peers-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close(), os.RemoveAll(dir)) }()
	if err := c.start(ctx, dir); err != nil {
		return err
	}
	for _, s := range []scenario{manyPlain, manySecure, alonePlain, aloneSecure, stubbed} {
		if err := c.measure(s); err != nil {
			return err
		}
	}
	if err := c.measureHubInProcess(ctx); err != nil {
		return err
	}
	if err := c.measureMemory(ctx, dir); err != nil {
		return err
	}
	if p.write {
		return errors.Join(c.print(out), c.writeFiles())
	}
	return c.print(out)
}

// start starts the third party and the peers, and sees that each does the whole work.
func (c *comparison) start(ctx context.Context, dir string) (err error) {
	if c.server, err = start(ctx, "server", dir); err != nil {
		return err
	}
	if err := c.server.Ask("where", &c.at); err != nil {
		return err
	}
	for _, p := range c.peers {
		fmt.Fprintf(c.progress, "start %s\n", p.title)
		if c.clients[p.name], err = start(ctx, p.name, dir); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		for _, w := range []way{plain, secure} {
			if _, err := c.ask(p, client.Question{Target: c.target(w)}); err != nil {
				return err
			}
		}
	}
	return c.refusals()
}

func (c *comparison) target(w way) job.Target {
	switch w {
	case plain:
		return job.Target{Origin: c.at.Plain}
	case secure:
		return job.Target{Origin: c.at.TLS, CA: c.at.CA}
	}
	return job.Target{Origin: "https://api.example.com"} // is not called
}

func (c *comparison) ask(p peer, q client.Question) (s client.Sample, err error) {
	if err = c.clients[p.name].Ask(q, &s); err != nil {
		err = fmt.Errorf("%s: %w", p.name, err)
	}
	return s, err
}

// refusals fails if the third party was sent anything wrong.
func (c *comparison) refusals() error {
	var n upstream.Counts
	if err := c.server.Ask("counts", &n); err != nil {
		return err
	}
	if n.Bad > 0 {
		return fmt.Errorf("the third party refused %d requests, the first one because: %s", n.Bad, n.First)
	}
	return nil
}

// measure measures all peers in turn, round after round, each round from another one on.
func (c *comparison) measure(s scenario) error {
	c.samples[s.name] = map[string][]client.Sample{}
	for round := range c.rounds {
		fmt.Fprintf(c.progress, "%s, round %d of %d\n", s.name, round+1, c.rounds)
		for i := range c.peers {
			p := c.peers[(i+round)%len(c.peers)]
			if s.way == inProcess && !p.stub {
				continue
			}
			q := client.Question{
				Target: c.target(s.way), InProcess: s.way == inProcess,
				Callers: s.callers, Warm: c.warm, For: c.each,
			}
			sample, err := c.ask(p, q)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			c.samples[s.name][p.name] = append(c.samples[s.name][p.name], sample)
		}
		if err := c.refusals(); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) close() error {
	var failures []error
	for _, p := range c.clients {
		failures = append(failures, p.Close())
	}
	if c.server != nil {
		failures = append(failures, c.server.Close())
	}
	return errors.Join(failures...)
}

// took is a duration in microseconds.
func took(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
