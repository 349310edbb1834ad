package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/integrationhub/hub"
)

// bench holds what was measured.
type bench struct {
	plan   plan
	hub    *hub.Hub
	filled int
	rows   []row
}

// row is one thing that was measured, at each size.
type row struct {
	what   string
	values []float64
	unit   string
}

// at fills the store to a size and measures.
func (b *bench) at(ctx context.Context, size int) error {
	before, start := b.filled, time.Now()
	if err := b.fill(ctx, size); err != nil {
		return err
	}
	b.add("saved while filling", float64(size-before)/time.Since(start).Seconds(), "connectors/s")
	b.add("memory, all idle", heap(), "MiB")
	for _, m := range measurements {
		took, err := b.median(ctx, m.do)
		if err != nil {
			return fmt.Errorf("%s: %w", m.what, err)
		}
		b.add(m.what, float64(took.Nanoseconds())/1e3, "µs")
	}
	if err := b.callMany(ctx); err != nil {
		return fmt.Errorf("call many: %w", err)
	}
	b.add(fmt.Sprintf("memory, up to %d called", mostCalled), heap(), "MiB")
	return nil
}

// mostCalled is how many connectors callMany uses: the plans of more than the cache holds.
const mostCalled = 5000

// callMany makes the plans of many connectors, so that the memory which then is in use shows
// what bounds them.
func (b *bench) callMany(ctx context.Context) error {
	for n := range min(mostCalled, b.filled) {
		if _, err := b.tenant(n).Plan(ctx, call(n)); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) add(what string, value float64, unit string) {
	at := slices.IndexFunc(b.rows, func(r row) bool { return r.what == what })
	if at < 0 {
		at, b.rows = len(b.rows), append(b.rows, row{what: what, unit: unit})
	}
	b.rows[at].values = append(b.rows[at].values, value)
}

// measurements are what users wait for; n chooses the connector.
var measurements = []struct {
	what string
	do   func(ctx context.Context, b *bench, n int) error
}{
	{"find by name", func(ctx context.Context, b *bench, n int) error {
		_, err := b.tenant(n).GetConnector(ctx, name(n))
		return err
	}},
	{"first page", func(ctx context.Context, b *bench, n int) error {
		return b.page(ctx, n, hub.ListOptions{})
	}},
	{"page by prefix", func(ctx context.Context, b *bench, n int) error {
		return b.page(ctx, n, hub.ListOptions{Prefix: name(n)[:1]})
	}},
	{"page by tag", func(ctx context.Context, b *bench, n int) error {
		return b.page(ctx, n, hub.ListOptions{Tag: tag(n)})
	}},
	{"page by template", func(ctx context.Context, b *bench, n int) error {
		return b.page(ctx, n, hub.ListOptions{Template: b.templateOf(n)})
	}},
	{"next page", func(ctx context.Context, b *bench, n int) error {
		first, err := b.tenant(n).ListConnectors(ctx, hub.ListOptions{Limit: 1})
		if err != nil || first.Next == "" {
			return err
		}
		return b.page(ctx, n, hub.ListOptions{Cursor: first.Next})
	}},
	{"templates, first page", func(ctx context.Context, b *bench, n int) error {
		return b.templatesPage(ctx, n, "")
	}},
	{"templates by prefix", func(ctx context.Context, b *bench, n int) error {
		return b.templatesPage(ctx, n, templateName(b.number(n))[:1])
	}},
	{"cold call, until it is sent", func(ctx context.Context, b *bench, n int) error {
		_, err := b.tenant(n).Plan(ctx, call(n))
		return err
	}},
	{"warm call, until it is sent", func(ctx context.Context, b *bench, n int) error {
		_, err := b.tenant(0).Plan(ctx, call(0))
		return err
	}},
	{"save", func(ctx context.Context, b *bench, n int) error {
		con, err := b.tenant(n).GetConnector(ctx, name(n))
		if err != nil {
			return err
		}
		con.Tags = []string{tag(n), "saved"}
		_, err = b.tenant(n).UpdateConnector(ctx, con)
		return err
	}},
}

// pageLimit is small enough that the smallest size of a run without flags fills its pages.
const pageLimit = 10

func (b *bench) page(ctx context.Context, n int, opts hub.ListOptions) error {
	opts.Limit = pageLimit
	p, err := b.tenant(n).ListConnectors(ctx, opts)
	if err == nil && len(p.Items) == 0 {
		err = fmt.Errorf("the page is empty")
	}
	return err
}

func (b *bench) templatesPage(ctx context.Context, n int, prefix string) error {
	p, err := b.tenant(n).ListTemplates(ctx, hub.ListOptions{Prefix: prefix, Limit: pageLimit})
	if err == nil && len(p.Items) == 0 {
		err = fmt.Errorf("the page is empty")
	}
	return err
}

func call(n int) hub.Call {
	return hub.Call{Connector: name(n), Request: "request-0",
		Payload: json.RawMessage(`{"id":"4711","title":"Hello","count":3,"a":null}`)}
}

// median measures on connectors all over the store, each once, so that cold calls are cold.
func (b *bench) median(ctx context.Context, do func(context.Context, *bench, int) error) (time.Duration, error) {
	samples := min(b.plan.samples, b.filled)
	var all []time.Duration
	for i := range samples {
		n := i * (b.filled / samples)
		start := time.Now()
		if err := do(ctx, b, n); err != nil {
			return 0, err
		}
		all = append(all, time.Since(start))
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

// print writes the table: a column for each size, and how the last compares with the first.
func (b *bench) print(out io.Writer) error {
	fmt.Fprintf(out, "%s, %s, %d requests in each connector; medians of %d\n\n",
		b.plan.store, b.plan.spread(), requests, b.plan.samples)
	table := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprint(table, "| connectors\t|")
	for _, size := range b.plan.sizes {
		fmt.Fprintf(table, " %d\t|", size)
	}
	fmt.Fprint(table, " growth\t|\n|---\t|")
	for range len(b.plan.sizes) + 1 {
		fmt.Fprint(table, "---:\t|")
	}
	fmt.Fprintln(table)
	for _, r := range b.rows {
		fmt.Fprintf(table, "| %s, %s\t|", r.what, r.unit)
		for _, v := range r.values {
			fmt.Fprintf(table, " %.*f\t|", precision(v), v)
		}
		fmt.Fprintf(table, " %.2f ×\t|\n", r.values[len(r.values)-1]/cmp.Or(r.values[0], 1))
	}
	return table.Flush()
}

func (p plan) spread() string {
	if p.each == 0 {
		return "one tenant"
	}
	return fmt.Sprintf("%d connectors in each tenant", p.each)
}

func precision(v float64) int {
	if v < 100 {
		return 1
	}
	return 0
}
