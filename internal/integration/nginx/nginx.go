// Package nginx runs nginx for tests: on loopback, over TLS, insisting on client
// certificates. It needs the command nginx.
package nginx

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/integration/need"
	"github.com/integrationhub/hub/internal/integration/pki"
)

// Server is a running nginx that answers /who with the subject of the client certificate.
type Server struct {
	URL string
	// Authority issued the server's certificate, and issues those that it accepts.
	Authority *pki.Authority
}

const config = `
daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log stderr notice;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  server {
    listen 127.0.0.1:%[2]d ssl;
    ssl_certificate %[1]s/cert.pem; ssl_certificate_key %[1]s/key.pem;
    ssl_protocols %[3]s;
    ssl_client_certificate %[1]s/ca.pem;
    ssl_verify_client on;
    location = /who { default_type application/json; return 200 '{"subject":"$ssl_client_s_dn","verified":"$ssl_client_verify","protocol":"$ssl_protocol"}'; }
  }
}
`

// Start starts a server that speaks the given protocols ("TLSv1.2 TLSv1.3") and ends with the
// test.
func Start(t testing.TB, protocols string) *Server {
	t.Helper()
	need.Command(t, "nginx", "nginx-light")
	dir, authority := t.TempDir(), pki.New(t)
	cert, key := authority.Server(t)
	port := freePort(t)
	for name, data := range map[string][]byte{
		"cert.pem": cert, "key.pem": key, "ca.pem": authority.PEM, "nginx.conf": fmt.Appendf(nil, config, dir, port, protocols),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	cmd := exec.Command("nginx", "-e", "stderr", "-p", dir, "-c", filepath.Join(dir, "nginx.conf"))
	var diagnosis bytes.Buffer
	cmd.Stderr = &diagnosis
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // a signal that it handles itself can come just before it sleeps, and is lost
		_ = cmd.Wait()         // however it ended
		if t.Failed() {
			t.Logf("nginx wrote:\n%s", diagnosis.String())
		}
	})
	address := fmt.Sprintf("127.0.0.1:%d", port)
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, time.Minute, 10*time.Millisecond, "nginx does not listen")
	return &Server{URL: "https://" + address, Authority: authority}
}

// freePort returns a port that was free a moment ago.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
