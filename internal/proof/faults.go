package main

import (
	"net/http"
	"net/url"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

func itself(s string) string { return s }

func bearer(s string) string { return "Bearer " + s }

// credentials are kinds of authentication with a secret "key", or with a token or session that
// it fetches.
var credentials = []struct {
	name    string
	auth    func(tokenURL string) hub.Auth
	shown   func(sent string) string // what an upstream makes of what it was sent
	fetches bool
}{
	{"key-header", fixed(hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{In: hub.InHeader, Name: "X-Key", Value: "[[key]]"}}), itself, false},
	{"key-query", fixed(hub.Auth{Kind: hub.AuthAPIKey, APIKey: &hub.APIKey{In: hub.InQuery, Name: "key", Value: "[[key]]"}}), itself, false},
	{"bearer", fixed(hub.Auth{Kind: hub.AuthBearer, Bearer: &hub.Bearer{Token: "[[key]]"}}), bearer, false},
	{"basic", fixed(hub.Auth{Kind: hub.AuthBasic, Basic: &hub.Basic{Username: "robot", Password: "[[key]]"}}), func(s string) string { return "robot:" + s }, false},
	{"hmac", fixed(hub.Auth{Kind: hub.AuthHMAC, HMAC: &hub.HMAC{
		Key: "[[key]]", Canonical: "{method} {path} {nonce}", Headers: []hub.Header{{Name: "X-Nonce", Value: "{nonce}"}, {Name: "X-Signature", Value: "{signature}"}},
	}}), itself, false},
	{"session", session, itself, true},
	{"client-post", grant(hub.AuthClientCredentials, hub.OAuth{ClientSecret: "[[key]]", ClientAuth: hub.ClientPost}), bearer, true},
	{"client-basic", grant(hub.AuthClientCredentials, hub.OAuth{ClientSecret: "[[key]]", ClientAuth: hub.ClientBasic}), bearer, true},
	{"password", grant(hub.AuthPassword, hub.OAuth{Username: "robot", Password: "[[key]]", ClientAuth: hub.ClientNone}), bearer, true},
	{"refresh-token", grant(hub.AuthRefreshToken, hub.OAuth{RefreshToken: "[[key]]", KeepsRefreshToken: true, ClientAuth: hub.ClientNone}), bearer, true},
	{"exchange", grant(hub.AuthTokenExchange, hub.OAuth{Exchange: &hub.Exchange{SubjectToken: "[[key]]"}, ClientAuth: hub.ClientNone}), bearer, true},
}

func fixed(a hub.Auth) func(string) hub.Auth { return func(string) hub.Auth { return a } }

func session(tokenURL string) hub.Auth {
	return hub.Auth{
		Kind:    hub.AuthSession,
		Request: &hub.AuthRequest{URL: tokenURL, Body: "user=robot&password=[[key]]"},
		Session: &hub.Session{Path: "access_token", Name: "X-Session"},
	}
}

func grant(kind hub.AuthKind, o hub.OAuth) func(string) hub.Auth {
	return func(tokenURL string) hub.Auth {
		o := o
		o.TokenURL, o.ClientID = tokenURL, "robot"
		return hub.Auth{Kind: kind, OAuth: &o}
	}
}

// faults are the ways in which an upstream shows what it was sent, good answers among them.
var faults = []struct {
	name    string
	handler func(echo string) http.Handler
	slow    bool
}{
	{name: "200", handler: answered(200)},
	{name: "201", handler: answered(201)},
	{name: "400", handler: answered(400)},
	{name: "401", handler: answered(401)},
	{name: "403", handler: answered(403)},
	{name: "404", handler: answered(404)},
	{name: "429", handler: answered(429)},
	{name: "500", handler: answered(500)},
	{name: "503", handler: answered(503)},
	{name: "error of a token endpoint", handler: func(echo string) http.Handler {
		return hubtest.JSON(400, map[string]string{"error": "invalid_grant", "error_description": echo, "error_uri": echo})
	}},
	{name: "error code", handler: func(echo string) http.Handler { return hubtest.JSON(400, map[string]string{"error": echo}) }},
	{name: "JSON", handler: func(echo string) http.Handler {
		return hubtest.JSON(200, map[string]any{"a": echo, "b": []string{echo}, echo: 1})
	}},
	{name: "bad JSON", handler: func(echo string) http.Handler {
		return hubtest.Bytes(200, "application/json", []byte(`{"a":"`+echo))
	}},
	{name: "headers", handler: func(echo string) http.Handler {
		a := hubtest.Status(200)
		for _, name := range []string{"X-Echo", "Set-Cookie", "Www-Authenticate", "Link", "Etag", "Content-Disposition", "Retry-After", "Date", "Content-Type"} {
			a = a.Header(name, echo)
		}
		return a
	}},
	{name: "redirect", handler: func(echo string) http.Handler {
		return hubtest.Status(302).Header("Location", "https://elsewhere.example.com/?q="+url.QueryEscape(echo))
	}},
	{name: "redirect that is no URL", handler: func(echo string) http.Handler { return hubtest.Status(307).Header("Location", "https://["+echo) }},
	{name: "not gzip", handler: func(echo string) http.Handler { return hubtest.Text(200, echo).Header("Content-Encoding", "gzip") }},
	{name: "unknown coding", handler: func(echo string) http.Handler { return hubtest.Text(200, echo).Header("Content-Encoding", echo) }},
	{name: "cut off", handler: func(echo string) http.Handler { return hubtest.Text(200, echo+" and more").DropAfter(len(echo)) }},
	{name: "cut off with an error", handler: func(echo string) http.Handler { return hubtest.Text(500, echo+" and more").DropAfter(len(echo)) }},
	{name: "hangs", handler: func(echo string) http.Handler { return hubtest.Text(200, echo+" and more").HangAfter(len(echo)) }, slow: true},
	{name: "no answer", handler: func(string) http.Handler { return hubtest.Hang() }, slow: true},
}

// answered shows the text in the body and in a header.
func answered(code int) func(string) http.Handler {
	return func(echo string) http.Handler {
		return hubtest.Text(code, "before "+echo+" after").Header("X-Echo", echo)
	}
}
