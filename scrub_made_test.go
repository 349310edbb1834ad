package hub_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
)

// What is made for one call alone is as secret as what it is made of: signatures, proofs of
// possession, assertions, the pair of a client's id and secret.
func TestCredentialsMadeForACallAreMasked(t *testing.T) {
	after := func(in, separator string) string { return in[strings.LastIndex(in, separator)+len(separator):] }
	hmac := func(encoding string) hub.Auth {
		return hub.Auth{Kind: hub.AuthHMAC, HMAC: &hub.HMAC{
			Encoding: encoding, Canonical: "{nonce}", Headers: []hub.Header{{Name: "X-Signature", Value: "{signature}"}},
		}}
	}
	oauth := func(way hub.ClientAuth, proof bool) hub.Auth {
		return hub.Auth{Kind: hub.AuthClientCredentials, OAuth: &hub.OAuth{ClientAuth: way, DPoP: proof}}
	}
	signature := func(r *http.Request) string { return r.Header.Get("X-Signature") }
	for name, c := range map[string]struct {
		auth hub.Auth
		made func(*http.Request) string // reads it where it is sent
	}{
		"HMAC":           {hmac("hex"), signature},
		"HMAC in base64": {hmac("base64"), signature},
		"AWS": {hub.Auth{Kind: hub.AuthAWS, AWS: &hub.AWS{Region: "eu-1", Service: "api"}},
			func(r *http.Request) string { return after(r.Header.Get("Authorization"), "Signature=") }},
		"proof of possession": {oauth(hub.ClientNone, true), func(r *http.Request) string { return after(r.Header.Get("DPoP"), ".") }},
		"assertion":           {oauth(hub.ClientPrivateKeyJWT, false), func(r *http.Request) string { return r.FormValue("client_assertion") }},
		"client's pair":       {oauth(hub.ClientBasic, false), func(r *http.Request) string { return after(r.Header.Get("Authorization"), " ") }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSweep(t)
			srv, trust := peers(t, 1)
			h := open(t, trust, s.watch).Tenant("acme")
			if c.auth.OAuth != nil {
				c.auth.OAuth.TokenURL = srv[0].URL + "/token"
			}
			con := kind(t, h, srv[0], c.auth, valuesFor(t, c.auth.Kind))
			for _, form := range echoes {
				made := make(chan string, 1)
				upstream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					text := c.made(r)
					made <- text
					w.Header().Set("X-Echo", form.encode(text))
					w.WriteHeader(http.StatusForbidden)
					_, _ = io.WriteString(w, `{"error":"bad `+jsonText(form.encode(text))+`"}`)
				})
				srv[0].Handle("/token", upstream)
				srv[0].Handle("/things", upstream)
				call := func() (*hub.Result, error) {
					return h.Execute(t.Context(), hub.Call{Connector: "con", Request: "read"})
				}
				if c.auth.OAuth != nil {
					setSecret(t, h, con.ID, "clientSecret", "p@ss/w:rd secret") // what was refused is tried again
					call = func() (*hub.Result, error) { return h.Authenticate(t.Context(), "con") }
				}
				res, err := call()
				require.NotNil(t, res, "%v", err)
				s.canaries = append(s.canaries[:0], canary(<-made))
				require.Contains(t, string(res.Body), "[secret]", form.name)
				s.check(form.name, err)
				s.check(form.name, res)
				s.text(form.name, string(res.Body))
				s.check(form.name, res.Header)
				s.end()
			}
		})
	}
}

// valuesFor are values for all that a kind of authentication asks for.
func valuesFor(t *testing.T, kind hub.AuthKind) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, f := range hub.AuthFields(kind) {
		values[f.Key] = "value-of-" + f.Key
	}
	if kind == hub.AuthClientCredentials {
		_, values["privateKey"] = signingKey(t)
	}
	return values
}
