package sign

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AWS signs requests with AWS Signature Version 4, as the AWS documentation "Create a signed
// AWS API request" describes it. It does not change and may be used by many at once.
type AWS struct {
	// AccessKey and SecretKey are the credential; both are required.
	AccessKey, SecretKey string
	// SessionToken belongs to a temporary credential; empty: none.
	SessionToken string
	// Region and Service are the scope: eu-central-1, execute-api. Both are required.
	Region, Service string
}

const (
	awsAlgorithm = "AWS4-HMAC-SHA256"
	awsTime      = "20060102T150405Z"
	awsDate      = "20060102"
)

// unsigned are headers that proxies and clients change on the way.
var unsigned = []string{
	"accept-encoding", "authorization", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id",
}

// Sign adds the headers X-Amz-Date, X-Amz-Content-Sha256, X-Amz-Security-Token (with a
// session token) and Authorization to r, and puts its query into the order that was signed.
// body is what r will send.
func (a *AWS) Sign(r *http.Request, body []byte, at time.Time) error {
	if a.AccessKey == "" || a.SecretKey == "" || a.Region == "" || a.Service == "" {
		return errors.New("access key, secret key, region and service are required")
	}
	query, err := sortedQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	at = at.UTC()
	digest := hexHash(body)
	r.URL.RawQuery = query
	r.Header.Del("Authorization")
	r.Header.Set("X-Amz-Date", at.Format(awsTime))
	r.Header.Set("X-Amz-Content-Sha256", digest)
	if a.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", a.SessionToken)
	}
	names, headers := canonicalHeaders(r, len(body))
	canonical := strings.Join([]string{r.Method, a.path(r.URL), query, headers, names, digest}, "\n")
	scope := strings.Join([]string{at.Format(awsDate), a.Region, a.Service, "aws4_request"}, "/")
	toSign := strings.Join([]string{awsAlgorithm, at.Format(awsTime), scope, hexHash([]byte(canonical))}, "\n")
	signature := hex.EncodeToString(mac(a.key(at), toSign))
	r.Header.Set("Authorization", awsAlgorithm+" Credential="+a.AccessKey+"/"+scope+", SignedHeaders="+names+", Signature="+signature)
	return nil
}

// key derives the key of one day, region and service.
func (a *AWS) key(at time.Time) []byte {
	key := []byte("AWS4" + a.SecretKey)
	for _, part := range []string{at.Format(awsDate), a.Region, a.Service, "aws4_request"} {
		key = mac(key, part)
	}
	return key
}

// path is the path as it is sent, encoded once more, but for S3.
func (a *AWS) path(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if a.Service == "s3" {
		return path
	}
	return escapePath(path)
}

// escapePath percent-encodes everything but the unreserved characters of RFC 3986 and slashes.
func escapePath(path string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(path) {
		if c := path[i]; c == '/' || isUnreserved(c) {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}

func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// sortedQuery orders parameters by their encoded names, then by their encoded values; a space
// is %20.
func sortedQuery(raw string) (string, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return "", errors.New("the query cannot be read")
	}
	var pairs [][2]string
	for name, list := range values {
		for _, value := range list {
			pairs = append(pairs, [2]string{encodeQuery(name), encodeQuery(value)})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int {
		return cmp.Or(strings.Compare(a[0], b[0]), strings.Compare(a[1], b[1]))
	})
	var b strings.Builder
	for i, pair := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(pair[0] + "=" + pair[1])
	}
	return b.String(), nil
}

func encodeQuery(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// canonicalHeaders returns the names of the headers that are signed, and the headers.
func canonicalHeaders(r *http.Request, length int) (names, headers string) {
	values := map[string]string{"host": hostOf(r)}
	if length > 0 {
		values["content-length"] = strconv.Itoa(length)
	}
	for name, list := range r.Header {
		if name = strings.ToLower(name); !slices.Contains(unsigned, name) && name != "content-length" {
			values[name] = joined(list)
		}
	}
	order := make([]string, 0, len(values))
	for name := range values {
		order = append(order, name)
	}
	slices.Sort(order)
	var b strings.Builder
	for _, name := range order {
		b.WriteString(name + ":" + values[name] + "\n")
	}
	return strings.Join(order, ";"), b.String()
}

// hostOf is the Host header, without the port that the scheme implies.
func hostOf(r *http.Request) string {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	switch r.URL.Scheme {
	case "https":
		return strings.TrimSuffix(host, ":443")
	default:
		return strings.TrimSuffix(host, ":80")
	}
}

// joined is the values of a header in one line, each trimmed, runs of spaces as one.
func joined(values []string) string {
	trimmed := make([]string, len(values))
	for i, v := range values {
		words := strings.FieldsFunc(v, func(r rune) bool { return r == ' ' })
		trimmed[i] = strings.TrimSpace(strings.Join(words, " "))
	}
	return strings.Join(trimmed, ",")
}

func hexHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
