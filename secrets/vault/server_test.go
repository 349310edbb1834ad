package vault_test

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/fakevault"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/vault"
)

// server is a Vault with engines of the test's own: the fake behind TLS, or the real one
// that the environment names.
type server struct {
	config      vault.Config
	admin       func(method, path string, body any)
	kv, transit string // mounts
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{}
	client := http.DefaultClient
	token := os.Getenv("HUB_TEST_VAULT_TOKEN")
	if address := os.Getenv("HUB_TEST_VAULT_ADDR"); address != "" {
		s.config = vault.Config{Address: address, AllowHTTP: true}
	} else {
		s.config, client = startFake(t, &fakevault.Server{})
		token = fakevault.RootToken
	}
	s.config.Login = vault.Token(secrets.New(token))
	s.admin = func(method, path string, body any) {
		data, err := json.Marshal(body)
		require.NoError(t, err)
		req, err := http.NewRequest(method, s.config.Address+"/v1/"+path, bytes.NewReader(data))
		require.NoError(t, err)
		req.Header.Set("X-Vault-Token", token)
		res, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Less(t, res.StatusCode, 300, path)
	}
	s.mount(t)
	t.Cleanup(client.CloseIdleConnections)
	return s
}

// mount makes engines that live as long as the test.
func (s *server) mount(t testing.TB) {
	t.Helper()
	id := fmt.Sprintf("%x", []byte(t.TempDir()[1:]))
	id = id[max(0, len(id)-40):]
	s.kv, s.transit = "kv"+id, "transit"+id
	s.admin("POST", "sys/mounts/"+s.kv, map[string]any{"type": "kv", "options": map[string]string{"version": "2"}})
	s.admin("POST", "sys/mounts/"+s.transit, map[string]any{"type": "transit"})
	s.admin("POST", s.transit+"/keys/hub", map[string]any{})
	t.Cleanup(func() {
		s.admin("DELETE", "sys/mounts/"+s.kv, nil)
		s.admin("DELETE", "sys/mounts/"+s.transit, nil)
	})
}

// startFake serves a fake over TLS.
func startFake(t testing.TB, fake *fakevault.Server) (vault.Config, *http.Client) {
	t.Helper()
	srv := httptest.NewTLSServer(fake)
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	return vault.Config{Address: srv.URL, RootCAs: roots, Login: vault.Token(secrets.New(fakevault.RootToken))}, srv.Client()
}

func open(t testing.TB, config vault.Config) *vault.Client {
	t.Helper()
	c, err := vault.New(config)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func (s *server) keyValue(t testing.TB) *vault.KV {
	t.Helper()
	kv, err := open(t, s.config).KV(s.kv, "hub/secrets")
	require.NoError(t, err)
	return kv
}

func (s *server) keeper(t testing.TB) *vault.Transit {
	t.Helper()
	k, err := open(t, s.config).Transit(s.transit, "hub")
	require.NoError(t, err)
	return k
}
