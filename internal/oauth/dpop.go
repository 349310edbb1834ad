package oauth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// NewProofKey makes a key that proves possession of a token (RFC 9449), as PEM: it is kept
// with the token.
func NewProofKey() (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

// Prover makes proofs of possession with one key. It does not change.
type Prover struct {
	key *ecdsa.PrivateKey
	jwk map[string]any
}

// NewProver reads a key that NewProofKey made.
func NewProver(text string) (*Prover, error) {
	key, err := ParseKey(text, "ES256", "")
	if err != nil {
		return nil, err
	}
	private, ok := key.private.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errKey
	}
	point, err := private.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return nil, errKey
	}
	return &Prover{key: private, jwk: map[string]any{
		"kty": "EC", "crv": "P-256", "x": base64URL(point[1:33]), "y": base64URL(point[33:]),
	}}, nil
}

// Thumbprint is that of the public key (RFC 7638).
func (p *Prover) Thumbprint() string {
	data, err := json.Marshal(p.jwk) // members in the order of their names, as it must be
	if err != nil {                  // texts: cannot happen
		return ""
	}
	return hash(string(data))
}

// Proof is what one proof says (RFC 9449 section 4.2).
type Proof struct {
	ID     string // unique
	Method string
	URL    *url.URL
	At     time.Time
	Nonce  string // the server's last; empty: none
	Access string // the access token that goes with it; empty: none
}

// Prove returns the value of the DPoP header.
func (p *Prover) Prove(proof Proof) (string, error) {
	u := url.URL{Scheme: proof.URL.Scheme, Host: proof.URL.Host, Path: proof.URL.Path, RawPath: proof.URL.RawPath}
	claims := jwt.MapClaims{"jti": proof.ID, "htm": proof.Method, "htu": u.String(), "iat": proof.At.Unix()}
	if proof.Nonce != "" {
		claims["nonce"] = proof.Nonce
	}
	if proof.Access != "" {
		claims["ath"] = hash(proof.Access)
	}
	token := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
	token.Header["typ"], token.Header["jwk"] = "dpop+jwt", p.jwk
	text, err := token.SignedString(p.key)
	if err != nil {
		return "", errors.New("the proof cannot be signed")
	}
	return text, nil
}

// Verifier returns a new code verifier (RFC 7636 section 4.1).
func Verifier() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64URL(b)
}

// Challenge is the S256 code challenge of a verifier (RFC 7636 section 4.2).
func Challenge(verifier string) string { return hash(verifier) }

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64URL(sum[:])
}

func base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
