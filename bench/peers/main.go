// Peers compares a hub with what people call third parties with otherwise: net/http by hand,
// HTTP clients, and engines. All do the same work (package job), in one run, each in a process
// of its own, against a third party in another process that checks every request. It prints the
// tables of README.md.
//
//	go run ./bench/peers                      8 minutes on 2 cores
//	go run ./bench/peers -quick               a first look, in one minute
//	go run ./bench/peers -write               and puts tables and plot where README.md shows them
//	go run ./bench/peers -connectors 100000   memory at a size that needs a large machine
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := dispatch(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// roleVar names the variable that tells a process which part it has; empty: it compares.
const roleVar = "HUB_BENCH_ROLE"

func dispatch(ctx context.Context, args []string, out, progress io.Writer) error {
	if role := os.Getenv(roleVar); role != "" {
		return play(ctx, role)
	}
	p, err := parse(args)
	if err != nil {
		return err
	}
	return p.compare(ctx, out, progress)
}

// plan is what is to be measured.
type plan struct {
	peers      []peer
	rounds     int
	warm, each time.Duration
	connectors int
	benchmark  bool // measures the hub in process
	write      bool
}

func parse(args []string) (p plan, err error) {
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	quick := flags.Bool("quick", false, "2 short rounds and 2,000 connectors")
	names := flags.String("peers", "", "only these and those that all are compared with: "+strings.Join(allNames(), ","))
	flags.IntVar(&p.rounds, "rounds", 5, "how often each thing is measured")
	flags.DurationVar(&p.each, "for", 1300*time.Millisecond, "how long, each time")
	flags.IntVar(&p.connectors, "connectors", 10_000, "how many connectors the hub has in use whose memory is measured; 0: it is not")
	flags.BoolVar(&p.write, "write", false, "write the tables into README.md and the plot to bench/peers/peers.svg")
	if err := flags.Parse(args); err != nil {
		return p, err
	}
	if *quick {
		p.rounds, p.each, p.connectors = 2, 250*time.Millisecond, 2000
	}
	if p.rounds < 1 || p.each <= 0 || p.connectors < 0 {
		return p, fmt.Errorf("-rounds is at least 1, -for more than 0, and -connectors not negative")
	}
	p.warm, p.benchmark = p.each/6, true
	p.peers, err = choose(*names)
	return p, err
}

// choose returns the peers of those names, and those that all are compared with; "" means all.
func choose(names string) ([]peer, error) {
	if names == "" {
		return peers, nil
	}
	wanted := strings.Split(names, ",")
	for _, name := range wanted {
		if !slices.Contains(allNames(), name) {
			return nil, fmt.Errorf("-peers: %q is none of %s", name, strings.Join(allNames(), ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(peers), func(p peer) bool {
		return p.name != byHand && p.name != barePost && !slices.Contains(wanted, p.name)
	}), nil
}
