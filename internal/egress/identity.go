package egress

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"errors"
)

// IdentityOptions say who a connector is towards TLS servers, and whom it trusts.
type IdentityOptions struct {
	// Scope tells apart identities that are otherwise equal, such as those of two tenants:
	// connections are shared within a scope only.
	Scope string

	// CAPEM are certificates, as PEM, of authorities trusted in addition to those of
	// [Config]. Empty adds none.
	CAPEM []byte

	// Certificate is presented to servers that ask for one; nil presents none. It must
	// not be changed later.
	Certificate *tls.Certificate

	// MinVersion is the lowest version of TLS: tls.VersionTLS12, the default, or
	// tls.VersionTLS13.
	MinVersion uint16
}

// Identity is a connector's TLS identity. It is immutable and safe for concurrent use. Nil
// is the identity of nobody in particular, shared by all connectors that need none.
type Identity struct {
	key         string
	authorities []*x509.Certificate
	certificate *tls.Certificate
	minVersion  uint16
}

// NewIdentity checks the options. Its errors hold nothing of the PEM.
func NewIdentity(o IdentityOptions) (*Identity, error) {
	authorities, err := parseAuthorities(o.CAPEM)
	if err != nil {
		return nil, err
	}
	if o.MinVersion == 0 {
		o.MinVersion = tls.VersionTLS12
	}
	if o.MinVersion != tls.VersionTLS12 && o.MinVersion != tls.VersionTLS13 {
		return nil, errors.New("minimum TLS version must be 1.2 or 1.3")
	}
	if o.Certificate != nil && (len(o.Certificate.Certificate) == 0 || o.Certificate.PrivateKey == nil) {
		return nil, errors.New("client certificate must have a chain and a private key")
	}
	id := &Identity{authorities: authorities, certificate: o.Certificate, minVersion: o.MinVersion}
	id.key = identityKey(o)
	return id, nil
}

// Key returns a text that is equal for two identities if and only if they may share
// connections. It is a hash of public parts and no secret. Nil has the empty key.
func (id *Identity) Key() string {
	if id == nil {
		return ""
	}
	return id.key
}

func identityKey(o IdentityOptions) string {
	h := sha256.New()
	write := func(b []byte) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
	write([]byte(o.Scope))
	write(binary.BigEndian.AppendUint16(nil, o.MinVersion))
	write(o.CAPEM)
	if o.Certificate != nil {
		for _, der := range o.Certificate.Certificate {
			write(der)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// parseAuthorities is strict where x509.CertPool is lenient: each block must be a
// certificate, and none that is broken is skipped. Text between blocks explains (RFC 7468
// §2) and is disregarded.
func parseAuthorities(text []byte) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil || block.Type != "CERTIFICATE" {
			return nil, errAuthorities
		}
		list = append(list, cert)
	}
	blocks := bytes.Count(text, []byte("-----BEGIN"))
	if blocks != len(list) || blocks == 0 && len(bytes.TrimSpace(text)) > 0 {
		return nil, errAuthorities
	}
	return list, nil
}

var errAuthorities = errors.New("certificate authorities must be PEM blocks of type CERTIFICATE")

// tlsConfig returns a configuration with a session cache of its own. Verification stays on.
func (id *Identity) tlsConfig(roots *x509.CertPool) *tls.Config {
	c := &tls.Config{
		RootCAs:            roots,
		MinVersion:         tls.VersionTLS12,
		ClientSessionCache: tls.NewLRUClientSessionCache(0),
	}
	if id == nil {
		return c
	}
	c.MinVersion = id.minVersion
	c.RootCAs = withAuthorities(roots, id.authorities)
	if id.certificate != nil {
		c.Certificates = []tls.Certificate{*id.certificate}
	}
	return c
}

// withAuthorities returns roots, or the system's if nil, with more authorities added.
func withAuthorities(roots *x509.CertPool, more []*x509.Certificate) *x509.CertPool {
	if len(more) == 0 {
		return roots
	}
	if roots == nil {
		roots = systemRoots()
	}
	roots = roots.Clone()
	for _, cert := range more {
		roots.AddCert(cert)
	}
	return roots
}

// systemRoots returns what the system trusts, or nothing where it does not say.
func systemRoots() *x509.CertPool {
	if roots, err := x509.SystemCertPool(); err == nil {
		return roots
	}
	return x509.NewCertPool()
}
