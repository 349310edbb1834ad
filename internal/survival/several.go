package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// several are the ways of what is more than a call and its answer, over links to third parties:
// an SDK that reads by itself, a walk over pages, a batch. Halfway, the link becomes sick when there
// is a part of the answer, or a page.
func (f *fixture) several() []way {
	plain, secure := f.plain.Listener.Addr().String(), f.secure.Host()
	var ways []way
	for _, w := range []way{
		{name: "an SDK's POST", open: f.series((*series).lend)},
		{name: "an SDK's POST, halfway", kept: true, halfway: true, downward: true, open: f.series((*series).lend)},
		{name: "pages", open: f.series((*series).walk)},
		{name: "pages, halfway", kept: true, halfway: true, open: f.series((*series).walk)},
		{name: "a batch", open: f.series((*series).batch)},
		{name: "a batch on a kept connection", kept: true, open: f.series((*series).batch)},
	} {
		w.atOnce, w.ends = 12, ofCalls
		w.link, w.server = "HTTP", plain
		ways = append(ways, w)
		w.link, w.server = "HTTPS", secure
		ways = append(ways, w)
	}
	return ways
}

// series makes calls that are told apart: POST requests that are not declared idempotent, each
// with a place of its own.
type series struct {
	*fixture
	road   *road
	tenant *hub.Tenant
	base   string

	sent []sent
}

// sent is a request that was to be sent, once, and how its caller was told that it ended.
type sent struct {
	place string
	err   error
}

// series opens a hub whose calls go through the proxy.
func (f *fixture) series(call func(*series, context.Context) error) func(context.Context, opening) (*road, error) {
	return func(ctx context.Context, o opening) (*road, error) {
		w, err := newWorld(nil, nil)
		if err != nil {
			return nil, err
		}
		s := &series{fixture: f, tenant: w.acme, base: "http://" + o.proxy.Addr(), road: &road{proxy: o.proxy}}
		if o.secure {
			s.base = "https://" + o.proxy.Addr()
		}
		con := f.connector(o.within, http.MethodPost, s.base+"/several/{{place}}")
		r := &con.Requests[0]
		r.Trigger, r.PayloadMode = hub.TriggerStudio, hub.PayloadMapped
		r.Pagination = &hub.Pagination{Kind: hub.PageCursor, Next: "next", Param: "after"}
		if _, err := connect(ctx, w.acme, con); err != nil {
			return nil, errors.Join(err, w.end())
		}
		s.road.call = func(ctx context.Context) error { return call(s, ctx) }
		s.road.end = func() error {
			err := w.end()
			s.judge()
			return err
		}
		return s.road, nil
	}
}

// judge holds what arrived against what callers were told: nothing arrived twice, what went well
// did, and what is said not to have been sent did not.
func (s *series) judge() {
	for _, one := range s.sent {
		n := s.arrivals.at(one.place)
		var failed *hub.Error
		switch {
		case one.err == nil:
			s.check(n == 1, "%s: arrived %d times, and went well", one.place, n)
		case errors.As(one.err, &failed) && !failed.Sent:
			s.check(n == 0, "%s: arrived %d times, and the error says that it was not sent: %v", one.place, n, one.err)
		default:
			s.check(n <= 1, "%s: arrived %d times: %v", one.place, n, one.err)
		}
	}
}

// told notes how a request ended.
func (s *series) told(place string, err error) { s.sent = append(s.sent, sent{place, err}) }

// to is a call with a place.
func (s *series) to(place string) hub.Call {
	payload, _ := json.Marshal(map[string]string{"place": place}) // of texts
	return hub.Call{Connector: "con", Request: "call", Payload: payload}
}

// lend sends as an SDK does, and reads the answer: all of it, or an error.
func (s *series) lend(ctx context.Context) (err error) {
	client, err := s.tenant.HTTPClient(ctx, "con")
	if err != nil {
		return err
	}
	place := s.arrivals.place()
	more := s.arrivals.halves(place)
	defer func() { s.told(place, err) }()
	resp, err := client.Post(s.base+"/several/"+place, "application/json", strings.NewReader(`{"half": true}`))
	if err != nil {
		more()
		return err
	}
	s.road.strike()
	more()
	n, err := io.Copy(io.Discard, resp.Body)
	err = errors.Join(err, resp.Body.Close())
	s.check(n == largeSize || err != nil && n < largeSize, "%s: %d bytes of an answer were read, and then: %v", place, n, err)
	return lentBody(err)
}

// lentBody is how the reading of an answer ended, in the hub's words: who reads gets net/http's.
func lentBody(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return &hub.Error{Code: hub.Timeout, Sent: true}
	}
	return &hub.Error{Code: hub.BadAnswer, Sent: true}
}

// allPages is how many pages there are.
const allPages = 3

// walk goes over the pages: those before an error stay, and it ends the walk.
func (s *series) walk(ctx context.Context) (failed error) {
	place := s.arrivals.place()
	var pages []*hub.Result
	for page, err := range s.tenant.ExecutePages(ctx, s.to(place), nil) {
		s.check(failed == nil, "%s: the walk goes on after %v", place, failed)
		failed = err
		s.told(fmt.Sprint(place, "/", len(pages)+1), err)
		if err == nil {
			pages = append(pages, page)
			s.road.strike()
		}
	}
	s.check(failed != nil || len(pages) == allPages, "%s: a walk that went well has %d pages", place, len(pages))
	for i, page := range pages {
		s.check(page.Get("page").Int() == int64(i+1), "%s: page %d is %q", place, i+1, page.Body)
	}
	for n := len(pages) + 2; n <= allPages; n++ {
		s.told(fmt.Sprint(place, "/", n), &hub.Error{}) // nobody came so far
	}
	return failed
}

// items is how many calls a batch has.
const items = 4

// batch makes several calls at once: each of them ends, once, and is written down, once.
func (s *series) batch(ctx context.Context) error {
	var calls []hub.BatchCall
	for range items {
		place := s.arrivals.place()
		calls = append(calls, hub.BatchCall{Key: place, Call: s.to(place)})
	}
	var recorded atomic.Int64
	opts := &hub.BatchOptions{Record: func(context.Context, hub.BatchResult, error) error {
		recorded.Add(1)
		return nil
	}}
	var all outcomes
	met := map[string]bool{}
	for end, err := range s.tenant.ExecuteAll(ctx, slices.Values(calls), opts) {
		s.check(!met[end.Call.Key], "%s: an end was told twice", end.Call.Key)
		met[end.Call.Key] = true
		s.told(end.Call.Key+"/1", err)
		all = append(all, err)
	}
	s.check(len(met) == items && recorded.Load() == items, "of %d calls %d ends were told and %d written down", items, len(met), recorded.Load())
	return all.failed()
}

// outcomes are the ends of several calls.
type outcomes []error

// Error says how many there are.
func (o outcomes) Error() string { return fmt.Sprintf("%d ends: %v", len(o), []error(o)) }

// failed is nil if all calls went well.
func (o outcomes) failed() error {
	if slices.ContainsFunc(o, func(err error) bool { return err != nil }) {
		return o
	}
	return nil
}

// endsOf returns the ends that an error stands for.
func endsOf(err error) []error {
	if all, ok := err.(outcomes); ok {
		return all
	}
	return []error{err}
}

// arrivals count the requests that came whole, by their place. A place has pages, numbered from
// 1, or an answer in two halves.
type arrivals struct {
	mu    sync.Mutex
	last  int
	count map[string]int           // :: place/page → requests
	more  map[string]chan struct{} // :: place → closed when the second half may come
}

// place makes one.
func (a *arrivals) place() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	return fmt.Sprint("place-", a.last)
}

// at counts the requests of a place, or of one of its pages.
func (a *arrivals) at(place string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.count[place]
}

// halves lets a place answer in two halves. The second waits until more is called.
func (a *arrivals) halves(place string) (more func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.more == nil {
		a.more = map[string]chan struct{}{}
	}
	ready := make(chan struct{})
	a.more[place] = ready
	return func() { close(ready) }
}

// note counts a request, and tells what its answer waits for; nil: it does not.
func (a *arrivals) note(place, page string) <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.count == nil {
		a.count = map[string]int{}
	}
	more := a.more[place]
	if more == nil {
		place += "/" + page
	}
	a.count[place]++
	return more
}

// ServeHTTP answers a request that has come whole: by a page, or by two halves.
func (a *arrivals) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	page := 1
	if after := r.URL.Query().Get("after"); after != "" {
		_, _ = fmt.Sscan(after, &page) // what is no number is an answer with no page of ours
	}
	more := a.note(strings.TrimPrefix(r.URL.Path, "/several/"), fmt.Sprint(page))
	if more == nil {
		text := map[string]any{"page": page, "text": strings.Repeat("0123456789", 20)}
		if page < allPages {
			text["next"] = fmt.Sprint(page + 1)
		}
		hubtest.JSON(http.StatusOK, text).ServeHTTP(w, r)
		return
	}
	half := strings.Repeat("0123456789", largeSize/20)
	_, _ = io.WriteString(w, half) // a client that has gone needs none
	_ = http.NewResponseController(w).Flush()
	select {
	case <-more:
		_, _ = io.WriteString(w, half)
	case <-r.Context().Done():
	}
}
