package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// places are where the secret of a connector stands in what it sends. The connector has the
// place's name, and so has the first segment of the paths that it calls.
var places = []string{"header", "query", "path", "body", "basic", "token"}

// grantPath is where the connector "token" fetches its tokens.
const grantPath = "/grant"

// walk lets one principal set values and another move connectors, with calls in between. It
// knows what they did, and nothing of how the hub decides.
type walk struct {
	*trial
	hub     *process
	srv     []*hubtest.Server
	refused map[string]int // :: place → calls refused for a binding

	mu      sync.Mutex          // guards what follows: servers write it
	bound   map[string][]string // :: value or token → hosts where it may arrive
	arrived map[string]int      // :: place → values that arrived where they may
	wrong   int                 // values that arrived elsewhere
}

// wrongHost edits hosts, addresses and values at random, and looks where values, and the tokens
// that were fetched with them, arrive.
func wrongHost(ctx context.Context, t *trial) (err error) {
	w := &walk{trial: t, refused: map[string]int{}, bound: map[string][]string{}, arrived: map[string]int{}}
	if w.hub, err = start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.hub.Close(ctx)) }()
	for range 3 {
		s, err := hubtest.Start()
		if err != nil {
			return err
		}
		defer s.Close()
		s.Handle("/", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.receive(rw, r, s.Host()) }))
		w.srv = append(w.srv, s)
	}
	for _, place := range places {
		if err := w.create(ctx, place); err != nil {
			return err
		}
	}
	for range t.size(10_000, 200_000) {
		t.tried++
		if err := w.step(ctx); err != nil {
			return err
		}
	}
	return errors.Join(w.count(), ctx.Err())
}

// count demands that in each place values arrived and calls were refused: what never happens
// proves nothing.
func (w *walk) count() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	arrived, refused := 0, 0
	for _, place := range places {
		if w.wrong == 0 && (w.arrived[place] == 0 || w.refused[place] == 0) {
			return fmt.Errorf("%s: %d values arrived, %d calls were refused: both must happen", place, w.arrived[place], w.refused[place])
		}
		arrived += w.arrived[place]
		refused += w.refused[place]
	}
	w.failed = w.wrong
	w.note = fmt.Sprintf("%d values arrived where they may, %d calls refused, in %d places each", arrived, refused, len(places))
	return nil
}

var valuePattern = regexp.MustCompile("value-[0-9a-f]{16}")

func (w *walk) value() string { return fmt.Sprintf("value-%016x", w.rnd.Uint64()) }

// receive judges what a host received, wherever in the request it stands.
func (w *walk) receive(rw http.ResponseWriter, r *http.Request, host string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	_, password, _ := r.BasicAuth()
	place, _, _ := strings.Cut(r.URL.Path[1:], "/")
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, value := range valuePattern.FindAllString(fmt.Sprint(r.RequestURI, r.Header, string(body), password), -1) {
		if !slices.Contains(w.bound[value], host) {
			w.wrong++
		}
		w.arrived[place]++
		if r.URL.Path == grantPath { // the token may go where its secret may
			token := fmt.Sprintf("value-%016x", len(w.bound))
			w.bound[token] = w.bound[value]
			hubtest.Token(token, time.Hour).ServeHTTP(rw, r)
		}
	}
}

func (w *walk) create(ctx context.Context, place string) error {
	kind := map[string]hub.AuthKind{"basic": hub.AuthBasic, "token": hub.AuthClientCredentials}[place]
	tpl, err := w.hub.CreateTemplate(ctx, hub.Template{Name: "T " + place, Methods: []string{"GET", "POST"}, AuthType: kind})
	if err != nil {
		return err
	}
	con := hub.Connector{ID: place, Name: place, Template: tpl.ID, Secrets: []hub.Secret{{Name: "key"}}, TLS: &hub.TLS{}}
	for _, s := range w.srv {
		con.TLS.CA += string(s.CA())
	}
	w.define(&con)
	_, err = w.hub.CreateConnector(ctx, con)
	return err
}

// define gives a connector other hosts, and requests to all of them.
func (w *walk) define(con *hub.Connector) {
	con.Hosts, con.Requests = nil, nil
	always := w.rnd.IntN(len(w.srv))
	for i, s := range w.srv {
		if i == always || w.rnd.IntN(2) == 0 {
			con.Hosts = append(con.Hosts, s.Host())
			con.Requests = append(con.Requests, requestTo(s, con.Name, i))
		}
	}
	switch con.Name {
	case "basic":
		con.Auth = hub.Auth{Kind: hub.AuthBasic, Basic: &hub.Basic{Username: "robot", Password: "[[key]]"}}
	case "token":
		con.Auth = hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{
			TokenURL: "https://" + con.Hosts[w.rnd.IntN(len(con.Hosts))] + grantPath,
			ClientID: "robot", ClientSecret: "[[key]]", ClientAuth: hub.ClientPost,
		}}
	}
}

// requestTo is a request that has the secret in its place.
func requestTo(s *hubtest.Server, place string, i int) hub.Request {
	r := hub.Request{Name: fmt.Sprint("go-", i), Method: "POST", URL: s.URL + "/" + place + "/"}
	switch place {
	case "header":
		r.Headers = []hub.Header{{Name: "X-Key", Value: "[[key]]"}}
	case "query":
		r.Query = []hub.Param{{Name: "key", Value: "[[key]]"}}
	case "path":
		r.URL += "[[key]]"
	case "body":
		r.Body = `{"key":"[[key]]"}`
	}
	return r
}

// step is one act of one of the principals, or a call.
func (w *walk) step(ctx context.Context) error {
	place := places[w.rnd.IntN(len(places))]
	switch w.rnd.IntN(10) {
	case 0:
		con, err := w.hub.GetConnector(ctx, place)
		if err != nil {
			return err
		}
		w.define(&con)
		_, err = w.hub.UpdateConnector(ctx, con)
		return err
	case 1:
		return w.set(ctx, place)
	default:
		err := w.call(ctx, place, w.rnd.IntN(len(w.srv)))
		if errors.Is(err, hub.Forbidden) && strings.Contains(err.Error(), "bound to") {
			w.refused[place]++
		}
		return ctx.Err()
	}
}

// set gives the secret a value, which is bound to the hosts of the moment.
func (w *walk) set(ctx context.Context, place string) error {
	con, err := w.hub.GetConnector(ctx, place)
	if err != nil {
		return err
	}
	value := w.value()
	w.mu.Lock()
	w.bound[value] = con.Hosts
	w.mu.Unlock()
	return w.hub.SetSecret(ctx, place, "key", secrets.New(value))
}

// call takes one of the roads out, to the host of that number.
func (w *walk) call(ctx context.Context, place string, i int) error {
	call := hub.Call{Connector: place, Request: fmt.Sprint("go-", i)}
	switch w.rnd.IntN(4) {
	case 0:
		_, err := w.hub.TestRequest(ctx, call)
		return err
	case 1:
		client, err := w.hub.HTTPClient(ctx, place)
		if err != nil {
			return err
		}
		return visit(ctx, client, w.srv[i].URL+"/"+place+"/")
	default:
		_, err := w.hub.Execute(ctx, call)
		return err
	}
}
