// Scale measures how a hub behaves as its definitions grow in number: it fills a store with
// connectors of 20 requests each, from one size to the next, and at each size it measures what
// the hub's users wait for. It prints a table, with the growth from the first size to the last.
//
//	go run ./bench/scale                                    200 and 2,000 connectors, on SQLite
//	go run ./bench/scale -sizes 1000,10000,100000           2,000,000 requests
//	go run ./bench/scale -each 10 -sizes 1000,10000,100000  10 connectors in each of 10,000 tenants
//	go run ./bench/scale -store postgres -dsn postgres://…  in an empty database of PostgreSQL
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// plan is what is to be measured.
type plan struct {
	store   string
	dsn     string // of a server's empty database
	sizes   []int  // connectors
	each    int    // connectors of a tenant; 0: all are one tenant's
	samples int    // of each measurement
}

func parse(args []string) (p plan, err error) {
	flags := flag.NewFlagSet("scale", flag.ContinueOnError)
	flags.StringVar(&p.store, "store", "sqlite", stores)
	flags.StringVar(&p.dsn, "dsn", "", "the empty database of a store that is a server")
	sizes := flags.String("sizes", "200,2000", "numbers of connectors, growing, separated by commas")
	flags.IntVar(&p.each, "each", 0, "how many connectors a tenant has; 0: all are one tenant's")
	flags.IntVar(&p.samples, "samples", 200, "how often each thing is measured")
	if err := flags.Parse(args); err != nil {
		return p, err
	}
	for _, text := range strings.Split(*sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || len(p.sizes) > 0 && n <= p.sizes[len(p.sizes)-1] {
			return p, fmt.Errorf("-sizes: %q is not a growing list of numbers", *sizes)
		}
		p.sizes = append(p.sizes, n)
	}
	if server := p.store == "postgres" || p.store == "mariadb"; server != (p.dsn != "") {
		return p, errors.New("-dsn goes with -store postgres and -store mariadb, and only with them")
	}
	if p.each < 0 || p.samples < 1 {
		return p, errors.New("-samples is at least 1, and -each at least 0")
	}
	return p, nil
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	p, err := parse(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "hub-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	store, err := p.open(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	keeper, err := keyset.Generate()
	if err != nil {
		return err
	}
	b := &bench{plan: p}
	for _, size := range p.sizes {
		if err := b.with(ctx, store, keeper, size); err != nil {
			return err
		}
	}
	return b.print(out)
}

// with measures at a size, with a hub that knows no plans from before.
func (b *bench) with(ctx context.Context, store storage.Store, keeper secrets.Keeper, size int) (err error) {
	if b.hub, err = hub.New(store, keeper, nil); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.hub.Close(context.WithoutCancel(ctx))) }()
	return b.at(ctx, size)
}
