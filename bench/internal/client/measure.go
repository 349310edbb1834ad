package client

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/integrationhub/hub/bench/internal/job"
)

// Sample is what was measured of a peer in one go.
type Sample struct {
	Calls    int64
	Elapsed  time.Duration
	CPU      time.Duration // of the whole process, in user and system mode
	Mallocs  uint64
	Bytes    uint64 // allocated
	P50, P99 time.Duration
}

// usage is what a process has used until a moment.
type usage struct {
	at      time.Time
	cpu     time.Duration
	mallocs uint64
	bytes   uint64
}

func use() usage {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // fails only if asked for what there is not
	cpu := time.Duration(r.Utime.Nano() + r.Stime.Nano())
	return usage{at: time.Now(), cpu: cpu, mallocs: mem.Mallocs, bytes: mem.TotalAlloc}
}

// measure lets callers call as fast as they can.
func (c *client) measure(ctx context.Context, peer job.Peer, q Question) (Sample, error) {
	all := make([]caller, q.Callers)
	var stop, counting atomic.Bool
	var running sync.WaitGroup
	for i := range all {
		running.Go(func() { all[i].run(ctx, c, peer, i, &counting, &stop) })
	}
	time.Sleep(q.Warm)
	before := use()
	counting.Store(true)
	time.Sleep(q.For)
	counting.Store(false)
	after := use()
	stop.Store(true)
	running.Wait()

	var total histogram
	for i := range all {
		if all[i].err != nil {
			return Sample{}, all[i].err
		}
		total.add(&all[i].took)
	}
	return Sample{
		Calls: total.count, Elapsed: after.at.Sub(before.at), CPU: after.cpu - before.cpu,
		Mallocs: after.mallocs - before.mallocs, Bytes: after.bytes - before.bytes,
		P50: total.quantile(0.50), P99: total.quantile(0.99),
	}, nil
}

type caller struct {
	took histogram
	err  error
}

// run calls until it is stopped or a call fails, each caller with payloads in its own order.
func (k *caller) run(ctx context.Context, c *client, peer job.Peer, from int, counting, stop *atomic.Bool) {
	for n := from; !stop.Load(); n++ {
		start := time.Now()
		if k.err = c.call(ctx, peer, n%job.Variants); k.err != nil {
			return
		}
		if counting.Load() {
			k.took.record(time.Since(start))
		}
	}
}
