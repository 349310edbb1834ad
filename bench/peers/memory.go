package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/bench/internal/job"
)

// memoryFigure is what connectors in use take.
type memoryFigure struct {
	Title      string
	Connectors int
	Bytes      int64
}

// memoryQuestion asks a process what its connectors take. Each kind has a process of its own.
type memoryQuestion struct {
	Kind       string
	Target     job.Target
	Connectors int
}

var memoryKinds = []struct {
	kind, title string
	most        int // connectors: each may hold a connection
	measure     func(context.Context, memoryQuestion) (int64, error)
}{
	{"each", "net/http by hand, a client for each", 500, memoryEach},
	{"shared", "net/http by hand, one client for all", 2000, memoryShared},
	{"hub", "hub", 1 << 30, memoryHub},
}

func (c *comparison) measureMemory(ctx context.Context, dir string) error {
	if c.connectors == 0 {
		return nil
	}
	for _, k := range memoryKinds {
		q := memoryQuestion{Kind: k.kind, Target: c.target(plain), Connectors: min(k.most, c.connectors)}
		fmt.Fprintf(c.progress, "memory: %s\n", k.title)
		child, err := start(ctx, "memory", dir)
		if err != nil {
			return err
		}
		f := memoryFigure{Title: k.title, Connectors: q.Connectors}
		if err := errors.Join(child.Ask(q, &f.Bytes), child.Close()); err != nil {
			return fmt.Errorf("memory: %s: %w", k.title, err)
		}
		c.memory = append(c.memory, f)
	}
	return c.refusals()
}

func (q memoryQuestion) answer(ctx context.Context) (int64, error) {
	for _, k := range memoryKinds {
		if k.kind == q.Kind {
			return k.measure(ctx, q)
		}
	}
	return 0, fmt.Errorf("there is no kind %q", q.Kind)
}

func memoryEach(ctx context.Context, q memoryQuestion) (int64, error) {
	return byHandInUse(ctx, q, func(int) (*hand, error) { return newHand(q.Target) })
}

func memoryShared(ctx context.Context, q memoryQuestion) (int64, error) {
	first, err := newHand(q.Target)
	if err != nil {
		return 0, err
	}
	return byHandInUse(ctx, q, func(int) (*hand, error) {
		h, err := newHand(q.Target)
		if err == nil {
			h.client, h.tokens.client = first.client, first.client
		}
		return h, err
	})
}

// byHandInUse measures what as many programs written by hand take that have called once.
func byHandInUse(ctx context.Context, q memoryQuestion, open func(int) (*hand, error)) (int64, error) {
	all := make([]*hand, q.Connectors)
	before := live()
	for i := range all {
		var err error
		if all[i], err = open(i); err != nil {
			return 0, err
		}
		if _, err := all[i].Call(ctx, job.Payload(i%job.Variants)); err != nil {
			return 0, err
		}
	}
	after := live()
	for _, h := range all {
		_ = h.Close()
	}
	return after - before, nil
}

// memoryHub measures what goes with a hub: its store stays, which it would also have on a disk.
func memoryHub(ctx context.Context, q memoryQuestion) (int64, error) {
	p, err := newHub(q.Target, hub.Limits{PlanBytes: -1})
	if err != nil {
		return 0, err
	}
	err = p.use(ctx, q)
	with := live()
	err = errors.Join(err, p.hub.Close(ctx))
	p.hub = nil
	without := live()
	return with - without, errors.Join(err, p.store.Close())
}

// use makes connectors and calls each of them once.
func (p *withHub) use(ctx context.Context, q memoryQuestion) error {
	if err := p.saveTemplate(ctx); err != nil {
		return err
	}
	err := times(q.Connectors, func(n int) error { return p.saveConnector(ctx, q.Target, fmt.Sprint("connector ", n)) })
	if err != nil {
		return err
	}
	return times(q.Connectors, func(n int) error {
		_, err := p.call(ctx, fmt.Sprint("connector ", n), job.Payload(n%job.Variants))
		return err
	})
}

// times does something for each number below n, some at once.
func times(n int, do func(int) error) error {
	const workers = 8
	var next atomic.Int64
	var running sync.WaitGroup
	failures := make([]error, workers)
	for w := range workers {
		running.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && failures[w] == nil; i = next.Add(1) - 1 {
				failures[w] = do(int(i))
			}
		})
	}
	running.Wait()
	return errors.Join(failures...)
}

// live is the memory that is in use: heap and stacks.
func live() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
