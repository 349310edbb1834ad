package aws_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/sign"
)

// both signs a request with the hub's signer and the SDK's, and demands the same headers and
// the same query.
func both(t *testing.T, method, target string, header http.Header, body []byte, a sign.AWS, at time.Time) {
	t.Helper()
	make := func() *http.Request {
		r, err := http.NewRequestWithContext(t.Context(), method, target, bytes.NewReader(body))
		require.NoError(t, err)
		r.Header = header.Clone()
		return r
	}
	ours, theirs := make(), make()
	require.NoError(t, a.Sign(ours, body, at))

	sum := sha256.Sum256(body)
	digest := hex.EncodeToString(sum[:])
	theirs.Header.Set("X-Amz-Content-Sha256", digest)
	credentials := sdk.Credentials{AccessKeyID: a.AccessKey, SecretAccessKey: a.SecretKey, SessionToken: a.SessionToken}
	err := v4.NewSigner().SignHTTP(t.Context(), credentials, theirs, digest, a.Service, a.Region, at, func(o *v4.SignerOptions) {
		o.DisableURIPathEscaping = a.Service == "s3"
	})
	require.NoError(t, err)
	name := fmt.Sprintf("%s %s %q", method, target, header)
	assert.Equal(t, theirs.Header, ours.Header, name)
	assert.Equal(t, theirs.URL.RawQuery, ours.URL.RawQuery, name)
	left, err := io.ReadAll(ours.Body)
	require.NoError(t, err)
	assert.Equal(t, body, left)
}

var (
	key = sign.AWS{AccessKey: "AKIDEXAMPLE", SecretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", Region: "us-east-1", Service: "service"}
	at  = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
)

// The requests of the test suite that AWS published for Signature Version 4, as far as a URL
// of net/http can hold them.
func TestRequestsOfTheAWSTestSuite(t *testing.T) {
	for _, c := range []struct{ method, target, headers, body string }{
		{"GET", "https://example.amazonaws.com/", "", ""},
		{"GET", "https://example.amazonaws.com", "", ""},
		{"GET", "https://example.amazonaws.com/", "My-Header1: value2|My-Header1: value2|My-Header1: value1", ""},
		{"GET", "https://example.amazonaws.com/", "My-Header1:  value1|My-Header2:  \"a   b   c\"", ""},
		{"GET", "https://example.amazonaws.com/ሴ", "", ""},
		{"GET", "https://example.amazonaws.com/?ሴ=bar", "", ""},
		{"GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", "", ""},
		{"GET", "https://example.amazonaws.com/?Param1=value2&Param1=Value1", "", ""},
		{"GET", "https://example.amazonaws.com/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789", "", ""},
		{"GET", "https://example.amazonaws.com/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "", ""},
		{"GET", "https://example.amazonaws.com/example%20space/", "", ""},
		{"POST", "https://example.amazonaws.com/", "Content-Type: application/x-www-form-urlencoded", "Param1=value1"},
		{"POST", "https://example.amazonaws.com:8443/?Param1=value1", "My-Header1: VALUE1", ""},
	} {
		header := http.Header{}
		for _, line := range strings.Split(c.headers, "|") {
			if name, value, ok := strings.Cut(line, ": "); ok {
				header.Add(name, value)
			}
		}
		both(t, c.method, c.target, header, []byte(c.body), key, at)
	}
}

func TestRandomRequestsAreSignedAsTheSDKDoes(t *testing.T) {
	const seed = 4
	rnd := rand.New(rand.NewPCG(seed, seed))
	pick := func(from []string) string { return from[rnd.IntN(len(from))] }
	text := func() string {
		const letters = `abcXYZ0189-._~ %+/:;=&?#[]@!$'()*,"<>\^{}|äሴ`
		runes := []rune(letters)
		var b strings.Builder
		for range rnd.IntN(8) {
			b.WriteRune(runes[rnd.IntN(len(runes))])
		}
		return b.String()
	}
	for range 2000 {
		u := url.URL{Scheme: "https", Host: pick([]string{"api.example.com", "example.com:443", "example.com:8443"})}
		for range rnd.IntN(4) {
			u.Path += "/" + text()
		}
		var query []string
		for range rnd.IntN(4) {
			query = append(query, url.QueryEscape(text())+pick([]string{"", "=", "=" + url.QueryEscape(text())}))
		}
		u.RawQuery = strings.Join(query, "&")
		header := http.Header{}
		for range rnd.IntN(3) {
			header.Add(pick([]string{"X-Amz-Target", "Content-Type", "X-Any", "User-Agent"}), pick([]string{"a", "a  b", " a", "a,b", ""}))
		}
		a := key
		a.Service, a.SessionToken = pick([]string{"execute-api", "s3", "lambda"}), pick([]string{"", "token/+="})
		body := []byte(pick([]string{"", "{}", text()}))
		both(t, pick([]string{"GET", "POST", "PUT", "DELETE"}), u.String(), header, body, a, at.Add(time.Duration(rnd.Int64N(1e18))))
	}
}
