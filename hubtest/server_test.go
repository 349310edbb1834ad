package hubtest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/hubtest"
)

// client returns the server's client and closes its connections with the test.
func client(t *testing.T, srv *hubtest.Server) *http.Client {
	t.Helper()
	c := srv.Client()
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// call sends one request and returns the answer's status and body.
func call(t *testing.T, srv *hubtest.Server, method, target, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+target, strings.NewReader(body))
	require.NoError(t, err)
	resp, err := client(t, srv).Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

func TestServerRoutes(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /tickets", hubtest.Text(201, "made"))
	srv.Handle("GET /tickets/{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "ticket "+r.PathValue("id"))
	}))

	tests := []struct {
		name, method, path string
		status             int
		body               string
	}{
		{"method and path match", "POST", "/tickets", 201, "made"},
		{"wildcard", "GET", "/tickets/7", 200, "ticket 7"},
		{"other method", "PUT", "/tickets", 405, "Method Not Allowed\n"},
		{"other path", "GET", "/nothing", 404, "404 page not found\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, body := call(t, srv, tt.method, tt.path, "")
			assert.Equal(t, tt.status, status)
			assert.Equal(t, tt.body, body)
		})
	}
}

func TestHandleReplacesHandler(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Text(200, "old"))
	call(t, srv, "GET", "/", "")
	srv.Handle("/", hubtest.Text(200, "new"))

	_, body := call(t, srv, "GET", "/", "")
	assert.Equal(t, "new", body)
}

func TestHandleRefusesBadPattern(t *testing.T) {
	srv := hubtest.NewServer(t)
	assert.Panics(t, func() { srv.Handle("GET", hubtest.Status(200)) })
}

func TestServerAddresses(t *testing.T) {
	a, b := hubtest.NewServer(t), hubtest.NewServer(t)

	host, _, err := net.SplitHostPort(a.Host())
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1", host)
	assert.Equal(t, "https://"+a.Host(), a.URL)
	assert.NotEqual(t, a.Host(), b.Host())
	assert.NotEqual(t, a.CA(), b.CA(), "each server has an authority of its own")
}

// handshake connects to srv as serverName, trusting ca.
func handshake(t *testing.T, srv *hubtest.Server, serverName string, ca []byte) error {
	t.Helper()
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(ca))
	conn, err := tls.Dial("tcp", srv.Host(), &tls.Config{ServerName: serverName, RootCAs: pool})
	if err != nil {
		return err
	}
	return conn.Close()
}

func TestServerCertificate(t *testing.T) {
	srv := hubtest.NewServer(t)
	for _, name := range []string{
		"127.0.0.1", "::1", "localhost", "crm.localhost", "example.com", "crm.example.com",
	} {
		assert.NoError(t, handshake(t, srv, name, srv.CA()), name)
	}

	var hostname x509.HostnameError
	assert.ErrorAs(t, handshake(t, srv, "elsewhere.test", srv.CA()), &hostname)
	var unknown x509.UnknownAuthorityError
	assert.ErrorAs(t, handshake(t, srv, "localhost", hubtest.NewServer(t).CA()), &unknown)
}

// clientWith returns a client of srv that presents the certificate.
func clientWith(t *testing.T, srv *hubtest.Server, cert, key []byte) *http.Client {
	t.Helper()
	pair, err := tls.X509KeyPair(cert, key)
	require.NoError(t, err)
	c := client(t, srv)
	c.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{pair}
	return c
}

func get(t *testing.T, c *http.Client, url string) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	require.NoError(t, err)
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, resp.Body.Close())
	return err
}

func TestClientCertificateIsRecorded(t *testing.T) {
	srv, other := hubtest.NewServer(t), hubtest.NewServer(t)
	require.NoError(t, get(t, client(t, srv), srv.URL))
	cert, key, err := other.ClientCert("robot 1")
	require.NoError(t, err)
	require.NoError(t, get(t, clientWith(t, srv, cert, key), srv.URL))

	requests := srv.Requests()
	require.Len(t, requests, 2)
	assert.Nil(t, requests[0].ClientCert)
	require.NotNil(t, requests[1].ClientCert)
	assert.Equal(t, "robot 1", requests[1].ClientCert.Subject.CommonName)
}

func TestRequireClientCert(t *testing.T) {
	srv, other := hubtest.NewServer(t), hubtest.NewServer(t)
	srv.RequireClientCert()
	good, goodKey, err := srv.ClientCert("robot")
	require.NoError(t, err)
	foreign, foreignKey, err := other.ClientCert("robot")
	require.NoError(t, err)

	require.NoError(t, get(t, clientWith(t, srv, good, goodKey), srv.URL))
	assert.Error(t, get(t, client(t, srv), srv.URL), "no certificate")
	assert.Error(t, get(t, clientWith(t, srv, foreign, foreignKey), srv.URL), "another authority")
	assert.Len(t, srv.Requests(), 1, "a refused handshake is no request")
}

func TestServerSpeaksBothProtocols(t *testing.T) {
	srv := hubtest.NewServer(t)
	require.NoError(t, get(t, client(t, srv), srv.URL))
	old := client(t, srv)
	old.Transport.(*http.Transport).ForceAttemptHTTP2 = false
	require.NoError(t, get(t, old, srv.URL))

	requests := srv.Requests()
	require.Len(t, requests, 2)
	assert.Equal(t, "HTTP/2.0", requests[0].Proto)
	assert.Equal(t, "HTTP/1.1", requests[1].Proto)
}

func TestCloseEndsRequestsUnderWay(t *testing.T) {
	srv, err := hubtest.Start()
	require.NoError(t, err)
	defer srv.Close()
	arrived, left := make(chan struct{}), make(chan struct{})
	srv.Handle("/", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		time.Sleep(20 * time.Millisecond) // a handler that takes its time to leave
		close(left)
	}))
	failed := make(chan error, 1)
	c := client(t, srv)
	go func() {
		req, _ := http.NewRequestWithContext(context.Background(), "GET", srv.URL, nil)
		resp, err := c.Do(req)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		failed <- err
	}()
	<-arrived

	srv.Close()
	select {
	case <-left:
	default:
		t.Fatal("Close returned before the handler did")
	}
	<-failed // whatever it saw, it did not stay
	srv.Close()
	assert.Error(t, get(t, c, srv.URL), "a closed server accepts nothing")
}

func TestCloseEndsHandlersThatTookTheConnection(t *testing.T) {
	srv := hubtest.NewServer(t)
	taken := make(chan error, 1)
	srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		taken <- err
		<-r.Context().Done()
		_ = conn.Close()
	}))
	old := client(t, srv)
	old.Transport.(*http.Transport).ForceAttemptHTTP2 = false
	failed := make(chan error, 1)
	go func() { failed <- get(t, old, srv.URL) }()
	require.NoError(t, <-taken)

	srv.Close()
	assert.Error(t, <-failed)
}

func TestStartAtListensWhereItIsTold(t *testing.T) {
	first, err := hubtest.Start()
	require.NoError(t, err)
	first.Close()

	again, err := hubtest.StartAt(first.Host())
	require.NoError(t, err)
	defer again.Close()
	assert.Equal(t, first.URL, again.URL)

	_, err = hubtest.StartAt(first.Host())
	assert.ErrorContains(t, err, first.Host())
}
