package oauth

import (
	"encoding/base64"
	"net/url"
	"strings"
	"time"
)

// Method is how a client authenticates at the token endpoint, in the words of the registry
// "OAuth Token Endpoint Authentication Methods".
type Method string

// The methods.
const (
	None          Method = "none"                // a public client: client_id alone
	Basic         Method = "client_secret_basic" // RFC 6749 section 2.3.1
	Post          Method = "client_secret_post"  // RFC 6749 section 2.3.1
	PrivateKeyJWT Method = "private_key_jwt"     // RFC 7523 section 2.2
	TLS           Method = "tls_client_auth"     // RFC 8705 section 2
)

// Methods lists all.
var Methods = []Method{None, Basic, Post, PrivateKeyJWT, TLS}

// assertionType is the client_assertion_type of RFC 7523 section 2.2.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// assertionLife is how long an assertion is good for: one request, and the waits before its repeats.
const assertionLife = 5 * time.Minute

// Client is who asks for a token.
type Client struct {
	Method   Method
	ID       string
	Secret   string // of Basic and Post
	Key      *Key   // of PrivateKeyJWT
	Audience string // of PrivateKeyJWT: the issuer or the token endpoint
}

// Authenticate adds the client's authentication to a form, and returns the value of the
// Authorization header, empty if there is none. id makes the assertion unique.
func (c *Client) Authenticate(form url.Values, id string, now time.Time) (authorization string, err error) {
	if c.Method == Basic {
		pair := url.QueryEscape(c.ID) + ":" + url.QueryEscape(c.Secret)
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair)), nil
	}
	if c.ID != "" {
		form.Set("client_id", c.ID)
	}
	switch c.Method {
	case Post:
		form.Set("client_secret", c.Secret)
	case PrivateKeyJWT:
		assertion, err := c.Key.Sign(nil, c.claims(id, now))
		if err != nil {
			return "", err
		}
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", assertion)
	}
	return "", nil
}

func (c *Client) claims(id string, now time.Time) map[string]any {
	return map[string]any{
		"iss": c.ID, "sub": c.ID, "aud": c.Audience, "jti": id,
		"iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	}
}

// Names of grants (grant_type).
const (
	ClientCredentials = "client_credentials"
	RefreshToken      = "refresh_token"
	AuthorizationCode = "authorization_code"
	DeviceCode        = "urn:ietf:params:oauth:grant-type:device_code"
	JWTBearer         = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	TokenExchange     = "urn:ietf:params:oauth:grant-type:token-exchange"
	Password          = "password"
)

// Form starts the form of a token request.
func Form(grant, scope string, audience, resource []string) url.Values {
	form := url.Values{"grant_type": {grant}}
	if scope != "" {
		form.Set("scope", scope)
	}
	for _, a := range audience {
		form.Add("audience", a)
	}
	for _, r := range resource {
		form.Add("resource", r)
	}
	return form
}

// IsScope reports whether a text is a list of scopes (RFC 6749 section 3.3).
func IsScope(scope string) bool {
	return !strings.ContainsFunc(scope, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' })
}
