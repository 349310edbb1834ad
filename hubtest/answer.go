package hubtest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Answer is a scripted answer, to be handed to [Server.Handle] or [Sequence]. It is a value:
// its methods return a changed copy, so an Answer can be shared and varied freely. The zero
// value answers 200 without a body.
type Answer struct {
	status int
	fields []field
	body   []byte
	delay  time.Duration
	part   int          // bytes of the body that are sent before ending takes over
	ending http.Handler // what happens instead of the rest of the body; nil: nothing
}

// field is one header field. A slice of them, unlike a map, can be appended to in a copy.
type field struct{ name, value string }

// Status answers with a status code and no body.
func Status(code int) Answer { return Answer{status: code} }

// Bytes answers with a body of the given media type. Later changes of body have no effect.
func Bytes(code int, mediaType string, body []byte) Answer {
	a := Status(code).Header("Content-Type", mediaType)
	a.body = slices.Clone(body)
	return a
}

// Text answers with plain text.
func Text(code int, text string) Answer {
	return Bytes(code, "text/plain; charset=utf-8", []byte(text))
}

// JSON answers with v, encoded by encoding/json; a [json.RawMessage] is sent as it is, if it
// is valid. A value that cannot be encoded is answered 500, with the reason as text.
func JSON(code int, v any) Answer {
	body, err := json.Marshal(v)
	if err != nil {
		return Text(http.StatusInternalServerError, fmt.Sprintf("hubtest: cannot encode %T: %v", v, err))
	}
	return Bytes(code, "application/json", body)
}

// Token answers as the token endpoint of an OAuth 2.0 server does (RFC 6749 section 5.1),
// with a bearer token that lives for expiresIn, sent in whole seconds.
func Token(accessToken string, expiresIn time.Duration) Answer {
	return JSON(http.StatusOK, map[string]any{
		"access_token": accessToken,
		"token_type":   "Bearer",
		"expires_in":   int64(expiresIn / time.Second),
	}).Header("Cache-Control", "no-store")
}

// Header adds a header field.
func (a Answer) Header(name, value string) Answer {
	a.fields = append(slices.Clip(a.fields), field{name, value})
	return a
}

// RetryAfter adds a Retry-After header of so many seconds.
func (a Answer) RetryAfter(seconds int) Answer {
	return a.Header("Retry-After", strconv.Itoa(seconds))
}

// After waits for d before it answers; less if the client leaves or the server closes, and
// then there is no answer.
func (a Answer) After(d time.Duration) Answer {
	a.delay = d
	return a
}

// DropAfter announces the whole body, sends n bytes of it and breaks the connection.
func (a Answer) DropAfter(n int) Answer { return a.endAfter(n, Drop()) }

// HangAfter announces the whole body, sends n bytes of it and then nothing more until the
// client leaves or the server closes.
func (a Answer) HangAfter(n int) Answer { return a.endAfter(n, Hang()) }

func (a Answer) endAfter(n int, ending http.Handler) Answer {
	a.part, a.ending = min(max(n, 0), len(a.body)), ending
	return a
}

// ServeHTTP gives the answer. It makes Answer a [net/http.Handler].
func (a Answer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.delay > 0 && !wait(r, a.delay) {
		panic(http.ErrAbortHandler)
	}
	for _, f := range a.fields {
		w.Header().Add(f.name, f.value)
	}
	status := cmp.Or(a.status, http.StatusOK)
	if a.ending == nil {
		w.WriteHeader(status)
		_, _ = w.Write(a.body) // a client that left is no concern of the script
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(status)
	_, _ = w.Write(a.body[:a.part])
	_ = http.NewResponseController(w).Flush()
	a.ending.ServeHTTP(w, r)
}

// Drop breaks the connection without an answer; over HTTP/2 it resets the stream.
func Drop() http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	})
}

// Hang never answers. It holds the connection until the client leaves or the server closes.
func Hang() http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
}

// Sequence lets the first request be answered by the first handler, the second by the
// second, and so on; the last handler answers all that follow. Requests that arrive together
// each take a place of their own. An empty sequence answers 404.
func Sequence(handlers ...http.Handler) http.Handler {
	if len(handlers) == 0 {
		return http.NotFoundHandler()
	}
	return &sequence{rest: slices.Clone(handlers)}
}

type sequence struct {
	mu   sync.Mutex
	rest []http.Handler // never empty
}

func (s *sequence) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.next().ServeHTTP(w, r)
}

func (s *sequence) next() http.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.rest[0]
	if len(s.rest) > 1 {
		s.rest = s.rest[1:]
	}
	return h
}

// wait reports whether d passed before the request's context ended.
func wait(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
