// Command proof shows that the hub's secrets stay where they belong: it attacks each defence
// many times, and prints how often it tried and how often the defence failed.
//
//	go run ./internal/proof [-quick | -full] [-json] [-seed N] [-break LINE]
//
// -break runs one line against a hub whose defence is taken out: the source is changed in a
// build overlay, so nothing in the library can switch a defence off. The line must fail then,
// and that is what the exit status tells. -break each does so for every line in turn.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/integrationhub/hub/internal/overlay"
)

// line is one row of the table: an attack, repeated.
type line struct {
	name, what string
	attack     func(context.Context, *trial) error
	defence    overlay.Change
}

// trial counts what a line does. Its random numbers come from the seed.
type trial struct {
	full          bool
	rnd           *rand.Rand
	tried, failed int
	note          string // what else was counted
}

// size is how often to try.
func (t *trial) size(quick, full int) int {
	if t.full {
		return full
	}
	return quick
}

// row is a line that was run.
type row struct {
	Line    string  `json:"line"`
	What    string  `json:"what"`
	Seed    uint64  `json:"seed"`
	Tried   int     `json:"tried"`
	Failed  int     `json:"failed"`
	Note    string  `json:"note,omitempty"`
	Seconds float64 `json:"seconds"`
	Error   string  `json:"error,omitempty"`
}

func (r row) holds() bool { return r.Failed == 0 && r.Error == "" && r.Tried > 0 }

var lines = []line{
	{"leaked", "secrets and tokens shown in answers, errors, logs", leaked, scrubbing},
	{"wrong-host", "secrets at hosts that they are not bound to", wrongHost, binding},
	{"moved", "sealed values accepted in another's place", moved, authenticatedData},
	{"flipped", "sealed values accepted with a bit changed, or cut", flipped, tag},
	{"rotation", "values unreadable after a killed rotation", rotation, resealing},
	{"connects", "connections to forbidden addresses", connects, addressPolicy},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	full := flag.Bool("full", false, "try as often as on demand, not as often as in CI")
	quick := flag.Bool("quick", false, "try as often as in CI, as without -full")
	asJSON := flag.Bool("json", false, "print JSON, one row per line")
	seed := flag.Uint64("seed", 1, "of the random numbers")
	breaks := flag.String("break", "", "the line whose defence is taken out, or each")
	only := flag.String("only", "", "the one line to run")
	flag.Parse()
	if *quick && *full {
		os.Exit(status(errors.New("either -quick or -full")))
	}
	if *breaks != "" {
		os.Exit(status(breakDefences(ctx, *breaks)))
	}
	os.Exit(status(prove(ctx, *only, *full, *asJSON, *seed)))
}

func status(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, "proof:", err)
		return 1
	}
	return 0
}

// prove runs the lines and prints their rows.
func prove(ctx context.Context, only string, full, asJSON bool, seed uint64) error {
	if only != "" && !slices.ContainsFunc(lines, func(l line) bool { return l.name == only }) {
		return fmt.Errorf("-only: there is no line %q", only)
	}
	failed := 0
	for i, l := range lines {
		if only != "" && only != l.name {
			continue
		}
		t := &trial{full: full, rnd: rand.New(rand.NewPCG(seed, uint64(i)))}
		r := l.run(ctx, t)
		r.Seed = seed
		if !r.holds() {
			failed++
		}
		print(r, asJSON)
	}
	if failed > 0 {
		return fmt.Errorf("%d lines do not hold", failed)
	}
	return ctx.Err()
}

func (l line) run(ctx context.Context, t *trial) row {
	begun := time.Now()
	err := l.attack(ctx, t)
	r := row{Line: l.name, What: l.what, Tried: t.tried, Failed: t.failed, Note: t.note, Seconds: time.Since(begun).Seconds()}
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

func print(r row, asJSON bool) {
	if asJSON {
		_ = json.NewEncoder(os.Stdout).Encode(r) // a reader that has gone needs no rows
		return
	}
	fmt.Printf("%-10s  %-50s  seed %d  %8d tried  %6d failed  %6.1f s  %s%s\n", r.Line, r.What, r.Seed, r.Tried, r.Failed, r.Seconds, r.Note, r.Error)
}
