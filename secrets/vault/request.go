package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/integrationhub/hub/secrets"
)

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 8 << 20

// request is one call of the API. Paths are made of encoded segments.
type request struct {
	method string
	path   string // below /v1/
	body   any    // nil: none
	token  secrets.Value
}

// statusError is an answer that is not a success. The text of an answer may repeat what was
// sent, so only the status speaks.
type statusError struct {
	status int
	path   string
}

// Error describes the answer in one line.
func (e *statusError) Error() string {
	text := fmt.Sprintf("vault: %s: status %d", e.path, e.status)
	switch {
	case e.status == http.StatusForbidden:
		text += ": the token is not valid, or its policies do not allow this"
	case e.status == http.StatusServiceUnavailable:
		text += ": sealed, or in maintenance"
	case e.status >= 300 && e.status < 400:
		text += ": redirects are not followed: name the active server as Address"
	}
	return text
}

func hasStatus(err error, status int) bool {
	var e *statusError
	return errors.As(err, &e) && e.status == status
}

// call makes a request with the session's token, and once more with a fresh one if it is
// denied. The answer is decoded into answer unless that is nil.
func (c *Client) call(ctx context.Context, method, path string, body, answer any) error {
	token, err := c.session.token(ctx)
	if err != nil {
		return err
	}
	r := request{method: method, path: path, body: body, token: token}
	err = c.do(ctx, r, answer)
	if !hasStatus(err, http.StatusForbidden) {
		return err
	}
	fresh, retry := c.session.refused(ctx, token)
	if !retry {
		return err
	}
	r.token = fresh
	return c.do(ctx, r, answer)
}

// do sends one request.
func (c *Client) do(ctx context.Context, r request, answer any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	own, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	data, err := c.roundTrip(own, r)
	if err != nil {
		return failed(ctx, r.path, err)
	}
	defer clear(data)
	if answer == nil {
		return nil
	}
	if json.Unmarshal(data, answer) == nil {
		return nil
	}
	if own.Err() != nil { // a server can answer whoever has just left with nothing
		return failed(ctx, r.path, own.Err())
	}
	return fmt.Errorf("vault: %s: the answer is not what the API says", r.path)
}

// failed tells the end of the caller's ctx from that of the request's own time, and hides
// the text of net/http, which may hold a URL.
func failed(ctx context.Context, path string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("vault: %s: %w", path, ctx.Err())
	}
	var status *statusError
	if errors.As(err, &status) || errors.Is(err, errTooLarge) {
		return err
	}
	return fmt.Errorf("vault: %s: the server does not answer", path)
}

var errTooLarge = errors.New("vault: the answer is too large")

func (c *Client) roundTrip(ctx context.Context, r request) ([]byte, error) {
	req, err := c.newRequest(ctx, r)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxAnswer {
		return nil, errTooLarge
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, &statusError{res.StatusCode, r.path}
	}
	return data, nil
}

func (c *Client) newRequest(ctx context.Context, r request) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		data, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+"/v1/"+r.path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Vault-Request", "true")
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if !r.token.IsZero() {
		req.Header.Set("X-Vault-Token", r.token.Reveal())
	}
	if c.namespace != "" {
		req.Header.Set("X-Vault-Namespace", c.namespace)
	}
	return req, nil
}
