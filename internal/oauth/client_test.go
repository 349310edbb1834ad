package oauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/url"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/oauth"
)

var now = time.Unix(1_800_000_000, 0)

var p256 = elliptic.P256()

func pkcs8(t testing.TB, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	return key
}

func TestClientsAuthenticateAsDeclaredAndInNoOtherWay(t *testing.T) {
	private := ecKey(t, elliptic.P256())
	key, err := oauth.ParseKey(pkcs8(t, private), "", "k1")
	require.NoError(t, err)
	for method, want := range map[oauth.Method]url.Values{
		oauth.None:  {"client_id": {"a b"}},
		oauth.TLS:   {"client_id": {"a b"}},
		oauth.Basic: {},
		oauth.Post:  {"client_id": {"a b"}, "client_secret": {"s:%"}},
	} {
		form := url.Values{}
		c := oauth.Client{Method: method, ID: "a b", Secret: "s:%", Key: key}
		header, err := c.Authenticate(form, "id", now)
		require.NoError(t, err)
		assert.Equal(t, want, form, method)
		if method != oauth.Basic {
			assert.Empty(t, header, method)
			continue
		}
		assert.Equal(t, "Basic "+base64.StdEncoding.EncodeToString([]byte("a+b:s%3A%25")), header, "RFC 6749 section 2.3.1")
	}

	form := url.Values{}
	c := oauth.Client{Method: oauth.PrivateKeyJWT, ID: "me", Secret: "unused", Key: key, Audience: "https://as.example.com"}
	header, err := c.Authenticate(form, "once", now)
	require.NoError(t, err)
	assert.Empty(t, header)
	assert.Equal(t, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", form.Get("client_assertion_type"))
	assert.Empty(t, form.Get("client_secret"))
	token := verified(t, form.Get("client_assertion"), private.Public())
	assert.Equal(t, "k1", token.Header["kid"])
	assert.Equal(t, jwt.MapClaims{
		"iss": "me", "sub": "me", "aud": "https://as.example.com", "jti": "once", "iat": 1.8e9, "exp": 1.8e9 + 300,
	}, token.Claims)
}

// verified parses a token with a library's own check of the signature, at now.
func verified(t testing.TB, text string, public crypto.PublicKey) *jwt.Token {
	t.Helper()
	token, err := jwt.Parse(text, func(*jwt.Token) (any, error) { return public, nil },
		jwt.WithTimeFunc(func() time.Time { return now }))
	require.NoError(t, err)
	return token
}

func TestKeysSignWithTheAlgorithmsTheyFit(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	p256, p384, p521 := ecKey(t, elliptic.P256()), ecKey(t, elliptic.P384()), ecKey(t, elliptic.P521())
	sec1, err := x509.MarshalECPrivateKey(p256)
	require.NoError(t, err)
	for _, c := range []struct {
		text, algorithm, want string
		key                   crypto.Signer
	}{
		{pkcs8(t, rsaKey), "", "RS256", rsaKey},
		{pkcs8(t, rsaKey), "PS384", "PS384", rsaKey},
		{string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)})), "RS512", "RS512", rsaKey},
		{string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})), "", "ES256", p256},
		{pkcs8(t, p384), "", "ES384", p384},
		{pkcs8(t, p521), "ES512", "ES512", p521},
		{pkcs8(t, edKey), "", "EdDSA", edKey},
	} {
		key, err := oauth.ParseKey(c.text, c.algorithm, "")
		require.NoError(t, err, c.want)
		text, err := key.Sign(map[string]any{"typ": "x+jwt"}, map[string]any{"a": "b"})
		require.NoError(t, err)
		token := verified(t, text, c.key.Public())
		assert.Equal(t, map[string]any{"alg": c.want, "typ": "x+jwt"}, token.Header)
	}
	for name, c := range map[string]struct{ text, algorithm string }{
		"no PEM":              {"no-pem-secret", ""},
		"garbage in PEM":      {string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("no-pem-secret")})), ""},
		"algorithm of others": {pkcs8(t, p256), "RS256"},
		"none":                {pkcs8(t, p256), "none"},
		"symmetric":           {pkcs8(t, p256), "HS256"},
		"P-224":               {pkcs8(t, ecKey(t, elliptic.P224())), ""},
	} {
		_, err := oauth.ParseKey(c.text, c.algorithm, "")
		require.Error(t, err, name)
		assert.NotContains(t, err.Error(), "secret")
	}
}

func TestForm(t *testing.T) {
	assert.Equal(t, url.Values{"grant_type": {"password"}}, oauth.Form(oauth.Password, "", nil, nil))
	assert.Equal(t, url.Values{"grant_type": {"client_credentials"}, "scope": {"a b"}, "audience": {"x"}, "resource": {"y", "z"}},
		oauth.Form(oauth.ClientCredentials, "a b", []string{"x"}, []string{"y", "z"}))
	assert.True(t, oauth.IsScope("a b:c"))
	assert.False(t, oauth.IsScope("a\nb"))
	assert.False(t, oauth.IsScope(`"`))
}
