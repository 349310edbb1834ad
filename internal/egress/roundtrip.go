package egress

import (
	"net/http"
)

// roundTripper is one identity's view of an Egress.
type roundTripper struct {
	egress   *Egress
	identity *Identity
}

// RoundTrip sends req if the policy lets it out. Like every RoundTripper it leaves req as it
// is and closes its body.
func (rt *roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	transport, err := rt.admit(req)
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // the refusal is the news
		}
		return nil, err
	}
	res, err := roundTripOnce(transport, req)
	if err != nil {
		return nil, err
	}
	res.Request = req
	return res, nil
}

// admit checks the URL before anything is resolved or sent.
func (rt *roundTripper) admit(req *http.Request) (*http.Transport, error) {
	if req.URL == nil {
		return nil, &Refusal{Reason: RefusedHost}
	}
	if err := rt.egress.config.CheckURL(req.URL); err != nil {
		return nil, err
	}
	if req.Host != "" && req.Host != req.URL.Host {
		return nil, &Refusal{Reason: RefusedHost}
	}
	return rt.egress.transport(rt.identity)
}
