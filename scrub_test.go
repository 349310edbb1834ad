package hub_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// shapes are secrets as they occur.
var shapes = []string{
	"sk_live_0123456789abcdefghij",
	`p@ss/w"rd&<x>=100%+ it's`,
	"AbCdEf+/0123456789==",
	"Schlüssel-ключ-鍵-0123",
	"-----BEGIN KEY-----\nMIIabc/+123\n-----END KEY-----\n",
	`{"user":"svc","pass":"c4n4ry\\1"}`,
	"eyJhbGciOiJub25lIn0.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl",
}

// echoes are the forms in which programs give back what they got.
var echoes = []struct {
	name   string
	encode func(string) string
}{
	{"as it is", func(v string) string { return v }},
	{"JSON", func(v string) string { return jsonText(v) }},
	{"JSON in ASCII", func(v string) string { q := strconv.QuoteToASCII(v); return q[1 : len(q)-1] }},
	{"base64", func(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) }},
	{"base64 for URLs", func(v string) string { return base64.RawURLEncoding.EncodeToString([]byte(v)) }},
	{"base64 after a byte", func(v string) string { return base64.StdEncoding.EncodeToString([]byte(":" + v)) }},
	{"base64 after two, before more", func(v string) string { return base64.StdEncoding.EncodeToString([]byte("u:" + v + "\r\n")) }},
	{"hexadecimal", func(v string) string { return hex.EncodeToString([]byte(v)) }},
	{"hexadecimal in capitals", func(v string) string { return strings.ToUpper(hex.EncodeToString([]byte(v))) }},
	{"query", url.QueryEscape},
	{"path", url.PathEscape},
	{"HTML", html.EscapeString},
}

// places are where in an answer an echo stands.
var echoPlaces = []struct {
	name string
	put  func(w http.ResponseWriter, text string) (body string)
}{
	{"text", func(_ http.ResponseWriter, text string) string { return "you sent " + text + "." }},
	{"JSON value", func(w http.ResponseWriter, text string) string {
		w.Header().Set("Content-Type", "application/json")
		return `{"error":{"message":"bad key ` + jsonText(text) + ` given"},"list":["` + jsonText(text) + `"]}`
	}},
	{"JSON name", func(_ http.ResponseWriter, text string) string { return `{"` + jsonText(text) + `":1}` }},
	{"broken JSON", func(_ http.ResponseWriter, text string) string { return `{"key":"` + jsonText(text) + `",` }},
	{"deep JSON", func(_ http.ResponseWriter, text string) string {
		return strings.Repeat("[", 600) + `"` + jsonText(text) + `"` + strings.Repeat("]", 600)
	}},
	{"header", func(w http.ResponseWriter, text string) string { return header(w, "X-Echo", text) }},
	{"Location", func(w http.ResponseWriter, text string) string { return header(w, "Location", "/again?key="+text) }},
	{"cookie", func(w http.ResponseWriter, text string) string {
		return header(w, "Set-Cookie", "key="+text+"; HttpOnly")
	}},
}

// header puts text into a header as far as HTTP can carry it.
func header(w http.ResponseWriter, name, text string) string {
	w.Header().Set(name, strings.ReplaceAll(text, "\n", " "))
	return "{}"
}

// echo answers with what it was sent as {"k": …}, or with the token, in one form and place.
func echo(status int, zip bool, place func(http.ResponseWriter, string) string, encode func(string) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var sent struct{ K string }
		data, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(data, &sent)
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		body := place(w, encode(sent.K)+" "+encode(token))
		if zip {
			body = zipped(body)
			w.Header().Set("Content-Encoding", "gzip")
		}
		w.WriteHeader(status)
		for half := range 2 { // a secret may be cut by a chunk
			part := body[:len(body)/2]
			if half == 1 {
				part = body[len(body)/2:]
			}
			_, _ = io.WriteString(w, part)
			_ = http.NewResponseController(w).Flush()
		}
	})
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return b.String()
}

// echoConnector sends its secret in a JSON body, under a token.
func echoConnector(t *testing.T, h *hub.Tenant, srv *hubtest.Server, secret string) {
	t.Helper()
	const token = "eyJ0b2tlbiI.canary-of-the-token"
	con := tokenConnector(t, h, srv, func(c *hub.Connector) {
		c.Requests = []hub.Request{{Name: "r", Method: "POST", URL: srv.URL + "/echo", Body: `{"k":"[[key]]"}`,
			Outputs: map[string]hub.Output{"all": {Path: "@this", Default: json.RawMessage(`1`)}}}}
		c.Auth.Request.Body = `{"k":"[[key]]"}`
		c.Auth.Request.MediaType = "application/json"
	})
	srv.Handle("/token", hubtest.JSON(200, map[string]any{
		"access_token": token, "refresh_token": token + "-2", "nested": map[string]any{"list": []any{map[string]string{"sessionToken": token + "-3"}}},
	}))
	setSecret(t, h, con.ID, "key", secret)
}

// What is too deep to be read is masked as other JSON is: short secrets that are a whole value, and whatever is escaped.
func TestDeepAnswersAreMaskedAsJSON(t *testing.T) {
	for secret, echoed := range map[string]string{"p1n-42": "p1n-42", "a-longer-secret": `\u0061\u002dlonger-secret`} {
		srv, trust := peers(t, 1)
		h := open(t, trust).Tenant("acme")
		echoConnector(t, h, srv[0], secret)
		for _, depth := range []int{10, 600} {
			put := func(text string) string {
				return strings.Repeat("[", depth) + `"` + text + `"` + strings.Repeat("]", depth)
			}
			srv[0].Handle("/echo", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, put(echoed)) }))
			res, _ := execute(t, h, "r")
			require.NotNil(t, res)
			assert.Equal(t, put("[secret]"), string(res.Body))
		}
	}
}

// Whatever an upstream echoes, in whatever form, nobody reads the secret or the token in what
// comes back: result, outputs, error, event, log, Studio's variables.
func TestEchoedSecretsAreMasked(t *testing.T) {
	tokens := []string{"eyJ0b2tlbiI.canary-of-the-token", "eyJ0b2tlbiI.canary-of-the-token-2", "eyJ0b2tlbiI.canary-of-the-token-3"}
	for i, secret := range shapes {
		t.Run(fmt.Sprintf("shape %d", i), func(t *testing.T) {
			s := newSweep(t, append(tokens, secret)...)
			srv, trust := peers(t, 1)
			h := open(t, trust, s.watch).Tenant("acme")
			echoConnector(t, h, srv[0], secret)
			calls := 0
			for n, place := range echoPlaces {
				for m, form := range echoes {
					status, zip := []int{200, 403}[(n+m)%2], (n+m/2)%2 == 0
					srv[0].Handle("/echo", echo(status, zip, place.put, form.encode))
					s.calls(h, place.name+" "+form.name)
					calls++
				}
			}
			require.GreaterOrEqual(t, len(srv[0].Requests()), calls)
			require.JSONEq(t, `{"k":"`+jsonText(secret)+`"}`, string(srv[0].Requests()[calls].Body))
			s.end()
		})
	}
}

// calls runs the request on two roads and checks what they return.
func (s *sweep) calls(h *hub.Tenant, what string) {
	s.t.Helper()
	res, err := h.Execute(s.t.Context(), hub.Call{Connector: "con", Request: "r"})
	require.NotNil(s.t, res, "%s: %v", what, err)
	s.check(what+": result", res)
	s.text(what+": body", string(res.Body))
	s.check(what+": header", res.Header)
	s.check(what+": outputs", res.Outputs)
	if err != nil {
		s.check(what+": error", err)
	}
	if len(what)%4 != 0 { // the other road brings the same answers: some of them will do
		return
	}
	act, err := h.ConnectRequest(s.t.Context(), hub.ConnectRequestAction{ConnectName: "con", RequestName: "r"})
	require.NoError(s.t, err)
	s.check(what+": variables", act.Variables())
}

// The same of the authentication: its answer is shown by Authenticate and ConnectAuth, and its
// error code in the error.
func TestEchoesOfATokenEndpointAreMasked(t *testing.T) {
	for i, secret := range shapes {
		t.Run(fmt.Sprintf("shape %d", i), func(t *testing.T) {
			s := newSweep(t, secret)
			srv, trust := peers(t, 1)
			h := open(t, trust, s.watch).Tenant("acme")
			echoConnector(t, h, srv[0], secret)
			answer := func(_ http.ResponseWriter, text string) string {
				return `{"error":"` + jsonText("bad "+text) + `","error_description":"` + jsonText(text) + `"}`
			}
			for _, form := range echoes {
				srv[0].Handle("/token", echo(400, false, answer, form.encode))
				_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "r"})
				require.ErrorIs(t, err, hub.Unauthorized)
				require.ErrorContains(t, err, "bad ")
				s.check(form.name, err)
				act, err := h.ConnectAuth(t.Context(), hub.ConnectAuthAction{ConnectName: "con"})
				require.NoError(t, err)
				s.check(form.name, act.Err)
				s.check(form.name, act.Variables())
			}
			s.end()
		})
	}
}

// Tokens of an answer are masked wherever they lie, also in an answer that is no JSON.
func TestTokensOfAnAuthenticationAreMasked(t *testing.T) {
	const token = "canary-0123456789-token"
	answers := map[string]string{
		"flat":           `{"access_token":"` + token + `","token_type":"Bearer"}`,
		"nested":         `{"access_token":"other-9876543210","user":{"access_token":"` + token + `"}}`,
		"in a list":      `{"access_token":"other-9876543210","tokens":["` + token + `"]}`,
		"form":           "access_token=" + token + "&scope=repo",
		"without access": `{"refresh_token":"` + token + `"}`,
	}
	for name, body := range answers {
		t.Run(name, func(t *testing.T) {
			s := newSweep(t, token)
			srv, trust := peers(t, 1)
			h := open(t, trust, s.watch).Tenant("acme")
			echoConnector(t, h, srv[0], "another-secret")
			srv[0].Handle("/token", hubtest.Text(200, body))
			res, err := h.Authenticate(t.Context(), "con")
			require.NotNil(t, res)
			assert.Contains(t, string(res.Body), "[secret]")
			s.check("result", res)
			s.text("body", string(res.Body))
			if err != nil {
				s.check("error", err)
			}
			s.end()
		})
	}
}

// A short secret is masked where it is a whole value, and said to be short.
func TestShortSecretsAreMaskedAsWholeValues(t *testing.T) {
	srv, trust := peers(t, 1)
	h := open(t, trust).Tenant("acme")
	echoConnector(t, h, srv[0], "abc12")
	srv[0].Handle("/echo", hubtest.JSON(200, map[string]any{"k": "abc12", "text": "xabc12x"}).Header("X-Key", "abc12"))
	res, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "r"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"k":"[secret]","text":"xabc12x"}`, string(res.Body))
	assert.Equal(t, "[secret]", res.Header.Get("X-Key"))
	ready, err := h.Readiness(t.Context(), "con")
	require.NoError(t, err)
	require.Len(t, ready.Warnings, 1)
	assert.Equal(t, "short", ready.Warnings[0].Rule)
}

func jsonText(v string) string {
	data, _ := json.Marshal(v)
	return string(data[1 : len(data)-1])
}
