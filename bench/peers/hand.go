package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/bench/internal/job"
)

// hand is the work as a careful program does it with net/http, jsonschema and gjson. The peers
// that are HTTP clients and nothing more do with it what they have no means for.
type hand struct {
	origin string
	client *http.Client
	schema *jsonschema.Schema // nil: payloads are not validated
	tokens *tokens
}

func openHand(_ context.Context, target job.Target) (job.Peer, error) { return newHand(target) }

func newHand(target job.Target) (*hand, error) {
	rt, err := transport(target)
	if err != nil {
		return nil, err
	}
	schema, err := jsonschema.CompileString("payload.json", job.Schema)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: rt}
	return &hand{
		origin: target.Origin, client: client, schema: schema,
		tokens: &tokens{client: client, url: target.Origin + job.TokenPath},
	}, nil
}

// openUnchecked is the same without validation.
func openUnchecked(_ context.Context, target job.Target) (job.Peer, error) {
	h, err := newHand(target)
	if err == nil {
		h.schema = nil
	}
	return h, err
}

// Call does the work.
func (h *hand) Call(ctx context.Context, payload []byte) (job.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, job.Timeout)
	defer cancel()
	r, err := h.render(ctx, payload)
	if err != nil {
		return job.Answer{}, err
	}
	body, err := json.Marshal(r.body)
	if err != nil {
		return job.Answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url(h.origin), bytes.NewReader(body))
	if err != nil {
		return job.Answer{}, err
	}
	for name, value := range r.headers {
		req.Header.Set(name, value)
	}
	return answer(h.client.Do(req))
}

// Close closes the connections.
func (h *hand) Close() error {
	h.client.CloseIdleConnections()
	return nil
}

// rendered is what goes into a request.
type rendered struct {
	customer string
	query    url.Values
	headers  map[string]string
	body     incident
}

type incident struct {
	Title     string          `json:"title"`
	Text      string          `json:"text"`
	Priority  int64           `json:"priority"`
	Tags      json.RawMessage `json:"tags"`
	Amount    amount          `json:"amount"`
	Requester string          `json:"requester"`
	Source    string          `json:"source"`
	Agent     int64           `json:"agent"`
}

type amount struct {
	Value    float64 `json:"value"`
	Currency string  `json:"currency"`
}

func (r rendered) url(origin string) string {
	return origin + "/v2/customers/" + url.PathEscape(r.customer) + "/incidents?" + r.query.Encode()
}

// render validates a payload and takes from it what the request needs.
func (h *hand) render(ctx context.Context, payload []byte) (rendered, error) {
	if err := h.validate(payload); err != nil {
		return rendered{}, err
	}
	token, err := h.tokens.get(ctx)
	if err != nil {
		return rendered{}, err
	}
	p := gjson.ParseBytes(payload)
	ticket, customer, agent := p.Get("ticket"), p.Get("customer"), p.Get("agent.id")
	return rendered{
		customer: customer.Get("id").String(),
		query:    url.Values{"queue": {p.Get("contact.queue").String()}, "notify": {"true"}},
		headers: map[string]string{
			"Authorization": "Bearer " + token, "Content-Type": "application/json",
			"X-Agent": "agent-" + agent.String(), "X-Api-Key": job.APIKey,
		},
		body: incident{
			Title: ticket.Get("subject").String(), Text: ticket.Get("description").String(),
			Priority: ticket.Get("priority").Int(), Tags: json.RawMessage(ticket.Get("tags").Raw),
			Amount:    amount{Value: ticket.Get("amount").Float(), Currency: ticket.Get("currency").String()},
			Requester: customer.Get("name").String() + " <" + customer.Get("email").String() + ">",
			Source:    job.Source, Agent: agent.Int(),
		},
	}, nil
}

func (h *hand) validate(payload []byte) error {
	if h.schema == nil {
		return nil
	}
	var value any
	if err := json.Unmarshal(payload, &value); err != nil {
		return err
	}
	return h.schema.Validate(value)
}

// answer reads an answer, at most 1 MiB of it, and takes the values.
func answer(resp *http.Response, err error) (job.Answer, error) {
	if err != nil {
		return job.Answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return job.Answer{}, err
	}
	return values(resp.StatusCode, body)
}

func values(status int, body []byte) (job.Answer, error) {
	if status != http.StatusOK {
		return job.Answer{}, fmt.Errorf("status %d: %s", status, body)
	}
	found := gjson.GetManyBytes(body, "result.number", "result.id")
	if !found[0].Exists() || !found[1].Exists() {
		return job.Answer{}, errors.New("the answer lacks a value")
	}
	return job.Answer{Number: found[0].String(), ID: found[1].Int()}, nil
}

// tokens fetches a token and keeps it until shortly before it expires.
type tokens struct {
	client *http.Client
	url    string

	mu    sync.Mutex
	token string
	until time.Time
}

func (t *tokens) get(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Now().Before(t.until) {
		return t.token, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(job.ClientID, job.ClientSecret)
	resp, err := t.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var got struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&got); err != nil {
		return "", err
	}
	t.token, t.until = got.AccessToken, time.Now().Add(time.Duration(got.ExpiresIn)*time.Second-time.Minute)
	return t.token, nil
}
