// Command survival shows what becomes of calls on bad days: it makes networks sick, servers die
// and callers storm, and counts how the hub's calls end.
//
//	go run ./internal/survival [-quick | -full] [-json] [-seed N] [-only LINE] [-break LINE]
//
// -break runs one line against a hub whose defence is taken out: the source is changed in a
// build overlay, so nothing in the library can switch a defence off. The line must fail then,
// and that is what the exit status tells. -break each does so for every line in turn that has one.
//
// It starts servers of PostgreSQL and Redis of its own, which it installs if there are none.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"testing"
	"time"

	"github.com/integrationhub/hub/internal/overlay"
)

// line is one row of the table: a bad day.
type line struct {
	name, what string
	live       func(*trial)
	defence    overlay.Change // what it takes to fail; zero: it is in many places
}

var lines = []line{
	{"links", "each toxic on each link: calls end in their branch by the deadline, and work again", links, deadline},
	{"offsets", "servers that die at each byte: side effects at most 1, and Sent never denies one", offsets, duty},
	{"forms", "likewise with files, streams, SDKs, pages and batches: and files are closed, streams begin once", forms, duty},
	{"outage", "third parties that are down for 1,000 calls/s: attempts at most 1.1 per call", storms, budget},
	{"neighbour", "callers at 100 times the rate of the others, who do not notice", neighbours, bulkheads},
	{"close", "hubs closed with many calls under way: all end, nothing is left, tokens are kept", closings, overlay.Change{}},
	{"leaks", "faulted calls: goroutines, descriptors and heap are back where they were", leaks, overlay.Change{}},
}

// row is a line that was run.
type row struct {
	Line     string   `json:"line"`
	What     string   `json:"what"`
	Seed     uint64   `json:"seed"`
	Tried    int      `json:"tried"`
	Failed   int      `json:"failed"`
	Seconds  float64  `json:"seconds"`
	Figures  []figure `json:"figures"`
	Failures []string `json:"failures,omitempty"` // the first of them
}

func (r row) holds() bool { return r.Failed == 0 && r.Tried > 0 }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	onDemand := flag.Bool("full", false, "as often as on demand, not as often as in CI")
	flag.Bool("quick", true, "as often as in CI")
	asJSON := flag.Bool("json", false, "print JSON, one row per line")
	seed := flag.Uint64("seed", 1, "of the random numbers")
	breaks := flag.String("break", "", "the line whose defence is taken out, or each")
	only := flag.String("only", "", "the one line to run")
	flag.Parse()
	size := quick
	if *onDemand {
		size = full
	}
	if *breaks != "" {
		if err := breakDefences(ctx, *breaks); err != nil {
			fmt.Fprintln(os.Stderr, "survival:", err)
			os.Exit(1)
		}
		return
	}
	chosen, err := choose(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "survival:", err)
		os.Exit(2)
	}
	failed := 0
	for _, l := range chosen {
		if ctx.Err() != nil {
			continue
		}
		r := l.alone(ctx, &trial{scale: size, seed: *seed})
		if !r.holds() {
			failed++
		}
		print(r, *asJSON)
	}
	if failed > 0 || ctx.Err() != nil {
		fmt.Fprintf(os.Stderr, "survival: %d lines do not hold\n", failed)
		os.Exit(1)
	}
}

// choose returns the line of that name; all of them for none.
func choose(only string) ([]line, error) {
	if only == "" {
		return lines, nil
	}
	for i, l := range lines {
		if l.name == only {
			return lines[i : i+1], nil
		}
	}
	return nil, fmt.Errorf("-only: there is no line %q", only)
}

// alone runs a line without a test around it.
func (l line) alone(ctx context.Context, t *trial) (r row) {
	h := &host{ctx: ctx}
	t.TB = h
	defer func() {
		if fault := h.recovered(recover()); fault != "" {
			t.check(false, "%s", fault)
			r = t.row(l, r.Seconds)
		}
	}()
	return l.run(t)
}

// run runs a line.
func (l line) run(t *trial) row {
	begun := time.Now()
	l.live(t)
	return t.row(l, time.Since(begun).Seconds())
}

func print(r row, asJSON bool) {
	if asJSON {
		_ = json.NewEncoder(os.Stdout).Encode(r) // a reader that has gone needs no rows
		return
	}
	fmt.Printf("%-9s %s\n%10d tried, %d failed, %.1f s, seed %d\n", r.Line, r.What, r.Tried, r.Failed, r.Seconds, r.Seed)
	for _, f := range r.Figures {
		fmt.Printf("%10s %-50s %12.6g\n", "", f.Name, f.Value)
	}
	for _, text := range r.Failures {
		fmt.Printf("%10s ! %s\n", "", strings.ReplaceAll(text, "\n", " "))
	}
}

// host stands in for a test where there is none.
type host struct {
	testing.TB // nil: nothing else of a test is used
	ctx        context.Context
	cleanups   []func()
}

// fatal is what Fatalf panics with.
type fatal string

func (h *host) Helper()                  {}
func (h *host) Context() context.Context { return h.ctx }
func (h *host) Cleanup(f func())         { h.cleanups = append(h.cleanups, f) }

func (h *host) Logf(format string, args ...any)   { fmt.Fprintf(os.Stderr, format+"\n", args...) }
func (h *host) Fatalf(format string, args ...any) { panic(fatal(fmt.Sprintf(format, args...))) }

// recovered cleans up, and returns what was fatal.
func (h *host) recovered(fault any) string {
	for i := len(h.cleanups) - 1; i >= 0; i-- {
		h.cleanups[i]()
	}
	if text, ok := fault.(fatal); ok {
		return string(text)
	}
	if fault != nil {
		panic(fault)
	}
	return ""
}
