// Package pkcs12 opens client certificates that come as PKCS #12 (RFC 7292), the .p12 and
// .pfx files of browsers, Windows and certificate authorities, and gives them the form that a
// connector takes: the chain for hub.TLS.Certificate, and the private key for the secret that
// hub.TLS.Key names, which seals it.
//
// It is a module of its own, so that a parser of such files comes only to who needs it, and
// only at the moment when a certificate is set: the hub itself never sees the file.
package pkcs12

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"

	gopkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/integrationhub/hub/secrets"
)

// Bounds of what is opened.
const (
	// MaxSize is the largest file, in bytes.
	MaxSize = 256 << 10
	// MaxIterations is the most work that a file may ask for to derive a key, where the file
	// says it in the clear: tools write 2,000 to 600,000.
	MaxIterations = 1_000_000
)

// Errors of Open. They hold nothing of the file.
var (
	ErrPassword = errors.New("pkcs12: the password does not open the file")
	ErrFile     = errors.New("pkcs12: not a PKCS #12 file with one private key and its certificate")
)

// Open opens a PKCS #12 file with its password, which may be empty. It returns the chain,
// the certificate of the key first, and the key (PKCS #8), both PEM. data stays the caller's;
// clear it when it is not needed any more.
func Open(data []byte, password string) (certificate string, key secrets.Value, err error) {
	if len(data) > MaxSize {
		return "", secrets.Value{}, fmt.Errorf("pkcs12: the file is larger than %d bytes", MaxSize)
	}
	if err := checkWork(data, 0); err != nil {
		return "", secrets.Value{}, err
	}
	private, cert, chain, err := gopkcs12.DecodeChain(data, password)
	switch {
	case errors.Is(err, gopkcs12.ErrIncorrectPassword):
		return "", secrets.Value{}, ErrPassword
	case err != nil, private == nil, cert == nil:
		return "", secrets.Value{}, ErrFile
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", secrets.Value{}, ErrFile
	}
	defer clear(der)
	var out bytes.Buffer
	for _, c := range append([]*x509.Certificate{cert}, chain...) {
		if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}); err != nil {
			return "", secrets.Value{}, ErrFile
		}
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	defer clear(text)
	return out.String(), secrets.New(string(text)), nil
}

// maxDepth bounds the nesting of a file; real ones need less than half.
const maxDepth = 32

// checkWork refuses a file that asks for endless work. A count of iterations is an integer
// after the octets of a salt, in the parameters of each encryption and of the checksum; they
// stand in the clear, but for those inside an encrypted part.
func checkWork(data []byte, depth int) error {
	if depth > maxDepth {
		return ErrFile
	}
	salted := false
	for len(data) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(data, &v)
		if err != nil {
			return nil // not a structure: octets that only look like one
		}
		if v.Class == asn1.ClassUniversal && v.Tag == asn1.TagInteger && salted && tooMuch(v.FullBytes) {
			return fmt.Errorf("pkcs12: the file asks for more than %d iterations", MaxIterations)
		}
		salted = v.Class == asn1.ClassUniversal && v.Tag == asn1.TagOctetString
		if v.IsCompound || salted {
			if err := checkWork(v.Bytes, depth+1); err != nil {
				return err
			}
		}
		data = rest
	}
	return nil
}

func tooMuch(integer []byte) bool {
	var n int64
	_, err := asn1.Unmarshal(integer, &n)
	return err != nil || n > MaxIterations
}
