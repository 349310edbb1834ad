// Telemetry compares what it costs to tell OpenTelemetry of a call: a hub's call with one attempt, by
// telemetry/hubotel, and a request of net/http, by otelhttp, with the same SDK, samplers and
// exporters that drop all. What is told of is no part of it: the events are ready, and what the
// same requests cost without otelhttp, to a stub, is taken off. It prints a table.
//
//	go run ./bench/telemetry                   21 rounds of 20,000 calls
//	go run ./bench/telemetry -rounds 101       more of them, for a machine that is busy
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"syscall"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "telemetry:", err)
		os.Exit(1)
	}
}

// teller tells OpenTelemetry of one call.
type teller func(ctx context.Context) error

// cost is what a call costs.
type cost struct{ cpu, allocations float64 } // µs, times

// compared are the rounds of a sampler, one after the other: ours and theirs of the same round
// met the same machine.
type compared struct{ ours, theirs, ratios, allocations, theirAllocations []float64 }

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("telemetry", flag.ContinueOnError)
	rounds := flags.Int("rounds", 21, "how often each has its turn")
	calls := flags.Int("calls", 20_000, "the calls of a turn")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *rounds < 1 || *calls < 1 {
		return errors.New("-rounds and -calls must be positive")
	}
	fmt.Fprintln(out, "| | hubotel, µs | allocations | otelhttp, µs | allocations | hubotel / otelhttp |")
	fmt.Fprintln(out, "|---|---:|---:|---:|---:|---:|")
	for _, s := range []struct {
		name    string
		sampler sdktrace.Sampler
	}{{"not sampled", sdktrace.NeverSample()}, {"recorded", sdktrace.AlwaysSample()}} {
		c, err := compare(s.sampler, *rounds, *calls)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "| %s | %.2f | %.0f | %.2f | %.0f | %.2f (%.2f to %.2f) |\n", s.name, median(c.ours), median(c.allocations),
			median(c.theirs), median(c.theirAllocations), median(c.ratios), quantile(c.ratios, 0.05), quantile(c.ratios, 0.95))
	}
	return nil
}

// compare lets both tell of calls, in turns.
func compare(sampler sdktrace.Sampler, rounds, calls int) (c compared, err error) {
	ours, err := newHubotel(providers(sampler))
	if err != nil {
		return c, err
	}
	theirs := newOtelhttp(providers(sampler))
	for round := range rounds + 1 {
		a, err := measure(ours, calls)
		if err != nil {
			return c, err
		}
		b, err := measure(theirs, calls)
		if err != nil {
			return c, err
		}
		bare, err := measure(untold, calls)
		if err != nil {
			return c, err
		}
		if round > 0 { // the first makes what is kept
			c.add(a, cost{b.cpu - bare.cpu, b.allocations - bare.allocations})
		}
	}
	return c, nil
}

func (c *compared) add(ours, theirs cost) {
	c.ours, c.theirs = append(c.ours, ours.cpu), append(c.theirs, theirs.cpu)
	c.ratios = append(c.ratios, ours.cpu/theirs.cpu)
	c.allocations, c.theirAllocations = append(c.allocations, ours.allocations), append(c.theirAllocations, theirs.allocations)
}

// measure tells of so many calls. What counts is the process's CPU, the garbage collector's included:
// a busy machine makes turns longer, and hardly dearer.
func measure(tell teller, calls int) (cost, error) {
	ctx := context.Background()
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begun, err := cpu()
	if err != nil {
		return cost{}, err
	}
	for range calls {
		if err := tell(ctx); err != nil {
			return cost{}, err
		}
	}
	ended, err := cpu()
	runtime.ReadMemStats(&after)
	n := float64(calls)
	return cost{float64(ended-begun) / float64(time.Microsecond) / n, float64(after.Mallocs-before.Mallocs) / n}, err
}

// cpu is what the process has used.
func cpu() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}

func median(list []float64) float64 { return quantile(list, 0.5) }

func quantile(list []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}
