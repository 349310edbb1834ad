package hub

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"

	"github.com/integrationhub/hub/internal/oauth"
)

// compose completes the authentication request, if its kind makes it; other calls pass.
func (r *run) compose(ctx context.Context) error {
	s := r.plan.scheme
	if !r.req.auth || s == nil || s.compose == nil || r.req == s.discovery {
		return nil
	}
	p := &purse{plan: r.plan}
	if err := s.compose(ctx, r, p); err != nil {
		return err
	}
	r.wire.Sinks = append(r.wire.Sinks, p.sinks...)
	return p.err
}

// exchangeCode is what a person's consent yielded: an authorization code, or a device code.
type exchangeCode struct {
	code, redirect, verifier string
	device                   string
	proof                    string // the key that the token will be bound to
}

// form is the form that exchanges the code for a token (RFC 6749 section 4.1.3, RFC 8628
// section 3.4).
func (c *exchangeCode) form() url.Values {
	if c.device != "" {
		return url.Values{"grant_type": {oauth.DeviceCode}, "device_code": {c.device}}
	}
	return url.Values{
		"grant_type": {oauth.AuthorizationCode}, "code": {c.code}, "redirect_uri": {c.redirect}, "code_verifier": {c.verifier},
	}
}

// signLent signs a request of an SDK. Its body is read for that, as far as a rendered one may
// be long.
func (r *run) signLent(ctx context.Context, out *http.Request) error {
	if r.sign == nil {
		return nil
	}
	if out.Body != nil && out.Body != http.NoBody {
		body, err := io.ReadAll(io.LimitReader(out.Body, int64(r.limits.RequestBytes)+1))
		_ = out.Body.Close() // it was read
		if err != nil {
			return caused(Invalid, "the body of the request cannot be read", err)
		}
		if len(body) > r.limits.RequestBytes {
			return failure(Invalid, "the body of the request is too large to be signed: at most "+itoa(r.limits.RequestBytes)+" bytes")
		}
		r.wire.Body = body
		out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		out.GetBody = nil
	}
	return r.sign(ctx, 1, out)
}
