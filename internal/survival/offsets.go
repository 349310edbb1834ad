package main

import (
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
	form
}

var (
	keyed = hub.Retry{IdempotencyHeader: "Idempotency-Key"}
	again = hub.Retry{Attempts: 2, Idempotent: true}
)

var effectKinds = []effect{
	{"POST", http.MethodPost, hub.Retry{}, false, execution},
	{"POST with an idempotency key", http.MethodPost, keyed, false, execution},
	{"POST, idempotent", http.MethodPost, again, true, execution},
	{"GET", http.MethodGet, hub.Retry{Attempts: 2}, true, execution},
}

// formKinds are the calls that are more than a request and an answer.
var formKinds = []effect{
	{"a form with a file", http.MethodPost, hub.Retry{}, false, withForm},
	{"a form with a file, idempotent", http.MethodPost, again, true, withForm},
	{"a file as body, with an idempotency key", http.MethodPost, keyed, false, withFile},
	{"a file that can be read once, idempotent", http.MethodPost, again, false, onceOnly},
	{"a stream by POST", http.MethodPost, hub.Retry{}, false, streamed},
	{"a stream by GET", http.MethodGet, hub.Retry{Attempts: 2}, true, streamed},
	{"an SDK's POST with an idempotency key", http.MethodPost, hub.Retry{}, false, lent},
	{"pages by POST", http.MethodPost, hub.Retry{}, false, paged},
	{"pages by GET", http.MethodGet, hub.Retry{Attempts: 2}, true, paged},
	{"a batch's POST", http.MethodPost, keyed, false, batched},
	{"a batch's POST, idempotent", http.MethodPost, again, true, batched},
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
func offsets(t *trial) { t.deaths(effectKinds, t.size(151, 11, 1)) }

// forms does so with files, streams, SDKs, pages and batches.
func forms(t *trial) { t.deaths(formKinds, t.size(301, 97, 1)) }

// deaths lets servers die at each byte, or at each of so many.
func (t *trial) deaths(kinds []effect, step int) {
	f := &fixture{trial: t}
	t.must(f.openSecure())
	defer f.secure.Close()
	var cases []death
	for _, e := range kinds {
		for _, d := range []death{{effect: e}, {effect: e, warm: true}, {effect: e, token: true}} {
			if !d.token || !d.single {
				cases = append(cases, d.everywhere(t, f, step)...)
			}
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
func (d death) everywhere(t *trial, f *fixture, step int) (cases []death) {
	d.request, d.answer = -1, -1
	length, _, err := d.call(t, f)
	t.must(err)
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
	seen, effects, err := d.call(t, f)
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
func (d death) call(t *trial, f *fixture) (seen, effects int, err error) {
	s := d.script
	s.before = nil
	if d.warm {
		s.before = append(s.before, done)
	}
	if d.token {
		s.before = append(s.before, refusal)
	}
	if d.first != "" {
		s.before = append(s.before, d.first)
	}
	m, err := newMortal(s)
	if err != nil {
		return 0, 0, err
	}
	w, err := newWorld(nil, nil)
	if err != nil {
		return 0, 0, err
	}
	err = d.through(t, f, w, m.address())
	if ended := w.end(); ended != nil {
		err = ended
	}
	m.end()
	return int(m.seen.Load()), int(m.effects.Load()), err
}

// through makes the connector, and calls.
func (d death) through(t *trial, f *fixture, w *world, host string) error {
	con := f.connector(ample, d.method, "http://"+host+"/effects")
	if d.token {
		con = f.authorized(ample, f.secure.Host())
		con.Hosts = []string{f.secure.Host(), host}
		con.Requests = f.connector(ample, d.method, "http://"+host+"/effects").Requests
	}
	retry := d.retry
	con.Requests[0].Retry = &retry
	if d.with != nil {
		d.with(&con.Requests[0])
	}
	con.Requests = append(con.Requests, hub.Request{Name: "warm", Method: http.MethodGet, URL: "http://" + host + "/warm"})
	if !slices.Contains(con.Hosts, host) {
		con.Hosts = append(con.Hosts, host)
	}
	if err := authorize(t.Context(), w.acme, con); err != nil {
		return err
	}
	if d.warm {
		if _, err := w.acme.Execute(t.Context(), hub.Call{Connector: "con", Request: "warm"}); err != nil {
			return fmt.Errorf("the call before: %w", err)
		}
	}
	v := &voyage{
		tenant: w.acme, call: hub.Call{Connector: "con", Request: "call"}, size: 40, luggage: &luggage{},
		method: d.method, url: con.Requests[0].URL, want: `{"done":true}`,
	}
	err := d.make(v, t.Context())
	v.promise(v.luggage.left() == 0, "a file was not closed")
	for _, fault := range v.faults {
		t.check(false, "%v: %s", d, fault)
	}
	return err
}
