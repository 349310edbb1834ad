package pkcs12_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	gopkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/pkcs12"
)

// identity makes a key and a certificate of its own.
func identity(t testing.TB) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "hub"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return key, cert
}

func TestFilesOfEveryAgeOpen(t *testing.T) {
	key, cert := identity(t)
	_, ca := identity(t)
	for name, encoder := range map[string]*gopkcs12.Encoder{
		"RC2":      gopkcs12.LegacyRC2,
		"3DES":     gopkcs12.LegacyDES,
		"AES":      gopkcs12.Modern2023,
		"PBMAC1":   gopkcs12.Modern2026,
		"open":     gopkcs12.Passwordless,
		"iterated": gopkcs12.Modern2023.WithIterations(10_000),
	} {
		t.Run(name, func(t *testing.T) {
			password := "pässword"
			if name == "open" {
				password = ""
			}
			data, err := encoder.Encode(key, cert, []*x509.Certificate{ca}, password)
			require.NoError(t, err)
			chain, private, err := pkcs12.Open(data, password)
			require.NoError(t, err)
			pair, err := tls.X509KeyPair([]byte(chain), []byte(private.Reveal()))
			require.NoError(t, err)
			assert.Equal(t, [][]byte{cert.Raw, ca.Raw}, pair.Certificate)
			assert.True(t, key.Equal(pair.PrivateKey))
			if password != "" {
				_, private, err = pkcs12.Open(data, "another")
				require.ErrorIs(t, err, pkcs12.ErrPassword)
				assert.True(t, private.IsZero())
			}
		})
	}
}

func TestFilesThatDoNotOpen(t *testing.T) {
	key, cert := identity(t)
	data, err := gopkcs12.Modern2023.WithIterations(100_000).Encode(key, cert, nil, "x")
	require.NoError(t, err)
	count, million := []byte{2, 3, 0x01, 0x86, 0xa0}, []byte{2, 3, 0x0f, 0x42, 0x41}
	require.Equal(t, 3, bytes.Count(data, count), "checksum, certificates, key")
	for i := range 3 { // a million and one, in each place
		parts := bytes.SplitN(data, count, i+2)
		hostile := append(bytes.Join(parts[:i+1], count), million...)
		_, _, err = pkcs12.Open(append(hostile, parts[i+1]...), "x")
		require.ErrorContains(t, err, "iterations")
	}
	whole, err := gopkcs12.Modern2023.Encode(key, cert, nil, "x")
	require.NoError(t, err)
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("-----BEGIN CERTIFICATE-----"), "a part": whole[:len(whole)/2], "a certificate": cert.Raw,
	} {
		_, _, err := pkcs12.Open(data, "x")
		require.ErrorIs(t, err, pkcs12.ErrFile, name)
	}
	_, _, err = pkcs12.Open(make([]byte, pkcs12.MaxSize+1), "x")
	require.ErrorContains(t, err, "larger")
	trust, err := gopkcs12.Modern2023.EncodeTrustStore([]*x509.Certificate{cert}, "x")
	require.NoError(t, err)
	_, _, err = pkcs12.Open(trust, "x")
	require.ErrorIs(t, err, pkcs12.ErrFile, "no key")
}

func FuzzOpen(f *testing.F) {
	key, cert := identity(f)
	for _, encoder := range []*gopkcs12.Encoder{gopkcs12.Modern2023, gopkcs12.LegacyDES, gopkcs12.Passwordless} {
		data, err := encoder.Encode(key, cert, nil, "")
		require.NoError(f, err)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		chain, private, err := pkcs12.Open(data, "")
		assert.Equal(t, err == nil, chain != "")
		assert.Equal(t, err != nil, private.IsZero())
	})
}

// A file becomes the client certificate of a connector.
func ExampleOpen() {
	srv, err := hubtest.Start()
	check(err)
	defer srv.Close()
	srv.RequireClientCert()
	srv.Handle("GET /things", hubtest.JSON(200, map[string]bool{"ok": true}))
	file, password := bundle(srv), "changeit"

	certificate, key, err := pkcs12.Open(file, password)
	check(err)
	con := hub.Connector{
		Name:     "Bank",
		TLS:      &hub.TLS{CA: string(srv.CA()), Certificate: certificate, Key: "certificateKey"},
		Secrets:  []hub.Secret{{Name: "certificateKey"}},
		Requests: []hub.Request{{Name: "things", Method: "GET", URL: srv.URL + "/things"}},
	}
	fmt.Println(call(con, key))
	// Output: {"ok":true}
}

// bundle makes the file that an authority would hand out.
func bundle(srv *hubtest.Server) []byte {
	certPEM, keyPEM, err := srv.ClientCert("hub")
	check(err)
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	check(err)
	block, _ := pem.Decode(certPEM)
	cert, err := x509.ParseCertificate(block.Bytes)
	check(err)
	data, err := gopkcs12.Modern2023.Encode(pair.PrivateKey, cert, nil, "changeit")
	check(err)
	return data
}

// call runs the connector's one request in a hub of its own.
func call(con hub.Connector, key secrets.Value) string {
	h, done := newHub()
	defer done()
	ctx := ctx()
	_, con, err := h.CreateTemplateAndConnector(ctx, hub.Template{Name: "Bank", Methods: []string{"GET"}}, con)
	check(err)
	check(h.SetSecret(ctx, con.ID, "certificateKey", key))
	res, err := h.Execute(ctx, hub.Call{Connector: con.Name, Request: "things"})
	check(err)
	return string(res.Body)
}
