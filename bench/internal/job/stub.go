package job

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
)

// Stub is a third party within the process, which answers at once. It only looks at the path.
func Stub() http.RoundTripper {
	s := &stub{token: []byte(TokenReply)}
	for n := range s.replies {
		s.replies[n] = Reply(n)
	}
	return s
}

type stub struct {
	replies [Variants][]byte
	token   []byte
}

// RoundTrip answers.
func (s *stub) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return nil, err
		}
		_ = req.Body.Close()
	}
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Reused: true})
	}
	answer := s.token
	if req.URL.Path != TokenPath {
		n := Variant(req.URL.Path)
		if n < 0 {
			return nil, fmt.Errorf("stub: no payload leads to the path %q", req.URL.Path)
		}
		answer = s.replies[n]
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"0123456789abcdef"}},
		Body:   io.NopCloser(bytes.NewReader(answer)), ContentLength: int64(len(answer)), Request: req,
	}, nil
}
