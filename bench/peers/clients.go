package main

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/go-resty/resty/v2"
	"github.com/hashicorp/go-retryablehttp"
	"github.com/imroc/req/v3"

	"github.com/integrationhub/hub/bench/internal/job"
)

// retryable is the work by hand, sent with go-retryablehttp's default client.
type retryable struct {
	*hand
	client *retryablehttp.Client
}

func openRetryable(_ context.Context, target job.Target) (job.Peer, error) {
	h, err := newHand(target)
	if err != nil {
		return nil, err
	}
	client := retryablehttp.NewClient()
	client.HTTPClient = h.client
	client.Logger = nil
	return &retryable{hand: h, client: client}, nil
}

// Call does the work.
func (p *retryable) Call(ctx context.Context, payload []byte) (job.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, job.Timeout)
	defer cancel()
	r, err := p.render(ctx, payload)
	if err != nil {
		return job.Answer{}, err
	}
	body, err := json.Marshal(r.body)
	if err != nil {
		return job.Answer{}, err
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, r.url(p.origin), body)
	if err != nil {
		return job.Answer{}, err
	}
	for name, value := range r.headers {
		req.Header.Set(name, value)
	}
	return answer(p.client.Do(req))
}

// withResty is the work by hand, put together and sent by resty.
type withResty struct {
	*hand
	client *resty.Client
}

func openResty(_ context.Context, target job.Target) (job.Peer, error) {
	h, err := newHand(target)
	if err != nil {
		return nil, err
	}
	return &withResty{hand: h, client: resty.NewWithClient(h.client).SetBaseURL(h.origin)}, nil
}

const template = "/v2/customers/{customer}/incidents"

// Call does the work.
func (p *withResty) Call(ctx context.Context, payload []byte) (job.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, job.Timeout)
	defer cancel()
	r, err := p.render(ctx, payload)
	if err != nil {
		return job.Answer{}, err
	}
	resp, err := p.client.R().SetContext(ctx).
		SetPathParam("customer", r.customer).
		SetQueryParamsFromValues(r.query).
		SetHeaders(r.headers).
		SetBody(r.body).
		Post(template)
	if err != nil {
		return job.Answer{}, err
	}
	return values(resp.StatusCode(), resp.Body())
}

// withReq is the work by hand, put together and sent by req.
type withReq struct {
	*hand
	client *req.Client
}

func openReq(_ context.Context, target job.Target) (job.Peer, error) {
	h, err := newHand(target)
	if err != nil {
		return nil, err
	}
	config, err := tlsConfig(target)
	if err != nil {
		return nil, err
	}
	client := req.C().SetBaseURL(h.origin).SetTLSClientConfig(config)
	client.GetTransport().SetMaxIdleConns(2 * idle)
	client.GetTransport().MaxIdleConnsPerHost = idle
	if target.Stub != nil {
		client.GetTransport().WrapRoundTripFunc(func(http.RoundTripper) req.HttpRoundTripFunc { return target.Stub.RoundTrip })
	}
	return &withReq{hand: h, client: client}, nil
}

// Call does the work.
func (p *withReq) Call(ctx context.Context, payload []byte) (job.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, job.Timeout)
	defer cancel()
	r, err := p.render(ctx, payload)
	if err != nil {
		return job.Answer{}, err
	}
	body, err := json.Marshal(r.body)
	if err != nil {
		return job.Answer{}, err
	}
	resp, err := p.client.R().SetContext(ctx).
		SetPathParam("customer", r.customer).
		SetQueryParamsFromValues(r.query).
		SetHeaders(r.headers).
		SetBodyBytes(body).
		Post(template)
	if err != nil {
		return job.Answer{}, err
	}
	return values(resp.StatusCode, resp.Bytes())
}

// Close closes the connections.
func (p *withReq) Close() error {
	p.client.GetTransport().CloseIdleConnections()
	return p.hand.Close()
}
