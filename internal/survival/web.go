package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// fixture is what all cases share: third parties, and a database.
type fixture struct {
	*trial
	plain    *httptest.Server
	secure   *hubtest.Server
	tokens   atomic.Int64
	arrivals arrivals
	db       *database
	redis    *redis.Options // of a server that is reached directly
}

func newFixture(t *trial) *fixture {
	f := &fixture{trial: t}
	f.plain = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		switch {
		case err != nil: // nobody waits for an answer
		case r.URL.Path == "/large":
			large.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/several/"):
			f.arrivals.ServeHTTP(w, r)
		default:
			answer.ServeHTTP(w, r)
		}
	}))
	t.must(f.openSecure())
	f.db = newDatabase(t)
	return f
}

// answer is what third parties say.
var answer = hubtest.JSON(http.StatusOK, map[string]string{"text": strings.Repeat("0123456789", 20)})

// large is a file, at a third party and from a caller.
var large = hubtest.Text(http.StatusOK, strings.Repeat("0123456789", largeSize/10))

const largeSize = 50_000

// openSecure starts the third party that has a token endpoint.
func (f *fixture) openSecure() error {
	secure, err := hubtest.Start()
	if err != nil {
		return err
	}
	f.secure = secure
	secure.Handle("/api", answer)
	secure.Handle("/large", large)
	secure.Handle("/several/", &f.arrivals)
	secure.Handle("POST /token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hubtest.JSON(http.StatusOK, map[string]any{
			"access_token": fmt.Sprintf("access-token-%08d", f.tokens.Add(1)), "token_type": "Bearer", "expires_in": 3600,
		}).ServeHTTP(w, r)
	}))
	return nil
}

func (f *fixture) end() {
	f.db.end()
	f.plain.Close()
	f.secure.Close()
}

// web are the ways over the links to third parties.
func (f *fixture) web() []way {
	plain, secure := f.plain.Listener.Addr().String(), f.secure.Host()
	var ways []way
	for _, kept := range []bool{false, true} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			ways = append(ways,
				way{link: "HTTP", name: method, kept: kept, server: plain, open: f.calls("http", method), ends: ofCalls},
				way{link: "HTTPS", name: method, kept: kept, server: secure, open: f.calls("https", method), ends: ofCalls},
			)
		}
		ways = append(ways, way{link: "token endpoint", name: "authenticate", kept: kept, server: secure, open: f.authenticates, ends: ofCalls})
	}
	for _, e := range largeKinds {
		ways = append(ways,
			way{link: "HTTP", name: e.name, server: plain, open: f.voyages("http", e), ends: ofCalls},
			way{link: "HTTPS", name: e.name, server: secure, open: f.voyages("https", e), ends: ofCalls},
		)
	}
	for i := range ways {
		ways[i].atOnce = 16
		if ways[i].kept {
			ways[i].name += " on a kept connection"
		}
	}
	return ways
}

// calls opens a hub that calls through the proxy.
func (f *fixture) calls(scheme, method string) func(context.Context, opening) (*road, error) {
	return func(ctx context.Context, o opening) (*road, error) {
		w, err := newWorld(nil, nil)
		if err != nil {
			return nil, err
		}
		con := f.connector(o.within, method, scheme+"://"+o.proxy.Addr()+"/api")
		_, err = connect(ctx, w.acme, con)
		if err != nil {
			return nil, errors.Join(err, w.end())
		}
		return &road{proxy: o.proxy, end: w.end, call: func(ctx context.Context) error { return execute(ctx, w.acme) }}, nil
	}
}

// largeKinds are the calls that take their time.
var largeKinds = []effect{
	{"a file as body", http.MethodPost, hub.Retry{Attempts: 2}, false, withFile},
	{"a stream", http.MethodGet, hub.Retry{Attempts: 2}, true, streamed},
}

// voyages opens a hub whose calls of some form go through the proxy.
func (f *fixture) voyages(scheme string, e effect) func(context.Context, opening) (*road, error) {
	return func(ctx context.Context, o opening) (*road, error) {
		w, err := newWorld(nil, nil)
		if err != nil {
			return nil, err
		}
		con := f.connector(o.within, e.method, scheme+"://"+o.proxy.Addr()+"/large")
		con.Requests[0].Retry = &e.retry
		if e.with != nil {
			e.with(&con.Requests[0])
		}
		if _, err = connect(ctx, w.acme, con); err != nil {
			return nil, errors.Join(err, w.end())
		}
		return &road{proxy: o.proxy, end: w.end, call: func(ctx context.Context) error { return f.voyage(ctx, w.acme, e) }}, nil
	}
}

// voyage makes one call of a form.
func (f *fixture) voyage(ctx context.Context, t *hub.Tenant, e effect) error {
	v := &voyage{tenant: t, call: hub.Call{Connector: "con", Request: "call"}, size: largeSize, luggage: &luggage{}}
	err := e.make(v, ctx)
	v.promise(v.luggage.left() == 0, "a file was not closed")
	f.check(len(v.faults) == 0, "%s: %q", e.name, v.faults)
	return err
}

func execute(ctx context.Context, t *hub.Tenant) error {
	_, err := t.Execute(ctx, hub.Call{Connector: "con", Request: "call"})
	return err
}

// connector has one request. It is sent twice at most, so that the pauses between attempts
// leave time before the deadline.
func (f *fixture) connector(within time.Duration, method, url string) hub.Connector {
	con := hub.Connector{
		Name: "con", Timeout: int(within.Milliseconds()), TLS: &hub.TLS{CA: string(f.secure.CA())},
		Requests: []hub.Request{{Name: "call", Method: method, URL: url, Retry: &hub.Retry{Attempts: 2}}},
	}
	if method == http.MethodPost {
		con.Requests[0].MediaType, con.Requests[0].Body = "application/json", `{"text": "`+strings.Repeat("0123456789", 20)+`"}`
	}
	return con
}

// authorized is a connector that fetches tokens, from a server of some host.
func (f *fixture) authorized(within time.Duration, tokenHost string) hub.Connector {
	con := f.connector(within, http.MethodGet, f.secure.URL+"/api")
	con.Auth = hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{
		TokenURL: "https://" + tokenHost + "/token", ClientAuth: hub.ClientPost,
	}}
	con.Secrets = []hub.Secret{{Name: "clientId"}, {Name: "clientSecret"}}
	return con
}

// authenticates opens a hub whose token endpoint is behind the proxy.
func (f *fixture) authenticates(ctx context.Context, o opening) (*road, error) {
	w, err := newWorld(nil, nil)
	if err != nil {
		return nil, err
	}
	if err := authorize(ctx, w.acme, f.authorized(o.within, o.proxy.Addr())); err != nil {
		return nil, errors.Join(err, w.end())
	}
	call := func(ctx context.Context) error {
		_, err := w.acme.Authenticate(ctx, "con")
		if err == nil {
			err = execute(ctx, w.acme)
		}
		return err
	}
	return &road{proxy: o.proxy, end: w.end, call: call}, nil
}

// authorize makes a connector and sets its credentials.
func authorize(ctx context.Context, t *hub.Tenant, con hub.Connector) error {
	con, err := connect(ctx, t, con)
	for _, s := range con.Secrets {
		if err == nil {
			err = t.SetSecret(ctx, con.ID, s.Name, secrets.New("a credential of "+s.Name))
		}
	}
	return err
}
