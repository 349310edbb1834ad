package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/integrationhub/hub"
)

const (
	writers = 4
	pause   = 2 * time.Millisecond // of a writer between two saves: people are slower
)

// phase is what the writers noticed in one part of the time.
type phase struct {
	name string
	took []time.Duration
}

// measure lets writers save before, while and after a rotation.
func measure(ctx context.Context, h *hub.Hub, p plan, out io.Writer) error {
	all := make([]*writer, writers)
	for i := range all {
		all[i] = &writer{hub: h, number: i, connectors: p.secrets / perConnector, saved: map[string]string{}}
	}
	var report hub.RotateReport
	var began, ended time.Time
	phases := []phase{{name: "before"}, {name: "while it rotates"}, {name: "after"}}
	for i, during := range []func(context.Context) error{
		func(ctx context.Context) error { return wait(ctx, p.quiet) },
		func(ctx context.Context) (err error) {
			began = time.Now()
			report, err = h.RotateKeys(ctx, &hub.RotateOptions{PerSecond: p.perSecond})
			ended = time.Now()
			return err
		},
		func(ctx context.Context) error { return wait(ctx, p.quiet) },
	} {
		if err := phases[i].run(ctx, all, during); err != nil {
			return fmt.Errorf("%s: %w", phases[i].name, err)
		}
	}
	if report.Failed > 0 || report.Next != "" {
		return fmt.Errorf("%d records are sealed under the old key still", report.Failed)
	}
	for _, w := range all {
		if err := w.check(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "%d secrets in %d connectors, SQLite; %d records sealed anew in %s; saves refused 0, lost 0\n\n",
		p.secrets, p.secrets/perConnector, report.Resealed, ended.Sub(began).Round(time.Millisecond))
	return table(out, phases)
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run lets the writers write as long as something takes.
func (p *phase) run(ctx context.Context, all []*writer, during func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	over := make(chan struct{})
	took := make([][]time.Duration, len(all))
	for i, w := range all {
		group.Go(func() (err error) {
			took[i], err = w.write(ctx, over)
			return err
		})
	}
	group.Go(func() error {
		defer close(over)
		return during(ctx)
	})
	err := group.Wait()
	p.took = slices.Concat(took...)
	slices.Sort(p.took)
	if err == nil && len(p.took) == 0 {
		err = errors.New("nothing was saved")
	}
	return err
}

// writer saves connectors that no other writer does.
type writer struct {
	hub        *hub.Hub
	number     int
	connectors int
	saves      int
	saved      map[string]string // id of a connector → the tag it was saved with last
}

func (w *writer) write(ctx context.Context, over <-chan struct{}) (took []time.Duration, err error) {
	for {
		select {
		case <-over:
			return took, nil
		case <-time.After(pause):
		}
		start := time.Now()
		if err := w.save(ctx); err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
	}
}

func (w *writer) save(ctx context.Context) error {
	w.saves++
	id := connectorID(rand.N(w.connectors/writers)*writers + w.number)
	con, err := w.hub.GetConnector(ctx, id)
	if err != nil {
		return err
	}
	con.Tags = []string{fmt.Sprint("save-", w.saves)}
	if _, err := w.hub.UpdateConnector(ctx, con); err != nil {
		return err
	}
	w.saved[id] = con.Tags[0]
	return nil
}

// check fails if what was acknowledged is not there.
func (w *writer) check(ctx context.Context) error {
	for id, tag := range w.saved {
		con, err := w.hub.GetConnector(ctx, id)
		if err != nil {
			return err
		}
		if !slices.Contains(con.Tags, tag) {
			return fmt.Errorf("a save of %s was lost", id)
		}
	}
	return nil
}

func table(out io.Writer, phases []phase) error {
	t := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprint(t, "| saves\t| number\t| median, ms\t| 99 %, ms\t| longest, ms\t|\n|---\t|---:\t|---:\t|---:\t|---:\t|\n")
	for _, p := range phases {
		n := len(p.took)
		fmt.Fprintf(t, "| %s\t| %d\t| %.1f\t| %.1f\t| %.1f\t|\n", p.name, n, ms(p.took[n/2]), ms(p.took[n*99/100]), ms(p.took[n-1]))
	}
	return t.Flush()
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
