package transport_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/transport"
)

func TestEachAttemptIsPreparedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		via := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			got = append(got, r.Header.Get("Signature")+" "+r.URL.RawQuery+" "+string(body)+" "+r.Header.Get("Idempotency-Key"))
			w.WriteHeader(503)
		})
		req := to(t, "PUT", "http://upstream.test/?a=1", via)
		req.Header = http.Header{"Idempotency-Key": {"k"}}
		req.Body = []byte("body")
		req.Prepare = func(_ context.Context, attempt int, r *http.Request) error {
			r.Header.Add("Signature", strconv.Itoa(attempt))
			r.URL.RawQuery += "&n=" + strconv.Itoa(attempt)
			r.Body = io.NopCloser(errReader{})
			r.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("not used") }
			return nil
		}
		out := transport.New(nil).Do(t.Context(), req, &transport.Policy{})
		require.NoError(t, out.Err)
		assert.Equal(t, []string{"1 a=1&n=1 body k", "2 a=1&n=2 body k", "3 a=1&n=3 body k"}, got)
		assert.Equal(t, "a=1", req.URL.RawQuery)
		assert.Len(t, req.Header, 1)
		assert.EqualValues(t, 4, out.Attempts[0].BytesOut)
	})
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("not to be read") }

func TestAPrepareThatFailsEndsTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("token endpoint said " + canary)
		handler, count := always(503)
		req := to(t, "GET", here, inMemory(t, handler))
		req.Prepare = func(_ context.Context, attempt int, _ *http.Request) error {
			if attempt == 2 {
				return refused
			}
			return nil
		}
		out := transport.New(nil).Do(t.Context(), req, &transport.Policy{})
		assert.Equal(t, transport.Prepare, kindOf(t, out))
		assert.ErrorIs(t, out.Err, refused)
		assertSilent(t, out.Err)
		assert.Equal(t, 503, out.Answer.Status)
		assert.Equal(t, 1, count())
		assert.False(t, out.Attempts[1].Sent)
		assert.True(t, out.Sent())
	})
}

func TestACallWithinPrepareIsACallOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler, _ := always(200)
		client, via := transport.New(nil), inMemory(t, handler)
		req := to(t, "POST", here, refusing{errors.New("no way")})
		inner := 0
		req.Prepare = func(ctx context.Context, _ int, _ *http.Request) error {
			out := client.Do(ctx, to(t, "POST", here, via), &transport.Policy{})
			inner += len(out.Attempts)
			return out.Err
		}
		out := client.Do(t.Context(), req, &transport.Policy{})
		assert.Equal(t, transport.Unreachable, kindOf(t, out))
		assert.Equal(t, 3, inner)
		assert.False(t, out.Sent(), "the inner request is not this one")
	})
}
