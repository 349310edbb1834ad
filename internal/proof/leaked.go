package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

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

// leak is a hub with a connector of each of the credentials, and an upstream that shows all it
// was given.
type leak struct {
	*trial
	hub *process
	srv *hubtest.Server

	signature                    atomic.Pointer[string] // that came with the last request
	answers, errs, events, texts int
}

// leaked echoes secrets in every encoding and place of good answers and bad ones, and looks for
// them in all that comes out.
func leaked(ctx context.Context, t *trial) (err error) {
	l := &leak{trial: t}
	if l.hub, err = start(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.hub.Close(ctx)) }()
	if l.srv, err = hubtest.Start(); err != nil {
		return err
	}
	defer l.srv.Close()
	for _, c := range credentials {
		if err := l.create(ctx, c.name, c.auth(l.srv.URL+"/token")); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	for round, enough := 0, t.size(500_000, 10_000_000); t.tried < enough && ctx.Err() == nil; round++ {
		if err := l.round(ctx, round); err != nil {
			return err
		}
	}
	t.note = fmt.Sprintf("%d texts: of %d answers, %d errors, %d events, the log; %d kinds of credentials, %d of answers",
		l.texts, l.answers, l.errs, l.events, len(credentials), len(faults))
	if l.answers == 0 || l.errs == 0 || l.events == 0 {
		return errors.New("there must be answers, errors and events")
	}
	return ctx.Err()
}

// create saves a connector with a secret "key" and a request "go".
func (l *leak) create(ctx context.Context, name string, auth hub.Auth) error {
	tpl, err := l.hub.CreateTemplate(ctx, hub.Template{Name: "T " + name, Methods: []string{"GET"}, AuthType: auth.Kind})
	if err != nil {
		return err
	}
	_, err = l.hub.CreateConnector(ctx, hub.Connector{
		ID: name, Name: name, Template: tpl.ID, Auth: auth, Secrets: []hub.Secret{{Name: "key"}}, Hosts: []string{l.srv.Host()},
		TLS: &hub.TLS{CA: string(l.srv.CA())},
		Requests: []hub.Request{
			{Name: "go", Method: "GET", URL: l.srv.URL + "/"},
			{Name: "read", Method: "GET", URL: l.srv.URL + "/", Outputs: map[string]hub.Output{"id": {Path: "missing.id"}}},
		},
	})
	return err
}

// round gives one of the connectors a fresh secret, and has it shown by every fault in one of
// the encodings, to calls and, where there is one, to the authentication.
func (l *leak) round(ctx context.Context, round int) error {
	c := credentials[round%len(credentials)]
	encode := encodings[l.rnd.IntN(len(encodings))]
	for i, f := range faults {
		if f.slow && round >= len(credentials) { // each kind of credentials waits once
			continue
		}
		secret := fmt.Sprintf("s3cr+t/%016x ü", l.rnd.Uint64())
		if err := l.hub.SetSecret(ctx, c.name, "key", secrets.New(secret)); err != nil {
			return err
		}
		hidden, sent := []string{secret}, secret
		if c.fetches {
			l.srv.Handle("/token", f.handler(encode(secret)))
			_ = l.try(ctx, f.slow, hidden, func(ctx context.Context) (*hub.Result, error) { return l.hub.Authenticate(ctx, c.name) })
			if err := l.hub.SetSecret(ctx, c.name, "key", secrets.New(secret)); err != nil { // what was refused is tried again
				return err
			}
			sent = fmt.Sprintf("t0ken.%016x%016x", l.rnd.Uint64(), l.rnd.Uint64())
			l.srv.Handle("/token", hubtest.JSON(http.StatusOK, map[string]string{"access_token": sent, "token_type": "Bearer"}))
			hidden = append(hidden, sent)
		}
		l.srv.Handle("/", l.noting(f.handler(encode(c.shown(sent)))))
		request := []string{"go", "read"}[i%2]
		err := l.try(ctx, f.slow, hidden, func(ctx context.Context) (*hub.Result, error) {
			return l.hub.Execute(ctx, hub.Call{Connector: c.name, Request: request})
		})
		if err != nil && f.name == "200" {
			return fmt.Errorf("%s: a good answer must come through: %w", c.name, err)
		}
	}
	return ctx.Err()
}

// noting shows the signature of a request too, and notes it.
func (l *leak) noting(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s := r.Header.Get("X-Signature"); s != "" {
			l.signature.Store(&s)
			w.Header().Set("X-Signed", s)
		}
		h.ServeHTTP(w, r)
	})
}

// patience is how long a call waits for an upstream that does not answer.
const patience = 100 * time.Millisecond

// try makes a call, looks for what is hidden in all that comes of it, and returns its error.
func (l *leak) try(ctx context.Context, slow bool, hidden []string, call func(context.Context) (*hub.Result, error)) error {
	if slow {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	l.signature.Store(nil)
	res, err := call(ctx)
	texts := append(chain(err), fmt.Sprintf("%+v", l.hub.Hub), l.hub.log.read())
	if err != nil {
		l.errs++
	}
	if res != nil {
		l.answers++
		texts = append(texts, string(res.Body), fmt.Sprintf("%+v", *res), fmt.Sprintf("%#v", *res))
		for _, values := range res.Header {
			texts = append(texts, values...)
		}
	}
	for _, e := range l.hub.taken() {
		l.events++
		texts = append(texts, fmt.Sprintf("%+v", e), fmt.Sprintf("%#v", e))
	}
	if s := l.signature.Load(); s != nil {
		hidden = append(hidden, *s)
	}
	l.search(texts, hidden)
	return err
}

// search counts what is hidden and stands in one of the texts, in whatever encoding.
func (l *leak) search(texts, hidden []string) {
	l.texts += len(texts)
	for _, s := range hidden {
		for _, encode := range encodings {
			needle := core(encode(s))
			for _, text := range texts {
				l.tried++
				if strings.Contains(text, needle) {
					l.failed++
				}
			}
		}
	}
}

// chain is what an error and all that it wraps say.
func chain(err error) []string {
	if err == nil {
		return nil
	}
	texts := []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		texts = append(texts, chain(e.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			texts = append(texts, chain(one)...)
		}
	}
	return texts
}
