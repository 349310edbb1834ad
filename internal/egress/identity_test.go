package egress_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/egress"
)

func identity(t *testing.T, o egress.IdentityOptions) *egress.Identity {
	t.Helper()
	id, err := egress.NewIdentity(o)
	require.NoError(t, err)
	return id
}

func TestIdentityKeys(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	cert, second := ca.issue(time.Hour, "client"), ca.issue(time.Hour, "client")
	all := map[string]egress.IdentityOptions{
		"nothing":     {},
		"scope":       {Scope: "a"},
		"other scope": {Scope: "b"},
		"authority":   {CAPEM: ca.pem()},
		"other CA":    {CAPEM: other.pem()},
		"certificate": {Certificate: &cert},
		"second":      {Certificate: &second},
		"version":     {MinVersion: tls.VersionTLS13},
		"everything":  {Scope: "a", CAPEM: ca.pem(), Certificate: &cert, MinVersion: tls.VersionTLS13},
	}
	keys := map[string]string{(*egress.Identity)(nil).Key(): "nil"}
	for name, o := range all {
		key := identity(t, o).Key()
		assert.Empty(t, keys[key], "%s has the key of another", name)
		keys[key] = name
		assert.Equal(t, key, identity(t, o).Key(), "same options, same key")
	}
	assert.Equal(t, identity(t, egress.IdentityOptions{}).Key(),
		identity(t, egress.IdentityOptions{MinVersion: tls.VersionTLS12}).Key(), "the default is TLS 1.2")
}

func TestNewIdentityRefuses(t *testing.T) {
	ca := newAuthority(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	for name, o := range map[string]egress.IdentityOptions{
		"text":              {CAPEM: []byte("canary")},
		"private key":       {CAPEM: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})},
		"other type":        {CAPEM: pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: ca.cert.Raw})},
		"no certificate":    {CAPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("canary")})},
		"cut":               {CAPEM: ca.pem()[:len(ca.pem())/2]},
		"cut before a good": {CAPEM: append(ca.pem()[:len(ca.pem())/2], append([]byte("\n"), ca.pem()...)...)},
		"cut after a good":  {CAPEM: append(ca.pem(), ca.pem()[:len(ca.pem())/2]...)},
		"TLS 1.1":           {MinVersion: tls.VersionTLS11},
		"unknown version":   {MinVersion: 0x0399},
		"no chain":          {Certificate: &tls.Certificate{PrivateKey: key}},
		"no key":            {Certificate: &tls.Certificate{Certificate: [][]byte{ca.cert.Raw}}},
		"empty certificate": {Certificate: &tls.Certificate{}},
	} {
		id, err := egress.NewIdentity(o)
		require.Error(t, err, name)
		assert.Nil(t, id)
		assert.NotContains(t, err.Error(), "canary")
	}
}

func TestNewIdentityTakesNoAuthorities(t *testing.T) {
	for _, none := range []string{"", " \r\n"} {
		_, err := egress.NewIdentity(egress.IdentityOptions{CAPEM: []byte(none)})
		assert.NoError(t, err)
	}
}

func FuzzNewIdentity(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----BEGIN CERTIFICATE-----"))
	f.Add([]byte("text"))
	f.Fuzz(func(t *testing.T, text []byte) {
		id, err := egress.NewIdentity(egress.IdentityOptions{CAPEM: text})
		require.Equal(t, err == nil, id != nil)
	})
}

func TestNewIdentityTakesSeveralAuthorities(t *testing.T) {
	a, b := newAuthority(t), newAuthority(t)
	two := bytes.Join([][]byte{[]byte("first"), a.pem(), []byte("second"), b.pem(), nil}, []byte("\r\n"))
	for _, ca := range []*authority{a, b} {
		cert := ca.issue(time.Hour, "127.0.0.1")
		_, port := upstream(t, &tls.Config{Certificates: []tls.Certificate{cert}}, false, hello)
		e := open(t, egress.Config{Policy: loopback})
		_, _, err := get(t, e.Transport(identity(t, egress.IdentityOptions{CAPEM: two})), "https://127.0.0.1:%d/", port)
		assert.NoError(t, err)
	}
}

func TestPrivateAuthorityIsTrustedByItsIdentityOnly(t *testing.T) {
	public, private := newAuthority(t), newAuthority(t)
	config := func(ca *authority) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{ca.issue(time.Hour, "127.0.0.1")}}
	}
	_, publicPort := upstream(t, config(public), false, hello)
	_, privatePort := upstream(t, config(private), false, hello)
	e := open(t, egress.Config{Policy: loopback, RootCAs: public.pool()})
	id := identity(t, egress.IdentityOptions{CAPEM: private.pem()})
	for name, tc := range map[string]struct {
		id   *egress.Identity
		port uint16
		want bool
	}{
		"public host, nobody":      {nil, publicPort, true},
		"public host, identity":    {id, publicPort, true},
		"private host, nobody":     {nil, privatePort, false},
		"private host, identity":   {id, privatePort, true},
		"private host, other ones": {identity(t, egress.IdentityOptions{Scope: "x"}), privatePort, false},
	} {
		_, _, err := get(t, e.Transport(tc.id), "https://127.0.0.1:%d/", tc.port)
		assert.Equal(t, tc.want, err == nil, "%s: %v", name, err)
		assert.False(t, egress.Unreachable(err), "an answer that is not trusted is an answer")
	}
}

func TestBadCertificatesAreRefused(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	cert := ca.issue(time.Hour, "client") // presenting one changes nothing about the checks
	dns := serveNames(t, hosts(map[string][]string{"api.test": {"127.0.0.1"}}))
	id := identity(t, egress.IdentityOptions{CAPEM: ca.pem(), Certificate: &cert})
	for name, tc := range map[string]struct {
		cert tls.Certificate
		host string
		want bool
	}{
		"good":                  {ca.issue(time.Hour, "api.test"), "api.test", true},
		"good, by address":      {ca.issue(time.Hour, "127.0.0.1"), "127.0.0.1", true},
		"expired":               {ca.issue(-time.Minute, "api.test"), "api.test", false},
		"wrong name":            {ca.issue(time.Hour, "other.test"), "api.test", false},
		"name for address":      {ca.issue(time.Hour, "api.test"), "127.0.0.1", false},
		"unknown authority":     {other.issue(time.Hour, "api.test"), "api.test", false},
		"wildcard of the label": {ca.issue(time.Hour, "*.test"), "api.test", true},
	} {
		t.Run(name, func(t *testing.T) {
			_, port := upstream(t, &tls.Config{Certificates: []tls.Certificate{tc.cert}}, false, hello)
			e := open(t, egress.Config{Policy: loopback, Resolver: dns.resolver()})
			_, _, err := get(t, e.Transport(id), "https://%s:%d/", tc.host, port)
			assert.Equal(t, tc.want, err == nil, "%v", err)
		})
	}
}

func TestMutualTLS(t *testing.T) {
	ca := newAuthority(t)
	config := &tls.Config{
		Certificates: []tls.Certificate{ca.issue(time.Hour, "127.0.0.1")},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: ca.pool(),
	}
	who := func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.TLS.PeerCertificates[0].Subject.CommonName))
	}
	_, port := upstream(t, config, true, who)
	e := open(t, egress.Config{Policy: loopback, RootCAs: ca.pool()})
	for _, name := range []string{"alice", "bob"} {
		cert := ca.issue(time.Hour, name)
		_, body, err := get(t, e.Transport(identity(t, egress.IdentityOptions{Certificate: &cert})), "https://127.0.0.1:%d/", port)
		require.NoError(t, err)
		assert.Equal(t, name, body)
	}
	_, _, err := get(t, e.Transport(nil), "https://127.0.0.1:%d/", port)
	assert.Error(t, err, "nobody in particular is not let in")
}

func TestMinimumVersion(t *testing.T) {
	ca := newAuthority(t)
	cert := ca.issue(time.Hour, "127.0.0.1")
	serve := func(version uint16) uint16 {
		_, port := upstream(t, &tls.Config{
			Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, MaxVersion: version,
		}, false, hello)
		return port
	}
	old, common := serve(tls.VersionTLS11), serve(tls.VersionTLS12)
	e := open(t, egress.Config{Policy: loopback, RootCAs: ca.pool()})
	strict := identity(t, egress.IdentityOptions{MinVersion: tls.VersionTLS13})
	for name, tc := range map[string]struct {
		id   *egress.Identity
		port uint16
		want bool
	}{
		"1.1 for nobody":   {nil, old, false},
		"1.2 for nobody":   {nil, common, true},
		"1.2 for a strict": {strict, common, false},
	} {
		_, _, err := get(t, e.Transport(tc.id), "https://127.0.0.1:%d/", tc.port)
		assert.Equal(t, tc.want, err == nil, "%s: %v", name, err)
	}
}
