package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/integrationhub/hub"
)

// effect is a kind of request, with what a repetition of it would mean.
type effect struct {
	name, method string
	retry        hub.Retry
	declared     bool // repeating it does no harm
}

var effectKinds = []effect{
	{"POST", http.MethodPost, hub.Retry{}, false},
	{"POST with an idempotency key", http.MethodPost, hub.Retry{IdempotencyHeader: "Idempotency-Key"}, false},
	{"POST, idempotent", http.MethodPost, hub.Retry{Attempts: 2, Idempotent: true}, true},
	{"GET", http.MethodGet, hub.Retry{Attempts: 2}, true},
}

// death is one case: a kind of request at a server that dies.
type death struct {
	effect
	warm, token bool // on a kept connection; with a token that is refused and renewed
	script
}

func (d death) String() string {
	return fmt.Sprintf("%s, warm %v, token %v, dies after %d bytes of the request, %d of the answer, reset %v",
		d.name, d.warm, d.token, d.request, d.answer, d.reset)
}

// offsets lets servers die at each byte of requests and answers.
func offsets(t *trial) {
	f := &fixture{trial: t}
	t.must(f.openSecure())
	defer f.secure.Close()
	var cases []death
	for _, e := range effectKinds {
		for _, d := range []death{{effect: e}, {effect: e, warm: true}, {effect: e, token: true}} {
			cases = append(cases, d.everywhere(t, f)...)
		}
	}
	each(len(cases), 32, func(i int) {
		if t.Context().Err() == nil {
			cases[i].run(t, f)
		}
	})
}

// everywhere are the cases of a kind: each byte, by a close and by a reset. In CI it is each of
// so many bytes, with the first and the last.
func (d death) everywhere(t *trial, f *fixture) (cases []death) {
	d.request, d.answer = -1, -1
	length, _, err := d.call(t.Context(), f)
	t.must(err)
	step := t.size(151, 11, 1)
	for _, d.reset = range []bool{false, true} {
		for n := range length + 1 {
			if n%step == 0 || n == 1 || n >= length-1 {
				d.request, d.answer = n, -1
				cases = append(cases, d)
			}
		}
		for n := range len(done) {
			if n%step == 0 || n == len(done)-1 {
				d.request, d.answer = -1, n
				cases = append(cases, d)
			}
		}
	}
	return cases
}

func (d death) run(t *trial, f *fixture) {
	seen, effects, err := d.call(t.Context(), f)
	var failed *hub.Error
	if !errors.As(err, &failed) {
		t.check(false, "%v: ends with %v", d, err)
		return
	}
	t.check(ends{hub.BadAnswer, hub.Unreachable}.has(failed.Code), "%v: ends with %v", d, err)
	t.check(failed.Sent || seen == 0, "%v: %d bytes came, and the error says that none was sent", d, seen)
	allowed := 1
	if d.declared {
		allowed = d.retry.Attempts + 1 // net/http repeats a GET by itself when a kept connection dies
	}
	t.check(effects <= allowed, "%v: %d side effects", d, effects)
	kind := "not declared idempotent: "
	if d.declared {
		kind = "idempotent: "
	}
	t.add(kind+"calls", 1)
	t.add(kind+"requests that came whole", float64(effects))
	t.most(kind+"side effects of a call at most", float64(effects))
	if !failed.Sent {
		t.add(kind+"calls that say that nothing was sent", 1)
	}
}

// call makes one call to a server that follows the script, with a hub of its own.
func (d death) call(ctx context.Context, f *fixture) (seen, effects int, err error) {
	s := d.script
	s.before = nil
	if d.warm {
		s.before = append(s.before, done)
	}
	if d.token {
		s.before = append(s.before, refusal)
	}
	m, err := newMortal(s)
	if err != nil {
		return 0, 0, err
	}
	w, err := newWorld(nil, nil)
	if err == nil {
		err = d.through(ctx, f, w, m.address())
		if ended := w.end(); ended != nil {
			err = ended
		}
	}
	m.end()
	return int(m.seen.Load()), int(m.effects.Load()), err
}

// through makes the connector, and calls.
func (d death) through(ctx context.Context, f *fixture, w *world, host string) error {
	con := f.connector(ample, d.method, "http://"+host+"/effects")
	if d.token {
		con = f.authorized(ample, f.secure.Host())
		con.Hosts = []string{f.secure.Host(), host}
		con.Requests = f.connector(ample, d.method, "http://"+host+"/effects").Requests
	}
	retry := d.retry
	con.Requests[0].Retry = &retry
	con.Requests = append(con.Requests, hub.Request{Name: "warm", Method: http.MethodGet, URL: "http://" + host + "/warm"})
	if !slices.Contains(con.Hosts, host) {
		con.Hosts = append(con.Hosts, host)
	}
	if err := authorize(ctx, w.acme, con); err != nil {
		return err
	}
	if d.warm {
		if _, err := w.acme.Execute(ctx, hub.Call{Connector: "con", Request: "warm"}); err != nil {
			return fmt.Errorf("the call before: %w", err)
		}
	}
	return execute(ctx, w.acme)
}
