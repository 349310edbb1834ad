package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/integrationhub/hub"
)

// storm are callers of foul servers, some of whom give up, and some of whom are careless.
type storm struct {
	*trial
	*world
	servers []*foul
	luggage luggage
}

// errand is a call of some form.
type errand struct {
	request string
	form    form
}

var errands = []errand{
	{"get", execution}, {"get", execution}, {"promised", execution}, {"secure", execution},
	{"post", execution}, {"post", execution}, {"post", execution}, {"post", batched},
	{"form", withForm}, {"file", withFile}, {"file", onceOnly},
	{"get", streamed}, {"get", lent}, {"pages", paged},
}

// connectFoul makes a connector for a foul server: over HTTP, and over HTTPS, which it does not
// speak.
func connectFoul(ctx context.Context, t *hub.Tenant, i int, host string) error {
	once := &hub.Retry{Attempts: 1}
	requests := []hub.Request{
		{Name: "get", Method: http.MethodGet, URL: "http://" + host + "/"},
		{Name: "post", Method: http.MethodPost, URL: "http://" + host + "/", MediaType: "text/plain", Body: "something"},
		{Name: "secure", Method: http.MethodGet, URL: "https://" + host + "/"},
		{Name: "promised", Method: http.MethodGet, URL: "http://" + host + "/",
			Outputs: map[string]hub.Output{"number": {Path: "not.there"}}},
		{Name: "form", Method: http.MethodPost, URL: "http://" + host + "/"},
		{Name: "file", Method: http.MethodPost, URL: "http://" + host + "/"},
		{Name: "pages", Method: http.MethodGet, URL: "http://" + host + "/"},
	}
	withForm.with(&requests[4])
	withFile.with(&requests[5])
	paged.with(&requests[6])
	for i := range requests {
		requests[i].Retry = once
	}
	_, err := connect(ctx, t, hub.Connector{
		Name: fmt.Sprint("con-", i), Hosts: []string{host}, Timeout: int(foulTimeout.Milliseconds()), Requests: requests,
	})
	return err
}

// rage makes so many calls.
func (s *storm) rage(calls int) {
	var running sync.WaitGroup
	for c := range callers {
		running.Go(func() {
			r := s.rand(1000 + c)
			for i := c; i < calls && s.Context().Err() == nil; i += callers {
				s.blow(r)
			}
		})
	}
	running.Wait()
}

// blow makes a call.
func (s *storm) blow(r *rand.Rand) {
	patience := time.Minute
	if r.IntN(10) == 0 {
		patience = time.Duration(r.IntN(3000)) * time.Microsecond
	}
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	i, e := r.IntN(len(s.servers)), errands[r.IntN(len(errands))]
	v := &voyage{
		tenant: s.acme, call: hub.Call{Connector: fmt.Sprint("con-", i), Request: e.request},
		method: http.MethodGet, url: "http://" + s.servers[i].listener.Addr().String() + "/",
		luggage: &s.luggage, size: sizeOf(r), careless: r.IntN(4) == 0,
	}
	code := codeOf(e.form.make(v, ctx))
	s.check(code != hub.Invalid && code != hub.NotFound && len(v.faults) == 0, "ends with %q: %q", code, v.faults)
	s.add("ends with "+named(string(code)), 1)
}

// sizeOf is the size of a file: a few are larger than what is written without being read.
func sizeOf(r *rand.Rand) int64 {
	switch r.IntN(64) {
	case 0:
		return 4 << 20
	case 1, 2, 3, 4, 5, 6, 7:
		return 64 << 10
	}
	return 100
}
