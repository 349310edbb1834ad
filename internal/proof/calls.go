package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

// process is a hub that may call loopback, with what it reported last.
type process struct {
	*hub.Hub
	event hub.Event
}

func start() (*process, error) {
	keeper, err := keyset.Generate()
	if err != nil {
		return nil, err
	}
	p := &process{}
	p.Hub, err = hub.New(memory.New(), keeper, &hub.Options{
		Egress:   hub.Egress{AllowLoopback: true, AllowAnyPort: true},
		Observer: func(_ context.Context, e hub.Event) { p.event = e },
	})
	return p, err
}

// encodings are what an upstream makes of a credential that it echoes.
var encodings = []func(string) string{
	func(s string) string { return s },
	func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	func(s string) string { return base64.StdEncoding.EncodeToString([]byte("x" + s + "y")) },
	func(s string) string { return base64.URLEncoding.EncodeToString([]byte("xx" + s + "yy")) },
	func(s string) string { return hex.EncodeToString([]byte(s)) },
	func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
	url.QueryEscape,
	url.PathEscape,
}

// core is the part of an encoded text that its neighbours have no share in.
func core(encoded string) string { return encoded[4 : len(encoded)-4] }

// credentials are kinds of authentication with a secret that stands in each call.
var credentials = []struct {
	auth  hub.Auth
	wrong func(secret string) string // what an upstream may echo
}{
	{hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{In: hub.InHeader, Name: "X-Key", Value: "[[key]]"}}, func(s string) string { return s }},
	{hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{In: hub.InQuery, Name: "key", Value: "[[key]]"}}, func(s string) string { return s }},
	{hub.Auth{Kind: hub.AuthBearer, Bearer: &hub.Bearer{Token: "[[key]]"}}, func(s string) string { return "Bearer " + s }},
	{hub.Auth{Kind: hub.AuthBasic, Basic: &hub.Basic{Username: "robot", Password: "[[key]]"}}, func(s string) string { return "robot:" + s }},
}

// leaked echoes secrets in every encoding and place, and looks for them in all that comes out.
func leaked(ctx context.Context, t *trial) (err error) {
	p, err := start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close(ctx)) }()
	srv, err := hubtest.Start()
	if err != nil {
		return err
	}
	defer srv.Close()
	enough := t.size(100_000, 2_000_000)
	for i := range credentials {
		if err := p.connect(ctx, fmt.Sprint("con-", i), credentials[i].auth, srv); err != nil {
			return err
		}
	}
	for round := 0; t.tried < enough && ctx.Err() == nil; round++ {
		i := round % len(credentials)
		con := fmt.Sprint("con-", i)
		secret := fmt.Sprintf("s3cr+t/%016x ü", t.rnd.Uint64())
		if err := p.SetSecret(ctx, con, "key", secrets.New(secret)); err != nil {
			return err
		}
		for _, encode := range encodings {
			t.echo(ctx, p, srv, con, secret, encode(credentials[i].wrong(secret)))
		}
	}
	return ctx.Err()
}

// connect saves a connector with a secret "key" and a request "go".
func (p *process) connect(ctx context.Context, id string, auth hub.Auth, srv ...*hubtest.Server) error {
	tpl, err := p.CreateTemplate(ctx, hub.Template{Name: "T " + id, Methods: []string{"GET"}, AuthType: auth.Kind})
	if err != nil {
		return err
	}
	con := hub.Connector{
		ID: id, Name: id, Template: tpl.ID, Auth: auth, Secrets: []hub.Secret{{Name: "key"}},
		TLS: &hub.TLS{}, Requests: []hub.Request{},
	}
	for i, s := range srv {
		con.Hosts = append(con.Hosts, s.Host())
		con.TLS.CA += string(s.CA())
		con.Requests = append(con.Requests, hub.Request{Name: fmt.Sprint("go-", i), Method: "GET", URL: s.URL})
	}
	_, err = p.CreateConnector(ctx, con)
	return err
}

// echo has an upstream answer with what it must not show, in each place of an answer.
func (t *trial) echo(ctx context.Context, p *process, srv *hubtest.Server, con, secret, encoded string) {
	statuses := []int{200, 401, 500}
	srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", encoded)
		w.WriteHeader(statuses[t.tried%len(statuses)])
		_, _ = w.Write([]byte("before " + encoded + " after"))
	}))
	res, err := p.Execute(ctx, hub.Call{Connector: con, Request: "go-0"})
	texts := []string{fmt.Sprint(err), fmt.Sprintf("%#v", err), fmt.Sprintf("%+v", p.event), fmt.Sprintf("%+v", p.Hub)}
	if res != nil {
		texts = append(texts, string(res.Body), res.Header.Get("X-Echo"), fmt.Sprintf("%+v", *res))
	}
	var hidden []string
	for _, encode := range encodings {
		hidden = append(hidden, core(encode(secret)))
	}
	for _, text := range texts {
		for _, h := range hidden {
			t.tried++
			if strings.Contains(text, h) {
				t.failed++
			}
		}
	}
}

// places is a model of where each value may go.
type places struct {
	mu    sync.Mutex
	bound map[string][]string // :: value → hosts
	wrong int
}

// arrived judges a request that a host received.
func (p *places) arrived(host string, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if value := r.Header.Get("X-Key"); value != "" && !slices.Contains(p.bound[value], host) {
		p.wrong++
	}
}

// wrongHost lets one principal set values and another move the connector, with calls in
// between; a model knows where each value may arrive.
func wrongHost(ctx context.Context, t *trial) (err error) {
	p, err := start()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close(ctx)) }()
	model := &places{bound: map[string][]string{}}
	var srv []*hubtest.Server
	for range 3 {
		s, err := hubtest.Start()
		if err != nil {
			return err
		}
		defer s.Close()
		s.Handle("/", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { model.arrived(s.Host(), r) }))
		srv = append(srv, s)
	}
	if err := p.connect(ctx, "con", credentials[0].auth, srv...); err != nil {
		return err
	}
	for range t.size(10_000, 200_000) {
		t.tried++
		switch n := t.rnd.IntN(10); {
		case n == 0:
			err = t.move(ctx, p, srv)
		case n == 1:
			err = t.set(ctx, p, model)
		default: // most calls are refused, and nothing more is asked of them
			_, _ = p.Execute(ctx, hub.Call{Connector: "con", Request: fmt.Sprint("go-", t.rnd.IntN(len(srv)))})
		}
		if err != nil {
			return err
		}
	}
	model.mu.Lock()
	defer model.mu.Unlock()
	t.failed = model.wrong
	return ctx.Err()
}

// move gives the connector other hosts.
func (t *trial) move(ctx context.Context, p *process, srv []*hubtest.Server) error {
	con, err := p.GetConnector(ctx, "con")
	if err != nil {
		return err
	}
	con.Hosts, con.Requests = nil, nil
	always := t.rnd.IntN(len(srv))
	for i, s := range srv {
		if i == always || t.rnd.IntN(2) == 0 {
			con.Hosts = append(con.Hosts, s.Host())
			con.Requests = append(con.Requests, hub.Request{Name: fmt.Sprint("go-", i), Method: "GET", URL: s.URL})
		}
	}
	_, err = p.UpdateConnector(ctx, con)
	return err
}

// set gives the secret a value, which is bound to the hosts of the moment.
func (t *trial) set(ctx context.Context, p *process, model *places) error {
	con, err := p.GetConnector(ctx, "con")
	if err != nil {
		return err
	}
	value := fmt.Sprintf("value-%016x", t.rnd.Uint64())
	model.mu.Lock()
	model.bound[value] = con.Hosts
	model.mu.Unlock()
	return p.SetSecret(ctx, "con", "key", secrets.New(value))
}
