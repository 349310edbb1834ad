package hub_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// connect saves a connector "App" with one request, "me", and sets its secrets.
func connect(ctx context.Context, h *hub.Hub, srv *hubtest.Server, con hub.Connector, values map[string]string) error {
	con.Name = "App"
	if con.TLS == nil {
		con.TLS = &hub.TLS{CA: string(srv.CA())}
	}
	con.Requests = []hub.Request{{Name: "me", Method: "GET", URL: srv.URL + "/me"}}
	tpl := hub.Template{Name: "App", AuthType: con.Auth.Kind, Methods: []string{"GET"}, Fields: hub.AuthFields(con.Auth.Kind)}
	_, con, err := h.CreateTemplateAndConnector(ctx, tpl, con)
	for name, value := range values {
		if err == nil {
			err = h.SetSecret(ctx, con.ID, name, secrets.New(value))
		}
	}
	return err
}

// me runs the request and prints what the application saw.
func me(ctx context.Context, h *hub.Hub, srv *hubtest.Server, headers ...string) {
	if _, err := h.Execute(ctx, hub.Call{Connector: "App", Request: "me"}); err != nil {
		fmt.Println(err)
		return
	}
	sent := srv.Requests()
	for _, name := range headers {
		fmt.Println(name+":", sent[len(sent)-1].Header.Get(name))
	}
}

// OAuth 2.0 for the application itself: the form asks for clientId and clientSecret, and the
// connector says how the client authenticates.
func ExampleOAuth() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	srv.Handle("POST /token", hubtest.Token("t-0123456789", time.Hour))
	srv.Handle("GET /me", hubtest.JSON(200, map[string]string{"name": "Ada"}))

	err := connect(ctx, h, srv, hub.Connector{
		Auth: hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{
			TokenURL: srv.URL + "/token", ClientAuth: hub.ClientBasic, Scope: "read",
		}},
		Variables: map[string]string{"clientId": "hub"},
	}, map[string]string{"clientSecret": "s-0123456789"})
	if err != nil {
		fmt.Println(err)
		return
	}
	me(ctx, h, srv, "Authorization")
	fmt.Println("token request:", string(srv.Requests()[0].Body))
	// Output:
	// Authorization: Bearer t-0123456789
	// token request: grant_type=client_credentials&scope=read
}

// OAuth 2.0 with a person's consent, in a small web application: /connect sends the browser
// to the authorization server, which sends it back to /connected.
func ExampleTenant_AuthorizeURL() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	srv.Handle("POST /token", hubtest.Token("t-0123456789", time.Hour))
	srv.Handle("GET /me", hubtest.JSON(200, map[string]string{"name": "Ada"}))
	// The server asks the person, and sends the browser back with a code.
	srv.Handle("GET /authorize", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		http.Redirect(w, r, q.Get("redirect_uri")+"?code=c-0123456789&state="+q.Get("state"), http.StatusFound)
	}))

	session := func(r *http.Request) string { // of the host application's own
		cookie, err := r.Cookie("session")
		if err != nil {
			return ""
		}
		return cookie.Value
	}
	app := http.NewServeMux()
	app.HandleFunc("GET /connect", func(w http.ResponseWriter, r *http.Request) {
		target, err := h.AuthorizeURL(r.Context(), "App", session(r))
		if err != nil {
			http.Error(w, "cannot connect", http.StatusInternalServerError)
			return
		}
		http.Redirect(w, r, target, http.StatusFound)
	})
	app.HandleFunc("GET /connected", func(w http.ResponseWriter, r *http.Request) {
		if _, err := h.CompleteAuthorization(r.Context(), r.URL.Query(), session(r)); err != nil {
			http.Error(w, "not connected", http.StatusForbidden)
			return
		}
		fmt.Fprintln(w, "connected")
	})

	err := connect(ctx, h, srv, hub.Connector{
		Auth: hub.Auth{Kind: hub.AuthAuthorizationCode, OAuth: &hub.OAuth{
			AuthorizationURL: srv.URL + "/authorize", TokenURL: srv.URL + "/token",
			RedirectURL: "https://app.example.com/connected", ClientAuth: hub.ClientPost,
		}},
		Variables: map[string]string{"clientId": "hub"},
	}, map[string]string{"clientSecret": "s-0123456789"})
	if err != nil {
		fmt.Println(err)
		return
	}
	visit := func(path string) *http.Response { // as the browser does
		r := httptest.NewRequest("GET", path, nil)
		r.AddCookie(&http.Cookie{Name: "session", Value: "0123456789abcdef"})
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		return w.Result()
	}
	browser := srv.Client()
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer browser.CloseIdleConnections()
	resp, err := browser.Get(visit("/connect").Header.Get("Location"))
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close() // it is empty
	fmt.Println(visit(resp.Header.Get("Location")).Status)
	me(ctx, h, srv, "Authorization")
	// Output:
	// 200 OK
	// Authorization: Bearer t-0123456789
}

// A two-step token: a request that logs in, whose answer carries a session for a while.
func ExampleSession() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	srv.Handle("POST /login", hubtest.JSON(200, map[string]any{"session": map[string]any{"id": "s-0123456789", "ttlMs": 900_000}}))
	srv.Handle("GET /me", hubtest.JSON(200, map[string]string{"name": "Ada"}))

	err := connect(ctx, h, srv, hub.Connector{
		Auth: hub.Auth{
			Kind:    hub.AuthSession,
			Request: &hub.AuthRequest{URL: srv.URL + "/login", MediaType: "application/json", Body: `{"user": "hub", "password": "[[password]]"}`},
			Session: &hub.Session{
				Path: "session.id", Name: "X-Session",
				Expires: &hub.SessionExpiry{Path: "session.ttlMs", Form: "milliseconds"},
			},
		},
		Secrets: []hub.Secret{{Name: "password"}},
	}, map[string]string{"password": "p-0123456789"})
	if err != nil {
		fmt.Println(err)
		return
	}
	me(ctx, h, srv, "X-Session")
	me(ctx, h, srv, "X-Session")
	fmt.Println("requests:", len(srv.Requests()))
	// Output:
	// X-Session: s-0123456789
	// X-Session: s-0123456789
	// requests: 3
}

// Mutual TLS: the connector shows a client certificate, whose private key is a secret. Other
// kinds of authentication go with it.
func ExampleTLS() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	srv.RequireClientCert()
	srv.Handle("GET /me", hubtest.JSON(200, map[string]string{"name": "Ada"}))
	certificate, key, err := srv.ClientCert("hub")
	if err != nil {
		fmt.Println(err)
		return
	}

	err = connect(ctx, h, srv, hub.Connector{
		TLS:     &hub.TLS{CA: string(srv.CA()), Certificate: string(certificate), Key: "certificateKey"},
		Secrets: []hub.Secret{{Name: "certificateKey"}},
	}, map[string]string{"certificateKey": string(key)})
	if err != nil {
		fmt.Println(err)
		return
	}
	me(ctx, h, srv)
	fmt.Println("seen:", srv.Requests()[0].ClientCert.Subject.CommonName)
	// Output: seen: hub
}

// Signed requests: the text that is signed, and the headers that carry the signature, are
// declared. Each attempt is signed anew.
func ExampleHMAC() {
	ctx := context.Background()
	h, srv, done := exampleHub()
	defer done()
	srv.Handle("GET /me", hubtest.JSON(200, map[string]string{"name": "Ada"}))

	err := connect(ctx, h, srv, hub.Connector{
		Auth: hub.Auth{Kind: hub.AuthHMAC, HMAC: &hub.HMAC{
			Canonical: "{method}\n{path}\n{body-sha256}",
			Headers:   []hub.Header{{Name: "X-Signature", Value: "keyId=hub,signature={signature}"}},
		}},
	}, map[string]string{"signingKey": "k-0123456789"})
	if err != nil {
		fmt.Println(err)
		return
	}
	me(ctx, h, srv, "X-Signature")
	// Output: X-Signature: keyId=hub,signature=e80c706c4fda64948f05e98d2abdfc5d9c832cf0d25e80ae10ddef011160efaf
}
