package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/integrationhub/hub/bench/internal/job"
)

// bare posts what was rendered beforehand and throws the answer away: what net/http alone
// takes, without any of the work.
type bare struct {
	client *http.Client
	urls   [job.Variants]string
	bodies [job.Variants][]byte
	heads  [job.Variants]map[string]string
}

func openBare(ctx context.Context, target job.Target) (job.Peer, error) {
	h, err := newHand(target)
	if err != nil {
		return nil, err
	}
	b := &bare{client: h.client}
	for n := range b.urls {
		r, err := h.render(ctx, job.Payload(n))
		if err != nil {
			return nil, err
		}
		b.urls[n], b.bodies[n], b.heads[n] = r.url(h.origin), job.Body(n), r.headers
	}
	return b, nil
}

// Call posts what belongs to the payload, whose number is where all payloads have it.
func (b *bare) Call(ctx context.Context, payload []byte) (job.Answer, error) {
	n := number(payload)
	if n < 0 {
		return job.Answer{}, errors.New("there is no such payload")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.urls[n], bytes.NewReader(b.bodies[n]))
	if err != nil {
		return job.Answer{}, err
	}
	for name, value := range b.heads[n] {
		req.Header.Set(name, value)
	}
	resp, err := b.client.Do(req)
	if err != nil {
		return job.Answer{}, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return job.Answer{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return job.Answer{}, fmt.Errorf("status %d", resp.StatusCode)
	}
	return job.Want(n), nil
}

// number reads the number of a payload from its customer's id.
func number(payload []byte) int {
	const start = len(`{"customer":{"id":"c-4711-`)
	n := 0
	for _, c := range payload[min(start, len(payload)):] {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int(c-'0')
	}
	if n >= job.Variants {
		return -1
	}
	return n
}

// Close closes the connections.
func (b *bare) Close() error {
	b.client.CloseIdleConnections()
	return nil
}
