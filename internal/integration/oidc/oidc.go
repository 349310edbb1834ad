// Package oidc runs oidc-provider, a certified OAuth 2.0 and OpenID Connect server written by
// others, for tests: on loopback, over TLS, with every grant and client authentication it
// knows. It needs Node.js and npm.
package oidc

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/integration/need"
	"github.com/integrationhub/hub/internal/integration/pki"
)

//go:embed server.js
var script []byte

//go:embed package.json
var manifest []byte

//go:embed package-lock.json
var lock []byte

// Config says how a server behaves.
type Config struct {
	// AccessLife is the life of access tokens in seconds; zero: 600.
	AccessLife int
	// Reuse keeps refresh tokens as they are. Otherwise each use replaces them, and the
	// use of a replaced one revokes the whole grant.
	Reuse bool
	// RequireNonce refuses proofs of possession without the server's nonce.
	RequireNonce bool
	// Clients are those that may ask, in the words of OpenID Connect Registration.
	Clients []Client
	// AssertionKey (a public key, PEM) and AssertionIssuer are whose assertions count.
	AssertionKey, AssertionIssuer string
}

// Client is the registration of a client.
type Client map[string]any

// Server is a running oidc-provider.
type Server struct {
	// URL is its origin and issuer.
	URL string
	// Authority issued its certificate, and issues those of clients that it trusts.
	Authority *pki.Authority
}

// Start starts a server that ends with the test.
func Start(t testing.TB, c Config) *Server {
	t.Helper()
	dir := install(t)
	authority := pki.New(t)
	cert, key := authority.Server(t)
	place := t.TempDir()
	for name, data := range map[string][]byte{"cert.pem": cert, "key.pem": key, "ca.pem": authority.PEM} {
		require.NoError(t, os.WriteFile(filepath.Join(place, name), data, 0o600))
	}
	if c.AccessLife == 0 {
		c.AccessLife = 600
	}
	config, err := json.Marshal(map[string]any{
		"key": filepath.Join(place, "key.pem"), "cert": filepath.Join(place, "cert.pem"), "clientCA": filepath.Join(place, "ca.pem"),
		"clients": c.Clients, "accessLife": c.AccessLife, "rotate": !c.Reuse, "requireNonce": c.RequireNonce,
		"assertionKey": c.AssertionKey, "assertionIssuer": c.AssertionIssuer,
	})
	require.NoError(t, err)
	return &Server{URL: run(t, dir, string(config)), Authority: authority}
}

// run starts the script and returns the origin that it prints. It ends when its standard
// input does.
func run(t testing.TB, dir, config string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	cmd := exec.CommandContext(ctx, "node", "server.js")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CONFIG="+config)
	var diagnosis bytes.Buffer
	cmd.Stderr = &diagnosis
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait() // however it ended
		cancel()
		if t.Failed() {
			t.Logf("oidc-provider wrote:\n%s", diagnosis.String())
		}
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "https://") {
			return lines.Text()
		}
	}
	_ = stdin.Close()
	_ = cmd.Wait()
	require.Fail(t, "oidc-provider did not start", diagnosis.String())
	return ""
}

var installed struct {
	sync.Mutex
	dir string
}

// install installs the packages of the lock file, once for a test binary.
func install(t testing.TB) string {
	t.Helper()
	installed.Lock()
	defer installed.Unlock()
	if installed.dir != "" {
		return installed.dir
	}
	need.Command(t, "node", "nodejs")
	need.Command(t, "npm", "npm")
	dir, err := os.MkdirTemp("", "oidc-provider-")
	require.NoError(t, err)
	for name, data := range map[string][]byte{"server.js": script, "package.json": manifest, "package-lock.json": lock} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	out, err := fetch(dir)
	for range 2 {
		if err != nil { // the registry may have been out of reach for a moment
			out, err = fetch(dir)
		}
	}
	require.NoError(t, err, "npm ci: %s", out)
	installed.dir = dir
	return dir
}

// fetch fetches the packages of the lock file into a folder, and returns what npm said.
func fetch(dir string) ([]byte, error) {
	cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = dir
	return cmd.CombinedOutput()
}

// Remove removes what was installed; call it at the end of TestMain.
func Remove() {
	installed.Lock()
	defer installed.Unlock()
	if installed.dir != "" {
		_ = os.RemoveAll(installed.dir) // a temporary folder
		installed.dir = ""
	}
}

// Browser returns a client like the browser of a person who agrees to everything: it keeps
// cookies and follows redirects up to a page whose URL begins with stop.
func (s *Server) Browser(t testing.TB, stop string) *http.Client {
	t.Helper()
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(s.Authority.PEM))
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport: transport, Jar: jar, Timeout: time.Minute,
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if stop != "" && strings.HasPrefix(r.URL.String(), stop) {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
}

// Count returns how often things happened at the server: "token" (requests),
// "grant.success", "grant.error", "grant.revoked".
func (s *Server) Count(t testing.TB) map[string]int {
	t.Helper()
	resp, err := s.Browser(t, "").Get(s.URL + "/count")
	require.NoError(t, err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	count := map[string]int{}
	require.NoError(t, json.Unmarshal(data, &count))
	return count
}
