package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/luraproject/lura/v2/config"
	"github.com/luraproject/lura/v2/logging"
	"github.com/luraproject/lura/v2/proxy"

	"github.com/integrationhub/hub/bench/internal/job"
)

// lura is KrakenD's engine without its router: an endpoint with one backend, the whole stack of
// its proxies, and in front of it the work by hand that it has no means for.
type lura struct {
	*hand
	proxy proxy.Proxy
}

func openLura(_ context.Context, target job.Target) (job.Peer, error) {
	h, err := newHand(target)
	if err != nil {
		return nil, err
	}
	endpoint := &config.EndpointConfig{
		Endpoint: "/incidents/{customer}", Method: http.MethodPost,
		Backend: []*config.Backend{{
			Method: http.MethodPost, Host: []string{target.Origin}, URLPattern: template,
			Target: "result", AllowList: []string{"number", "id"},
		}},
	}
	service := config.ServiceConfig{Version: config.ConfigVersion, Timeout: job.Timeout, Endpoints: []*config.EndpointConfig{endpoint}}
	if err := service.Init(); err != nil {
		return nil, err
	}
	backends := proxy.CustomHTTPProxyFactory(func(context.Context) *http.Client { return h.client })
	p, err := proxy.NewDefaultFactory(backends, logging.NoOp).New(endpoint)
	return &lura{hand: h, proxy: p}, err
}

// Call does the work.
func (p *lura) Call(ctx context.Context, payload []byte) (job.Answer, error) {
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
	headers := map[string][]string{"Content-Length": {strconv.Itoa(len(body))}}
	for name, value := range r.headers {
		headers[name] = []string{value}
	}
	resp, err := p.proxy(ctx, &proxy.Request{
		Method: http.MethodPost, Params: map[string]string{"Customer": r.customer}, Query: r.query,
		Headers: headers, Body: io.NopCloser(bytes.NewReader(body)),
	})
	if err != nil {
		return job.Answer{}, err
	}
	return luraValues(resp.Data)
}

func luraValues(data map[string]any) (job.Answer, error) {
	number, ok := data["number"].(string)
	if !ok {
		return job.Answer{}, errors.New("the answer has no number")
	}
	id, ok := data["id"].(json.Number)
	if !ok {
		return job.Answer{}, fmt.Errorf("the answer's id is a %T", data["id"])
	}
	n, err := id.Int64()
	return job.Answer{Number: number, ID: n}, err
}
