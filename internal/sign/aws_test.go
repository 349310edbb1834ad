package sign_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/sign"
)

func request(t testing.TB, method, rawURL string) *http.Request {
	t.Helper()
	u, err := url.Parse(rawURL)
	require.NoError(t, err)
	return &http.Request{Method: method, URL: u, Host: u.Host, Header: http.Header{}}
}

var noon = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)

// The example of AWS's documentation, with the header for the body's hash. Thousands of others
// are held against the AWS SDK in the integration module.
func TestAWSSignatureOfAnExample(t *testing.T) {
	r := request(t, "GET", "https://iam.amazonaws.com/?Version=2010-05-08&Action=ListUsers")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	aws := sign.AWS{AccessKey: "AKIDEXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Region: "us-east-1", Service: "iam"}
	require.NoError(t, aws.Sign(r, nil, noon))
	assert.Equal(t, "Action=ListUsers&Version=2010-05-08", r.URL.RawQuery)
	assert.Equal(t, "20150830T123600Z", r.Header.Get("X-Amz-Date"))
	assert.Equal(t, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "+
		"SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, Signature=dd479fa8a80364edf2119ec24bebde66712ee9c9cb2b0d92eb3ab9ccdc0c3947",
		r.Header.Get("Authorization"))
}

func TestAWSQueriesAreOrderedAsTheyAreEncoded(t *testing.T) {
	r := request(t, "GET", "https://api.example.com/?8=a&%7D=b&x=2&x=10&x=+")
	aws := sign.AWS{AccessKey: "A", SecretKey: "S", Region: "r", Service: "s"}
	require.NoError(t, aws.Sign(r, nil, noon))
	assert.Equal(t, "%7D=b&8=a&x=%20&x=10&x=2", r.URL.RawQuery)
}

func TestAWSSignatureCoversEachPart(t *testing.T) {
	aws := sign.AWS{AccessKey: "A", SecretKey: "S", SessionToken: "T", Region: "r", Service: "execute-api"}
	of := func(change func(*http.Request, *sign.AWS) []byte) string {
		r, a := request(t, "POST", "https://api.example.com/a%20b?x=1"), aws
		r.Header.Set("X-Any", "  a   b ")
		require.NoError(t, a.Sign(r, change(r, &a), noon))
		return r.Header.Get("Authorization")
	}
	body := []byte("body")
	plain := of(func(*http.Request, *sign.AWS) []byte { return body })
	for name, change := range map[string]func(*http.Request, *sign.AWS) []byte{
		"method":  func(r *http.Request, _ *sign.AWS) []byte { r.Method = "PUT"; return body },
		"host":    func(r *http.Request, _ *sign.AWS) []byte { r.Host = "other.example.com"; return body },
		"path":    func(r *http.Request, _ *sign.AWS) []byte { r.URL.Path, r.URL.RawPath = "/a+b", ""; return body },
		"query":   func(r *http.Request, _ *sign.AWS) []byte { r.URL.RawQuery = "x=2"; return body },
		"header":  func(r *http.Request, _ *sign.AWS) []byte { r.Header.Set("X-Any", "ab"); return body },
		"body":    func(*http.Request, *sign.AWS) []byte { return []byte("Body") },
		"key":     func(_ *http.Request, a *sign.AWS) []byte { a.SecretKey = "s"; return body },
		"token":   func(_ *http.Request, a *sign.AWS) []byte { a.SessionToken = "t"; return body },
		"region":  func(_ *http.Request, a *sign.AWS) []byte { a.Region = "q"; return body },
		"service": func(_ *http.Request, a *sign.AWS) []byte { a.Service = "s3"; return body },
	} {
		assert.NotEqual(t, plain, of(change), name)
	}
	same := of(func(r *http.Request, _ *sign.AWS) []byte {
		r.Header.Set("User-Agent", "x")
		r.Header.Set("Accept-Encoding", "gzip")
		r.Host = "api.example.com:443"
		return body
	})
	assert.Equal(t, plain, same, "what proxies change is not signed")
}

func TestAWSRefusesWhatItCannotSign(t *testing.T) {
	whole := sign.AWS{AccessKey: "a", SecretKey: "b", Region: "c", Service: "d"}
	assert.Error(t, whole.Sign(request(t, "GET", "https://example.com/?%zz"), nil, noon))
	for _, a := range []sign.AWS{{}, {AccessKey: "a", SecretKey: "b", Region: "c"}, {SecretKey: "b", Region: "c", Service: "d"}} {
		assert.Error(t, a.Sign(request(t, "GET", "https://example.com/"), nil, noon))
	}
}

func FuzzAWSSign(f *testing.F) {
	f.Add("GET", "/a/../b c", "x=1&x=0&y", "v  w", []byte("body"))
	f.Add("POST", "/%2f", "a=%20+", "", []byte{})
	f.Fuzz(func(t *testing.T, method, path, query, header string, body []byte) {
		r := &http.Request{Method: method, URL: &url.URL{Scheme: "https", Host: "example.com", Path: path, RawQuery: query}, Header: http.Header{"X-A": {header}}}
		aws := sign.AWS{AccessKey: "a", SecretKey: "b", Region: "c", Service: "d"}
		if aws.Sign(r, body, noon) != nil {
			return
		}
		first := r.Header.Get("Authorization")
		require.NoError(t, aws.Sign(r, bytes.Clone(body), noon), "a signed request can be signed again")
		assert.Equal(t, first, r.Header.Get("Authorization"))
		assert.Equal(t, 1, strings.Count(first, "Signature="))
	})
}
