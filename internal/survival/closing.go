package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

const closingConnectors = 20

// closings closes hubs while many calls are under way, at a moment and with a patience by chance.
func closings(t *trial) {
	f := &fixture{trial: t}
	t.must(f.openSecure())
	defer f.secure.Close()
	f.secure.Handle("/slow", hubtest.JSON(http.StatusOK, map[string]int{"slow": 1}).After(100*time.Millisecond))
	f.secure.Handle("/never", hubtest.Hang())
	f.secure.Handle("/stalls", hubtest.Text(http.StatusOK, "0123456789").HangAfter(5))
	f.secure.Handle("/busy", hubtest.Status(http.StatusServiceUnavailable)) // calls wait to be repeated
	for i := range t.size(3, 10, 100) {
		if t.Context().Err() == nil {
			t.must(f.closing(i, t.size(100, 200, 1000)))
		}
	}
}

// closing is one round.
func (f *fixture) closing(round, calls int) error {
	store := memory.New()
	keeper, err := keyset.Generate()
	if err != nil {
		return err
	}
	before := runtime.NumGoroutine()
	var received atomic.Int64 // tokens that came
	w, err := newWorld(store, keeper, withoutCircuits, authenticated(&received))
	if err != nil {
		return err
	}
	for i := range closingConnectors {
		if err := authorize(f.Context(), w.acme, f.busy(i)); err != nil {
			return err
		}
	}
	r := f.rand(round)
	var begun, running sync.WaitGroup
	codes := make([]error, calls)
	for i := range calls {
		call := hub.Call{Connector: fmt.Sprint("con-", i%closingConnectors), Request: paths[r.IntN(len(paths))]}
		begun.Add(1)
		running.Go(func() {
			begun.Done()
			_, codes[i] = w.acme.Execute(context.Background(), call)
		})
	}
	begun.Wait()
	time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
	patience := time.Duration(r.IntN(200)) * time.Millisecond
	f.closed(w, patience)
	running.Wait()
	for _, err := range codes {
		f.check(ends{"", hub.Closed, hub.Rejected}.has(codeOf(err)), "a call ends with %v", err)
		f.add("calls end with "+named(string(codeOf(err))), 1)
	}
	f.gone(before)
	err = f.persisted(store, keeper, received.Load())
	return errors.Join(err, store.Close())
}

// closed closes a hub, which returns when its patience has ended and what it cancelled has, too.
func (f *fixture) closed(w *world, patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	begun := time.Now()
	err := w.Close(ctx)
	late := time.Since(begun) - patience
	f.check(err == nil || errors.Is(err, context.DeadlineExceeded), "Close returns %v", err)
	f.check(late < closePatience, "Close returns %v after its deadline", late)
	f.most("Close returns after its deadline at most, ms", float64(late.Milliseconds()))
	_, err = w.acme.Execute(context.Background(), hub.Call{Connector: "con-0", Request: paths[0]})
	f.check(codeOf(err) == hub.Closed, "a call after Close ends with %v", err)
}

// paths are the requests of a connector that is busy, by name.
var paths = []string{"api", "slow", "never", "stalls", "busy"}

// busy is a connector with tokens, whose calls end in all ways.
func (f *fixture) busy(i int) hub.Connector {
	con := f.authorized(ample, f.secure.Host())
	con.Name, con.Requests = fmt.Sprint("con-", i), nil
	for _, path := range paths {
		con.Requests = append(con.Requests, hub.Request{Name: path, Method: http.MethodGet, URL: f.secure.URL + "/" + path})
	}
	return con
}

// gone checks that no goroutine of a hub is left; those of the server's idle connections end
// a moment later.
func (f *fixture) gone(before int) {
	const spare = 4 // of the third party's
	after := runtime.NumGoroutine()
	for deadline := time.Now().Add(recovery); after > before+spare && time.Now().Before(deadline); after = runtime.NumGoroutine() {
		time.Sleep(10 * time.Millisecond)
	}
	f.check(after <= before+spare, "%d goroutines before, %d after", before, after)
	f.most("goroutines left at most", float64(max(0, after-before)))
}

// authenticated counts the tokens that a hub receives.
func authenticated(n *atomic.Int64) func(*hub.Options) {
	return func(o *hub.Options) {
		o.Observer = func(_ context.Context, e hub.Event) {
			if e.Op == "Authenticate" && e.Branch == hub.OnSuccess {
				n.Add(1)
			}
		}
	}
}

// persisted opens another hub on the store: the tokens that the first one received, it has.
// One whose answer was still on its way when the first was told to stop is fetched again.
func (f *fixture) persisted(store *memory.Store, keeper *keyset.Keyset, received int64) error {
	var again atomic.Int64
	w, err := newWorld(store, keeper, withoutCircuits, authenticated(&again))
	if err != nil {
		return err
	}
	for i := range closingConnectors {
		_, err := w.acme.Execute(context.Background(), hub.Call{Connector: fmt.Sprint("con-", i), Request: "api"})
		f.check(err == nil, "a call of the hub after: %v", err)
	}
	lost := again.Load() - (closingConnectors - received)
	f.check(lost == 0, "%d tokens received, of %d, and %d fetched again", received, closingConnectors, again.Load())
	f.add("tokens received before Close returned", float64(received))
	f.add("tokens received and lost", float64(lost))
	return w.end()
}
