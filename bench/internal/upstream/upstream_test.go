package upstream_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub/bench/internal/job"
	"github.com/integrationhub/hub/bench/internal/upstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T) (*upstream.Server, *http.Client) {
	t.Helper()
	s, err := upstream.Start(time.Millisecond)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM([]byte(s.Addresses().CA)))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		assert.NoError(t, s.Close())
	})
	return s, &http.Client{Transport: transport}
}

// right is the request of payload n.
func right(t *testing.T, origin string, n int) *http.Request {
	t.Helper()
	query := url.Values{}
	for name, value := range job.Query(n) {
		query.Set(name, value)
	}
	req, err := http.NewRequest(http.MethodPost, origin+job.Path(n)+"?"+query.Encode(), bytes.NewReader(job.Body(n)))
	require.NoError(t, err)
	for name, value := range job.Headers(n) {
		req.Header.Set(name, value)
	}
	return req
}

func do(t *testing.T, client *http.Client, req *http.Request) (int, string) {
	t.Helper()
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

func TestRightRequestsAreAnswered(t *testing.T) {
	s, client := start(t)
	for _, origin := range []string{s.Addresses().Plain, s.Addresses().TLS} {
		for range 2 { // what was seen is right again
			for n := range job.Variants {
				status, body := do(t, client, right(t, origin, n))
				require.Equal(t, 200, status, body)
				require.Equal(t, string(job.Reply(n)), body)
			}
		}
	}
	token, err := http.NewRequest(http.MethodPost, s.Addresses().Plain+job.TokenPath, strings.NewReader("grant_type=client_credentials"))
	require.NoError(t, err)
	status, body := do(t, client, token)
	assert.Equal(t, 200, status)
	assert.Equal(t, job.TokenReply, body)
	assert.Equal(t, upstream.Counts{Good: 4 * job.Variants, Tokens: 1}, s.Counts())
}

func TestWrongRequestsAreRefused(t *testing.T) {
	cases := map[string]func(*http.Request){
		"method":        func(r *http.Request) { r.Method = "PUT" },
		"path":          func(r *http.Request) { r.URL.Path += "/" },
		"query missing": func(r *http.Request) { r.URL.RawQuery = "notify=true" },
		"query more":    func(r *http.Request) { r.URL.RawQuery += "&x=1" },
		"token":         func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") },
		"secret":        func(r *http.Request) { r.Header.Del("X-Api-Key") },
		"header":        func(r *http.Request) { r.Header.Set("X-Agent", "agent-1") },
		"media type":    func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"other body":    func(r *http.Request) { body(r, string(job.Body(2))) },
		"no JSON":       func(r *http.Request) { body(r, "{") },
		"in pieces":     func(r *http.Request) { r.ContentLength = -1 },
		"grant":         func(r *http.Request) { r.URL.Path = job.TokenPath },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			s, client := start(t)
			status, text := do(t, client, right(t, s.Addresses().Plain, 1))
			require.Equal(t, 200, status, text)
			req := right(t, s.Addresses().Plain, 1)
			change(req)
			status, text = do(t, client, req)
			assert.Equal(t, 400, status)
			assert.EqualValues(t, 1, s.Counts().Bad)
			assert.Equal(t, text, s.Counts().First)
		})
	}
}

func body(r *http.Request, text string) {
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
}

func TestCloseInUse(t *testing.T) {
	s, client := start(t)
	req := right(t, s.Addresses().Plain, 1)
	status, _ := do(t, client, right(t, s.Addresses().Plain, 1))
	require.Equal(t, 200, status)
	require.NoError(t, s.Close())
	_, err := client.Do(req)
	assert.Error(t, err)
}
