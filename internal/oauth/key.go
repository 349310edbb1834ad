package oauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// Key is a private key that signs JSON Web Tokens (RFC 7519). It does not change.
type Key struct {
	private crypto.Signer
	method  jwt.SigningMethod
	id      string
}

// minRSA is the least size of an RSA key, in bits (RFC 7518 section 3.3); maxRSA bounds the
// time of a signature.
const minRSA, maxRSA = 2048, 8192

var errKey = errors.New("the key must be one unencrypted PEM block of a private key: RSA (2048 to 8192 bits), EC (P-256, P-384, P-521) or Ed25519")

// ParseKey reads a private key: PEM of PKCS #8, PKCS #1 or SEC 1. algorithm is a name of RFC
// 7518; empty: RS256, ES256, ES384, ES512 or EdDSA, as the key allows. id is the kid.
func ParseKey(text, algorithm, id string) (*Key, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errKey
	}
	private, err := parsePrivate(block.Bytes)
	if err != nil {
		return nil, errKey
	}
	own := algorithmsOf(private)
	if len(own) == 0 {
		return nil, errKey
	}
	if algorithm == "" {
		algorithm = own[0]
	}
	for _, name := range own {
		if name == algorithm {
			return &Key{private: private, method: jwt.GetSigningMethod(name), id: id}, nil
		}
	}
	return nil, errors.New("the algorithm does not fit the key")
}

func parsePrivate(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	return x509.ParseECPrivateKey(der)
}

// algorithmsOf lists the algorithms of a key, its default first.
func algorithmsOf(private crypto.Signer) []string {
	switch key := private.(type) {
	case *rsa.PrivateKey:
		if bits := key.N.BitLen(); bits >= minRSA && bits <= maxRSA {
			return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
		}
	case *ecdsa.PrivateKey:
		switch key.Curve.Params().BitSize {
		case 256:
			return []string{"ES256"}
		case 384:
			return []string{"ES384"}
		case 521:
			return []string{"ES512"}
		}
	case ed25519.PrivateKey:
		return []string{"EdDSA"}
	}
	return nil
}

// Algorithms lists what ParseKey takes.
var Algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// Sign returns a signed token with these claims; header adds to typ, alg and kid.
func (k *Key) Sign(header, claims map[string]any) (string, error) {
	token := jwt.NewWithClaims(k.method, jwt.MapClaims(claims))
	if k.id != "" {
		token.Header["kid"] = k.id
	}
	for name, value := range header {
		token.Header[name] = value
	}
	text, err := token.SignedString(k.private)
	if err != nil {
		return "", errors.New("the token cannot be signed")
	}
	return text, nil
}
