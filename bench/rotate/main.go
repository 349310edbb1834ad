// Rotate measures what those who edit definitions notice of a rotation of keys: it fills a
// store with sealed secrets, promotes a new key, and lets writers save connectors before,
// while and after every record is sealed anew. It prints a table of how long a save took, and
// fails if a save was refused or lost, or a record is sealed under the old key still.
//
//	go run ./bench/rotate                              10,000 secrets
//	go run ./bench/rotate -secrets 50000               more; to fill the store takes ever longer
//	go run ./bench/rotate -per-second -1               as fast as the store takes it
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/sqlite"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "rotate:", err)
		os.Exit(1)
	}
}

// plan is what is to be measured.
type plan struct {
	secrets   int
	perSecond int
	quiet     time.Duration // how long the writers are measured before and after
}

func parse(args []string) (p plan, err error) {
	flags := flag.NewFlagSet("rotate", flag.ContinueOnError)
	flags.IntVar(&p.secrets, "secrets", 10_000, "how many secrets there are, ten in each connector")
	flags.IntVar(&p.perSecond, "per-second", 0, "the rotation's bound of records a second; 0: the default, negative: none")
	flags.DurationVar(&p.quiet, "quiet", 5*time.Second, "how long is measured before the rotation, and after it")
	if err := flags.Parse(args); err != nil {
		return p, err
	}
	if p.secrets < perConnector*writers || p.quiet <= 0 {
		return p, fmt.Errorf("-secrets is at least %d, and -quiet positive", perConnector*writers)
	}
	return p, nil
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	p, err := parse(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "hub-rotate-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	store, err := sqlite.Open(ctx, filepath.Join(dir, "hub.db"), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	old, err := keyset.Generate()
	if err != nil {
		return err
	}
	if err := fill(ctx, store, old, p.secrets); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	promoted, err := promote(old)
	if err != nil {
		return err
	}
	h, err := hub.New(store, promoted, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(ctx))) }()
	return measure(ctx, h, p, out)
}

// promote returns the set with a new key as its primary.
func promote(set *keyset.Keyset) (*keyset.Keyset, error) {
	both, id, err := set.Add()
	if err != nil {
		return nil, err
	}
	return both.Promote(id)
}
