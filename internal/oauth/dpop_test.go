package oauth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"net/url"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/oauth"
)

func TestProofsSayWhatTheyProve(t *testing.T) {
	text, err := oauth.NewProofKey()
	require.NoError(t, err)
	prover, err := oauth.NewProver(text)
	require.NoError(t, err)
	u, err := url.Parse("https://api.example.com:8443/a%2Fb?q=1#f")
	require.NoError(t, err)

	proof, err := prover.Prove(oauth.Proof{ID: "1", Method: "POST", URL: u, At: now, Nonce: "n", Access: "token"})
	require.NoError(t, err)
	unverified, _, err := jwt.NewParser().ParseUnverified(proof, jwt.MapClaims{})
	require.NoError(t, err)
	token := verified(t, proof, publicOf(t, unverified.Header["jwk"]))
	assert.Equal(t, "dpop+jwt", token.Header["typ"])
	assert.Equal(t, "ES256", token.Header["alg"])
	assert.Equal(t, jwt.MapClaims{
		"jti": "1", "htm": "POST", "htu": "https://api.example.com:8443/a%2Fb", "iat": 1.8e9, "nonce": "n",
		"ath": "PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A",
	}, token.Claims)

	bare, err := prover.Prove(oauth.Proof{ID: "2", Method: "GET", URL: u, At: now})
	require.NoError(t, err)
	claims := verified(t, bare, publicOf(t, unverified.Header["jwk"])).Claims.(jwt.MapClaims)
	assert.NotContains(t, claims, "nonce")
	assert.NotContains(t, claims, "ath")
	assert.Len(t, prover.Thumbprint(), 43)

	_, err = oauth.NewProver("secret")
	assert.Error(t, err)
	_, err = oauth.NewProver(pkcs8(t, ecKey(t, elliptic.P384())))
	assert.Error(t, err)
}

func publicOf(t testing.TB, jwk any) *ecdsa.PublicKey {
	t.Helper()
	members, ok := jwk.(map[string]any)
	require.True(t, ok)
	require.Equal(t, "EC", members["kty"])
	require.Len(t, members, 4, "nothing private")
	point := []byte{4}
	for _, name := range []string{"x", "y"} {
		b, err := base64.RawURLEncoding.DecodeString(members[name].(string))
		require.NoError(t, err)
		point = append(point, b...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	require.NoError(t, err)
	return key
}

// Appendix B of RFC 7636.
func TestChallenge(t *testing.T) {
	assert.Equal(t, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", oauth.Challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))
	first, second := oauth.Verifier(), oauth.Verifier()
	assert.Len(t, first, 43)
	assert.NotEqual(t, first, second)
}
