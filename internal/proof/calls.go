package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

// process is a hub that may call loopback, with what it reported last, and logged.
type process struct {
	*hub.Hub
	event hub.Event
	log   journal
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
		Logger:   slog.New(slog.NewJSONHandler(&p.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	return p, err
}

// journal keeps what was logged since it was read last.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) read() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	defer j.text.Reset()
	return j.text.String()
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

// credentials are kinds of authentication with a secret, or a token that a secret fetches, in
// each call.
var credentials = []struct {
	auth  hub.Auth
	wrong func(secret string) string // what an upstream may echo
}{
	{hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{In: hub.InHeader, Name: "X-Key", Value: "[[key]]"}}, func(s string) string { return s }},
	{hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{In: hub.InQuery, Name: "key", Value: "[[key]]"}}, func(s string) string { return s }},
	{hub.Auth{Kind: hub.AuthBearer, Bearer: &hub.Bearer{Token: "[[key]]"}}, func(s string) string { return "Bearer " + s }},
	{hub.Auth{Kind: hub.AuthBasic, Basic: &hub.Basic{Username: "robot", Password: "[[key]]"}}, func(s string) string { return "robot:" + s }},
	{hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{ClientID: "robot", ClientSecret: "[[key]]", ClientAuth: hub.ClientPost}}, func(s string) string { return "Bearer " + s }},
}

// issue has a server fetch the connector a token of the trial's own.
func (t *trial) issue(srv *hubtest.Server) string {
	token := fmt.Sprintf("t0ken.%016x%016x", t.rnd.Uint64(), t.rnd.Uint64())
	srv.Handle("/token", hubtest.JSON(http.StatusOK, map[string]string{"access_token": token, "token_type": "Bearer"}))
	return token
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
		auth := credentials[i].auth
		if auth.OAuth != nil {
			o := *auth.OAuth
			o.TokenURL, auth.OAuth = srv.URL+"/token", &o
		}
		if err := p.connect(ctx, fmt.Sprint("con-", i), auth, srv); err != nil {
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
		hidden, sent := []string{secret}, secret
		if credentials[i].auth.OAuth != nil {
			sent = t.issue(srv)
			hidden = append(hidden, sent)
		}
		for _, encode := range encodings {
			if err := t.echo(ctx, p, srv, con, hidden, encode(credentials[i].wrong(sent))); err != nil {
				return err
			}
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
func (t *trial) echo(ctx context.Context, p *process, srv *hubtest.Server, con string, secret []string, encoded string) error {
	statuses := []int{200, 401, 500}
	srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", encoded)
		w.WriteHeader(statuses[t.tried%len(statuses)])
		_, _ = w.Write([]byte("before " + encoded + " after"))
	}))
	res, err := p.Execute(ctx, hub.Call{Connector: con, Request: "go-0"})
	texts := []string{fmt.Sprint(err), fmt.Sprintf("%#v", err), fmt.Sprintf("%+v", p.event), fmt.Sprintf("%+v", p.Hub), p.log.read()}
	if res == nil {
		return fmt.Errorf("no answer came: %w", err)
	}
	texts = append(texts, string(res.Body), res.Header.Get("X-Echo"), fmt.Sprintf("%+v", *res))
	var hidden []string
	for _, s := range secret {
		for _, encode := range encodings {
			hidden = append(hidden, core(encode(s)))
		}
	}
	for _, text := range texts {
		for _, h := range hidden {
			t.tried++
			if strings.Contains(text, h) {
				t.failed++
			}
		}
	}
	return nil
}
