package hub_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

func TestBeforeSendIsToldOnceWhenAllIsReady(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Sequence(hubtest.Status(503).RetryAfter(0), hubtest.Status(204)))
	h := open(t).Tenant("acme")
	connector(t, h, srv,
		manual("post", "POST", srv.URL+"/"),
		manual("declared", "PATCH", srv.URL+"/", func(r *hub.Request) { r.Retry = &hub.Retry{Idempotent: true} }),
		mapped("put", "PUT", srv.URL+"/{{id}}"),
		dynamic(func(r *hub.Request) { r.URL = srv.URL + "/" }))
	for name, c := range map[string]struct {
		request, payload string
		want             hub.Sending
	}{
		"a POST":            {"post", "", hub.Sending{Method: "POST"}},
		"declared":          {"declared", "", hub.Sending{Method: "PATCH", Idempotent: true}},
		"by its method":     {"put", `{"id": 1}`, hub.Sending{Method: "PUT", Idempotent: true}},
		"a payload's POST":  {"any", `{"method": "POST"}`, hub.Sending{Method: "POST"}},
		"a payload's GET":   {"any", `{"method": "GET"}`, hub.Sending{Method: "GET", Idempotent: true}},
		"a wrong payload":   {"put", `{"id": ".."}`, hub.Sending{}},
		"a missing request": {"none", "", hub.Sending{}},
	} {
		t.Run(name, func(t *testing.T) {
			var told []hub.Sending
			before := len(srv.Requests())
			_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: c.request, Payload: []byte(c.payload),
				BeforeSend: func(_ context.Context, s hub.Sending) error {
					assert.Len(t, srv.Requests(), before, "nothing was sent yet")
					told = append(told, s)
					return nil
				}})
			if c.want == (hub.Sending{}) {
				assert.Error(t, err)
				assert.Empty(t, told)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, []hub.Sending{c.want}, told)
		})
	}
}

func TestBeforeSendCanForbidTheCall(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("post", "POST", srv.URL+"/"))
	refusal := errors.New("not now")
	_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "post",
		BeforeSend: func(context.Context, hub.Sending) error { return refusal }})
	e := failed(t, err, hub.Unavailable)
	assert.ErrorIs(t, err, refusal)
	assert.False(t, e.Sent)
	assert.True(t, e.Repeatable())
	assert.Empty(t, srv.Requests())
}

func TestAnIdempotencyKeyIsTheCallers(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(204))
	h := open(t).Tenant("acme")
	connector(t, h, srv,
		manual("with", "POST", srv.URL+"/", func(r *hub.Request) { r.Retry = &hub.Retry{IdempotencyHeader: "Idempotency-Key"} }),
		manual("without", "POST", srv.URL+"/"))
	for key, valid := range map[string]bool{
		"": true, "order-17": true, strings.Repeat("k", 255): true,
		strings.Repeat("k", 256): false, "a b": false, "a\r\nX: y": false, "ä": false,
	} {
		before := len(srv.Requests())
		_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "with", IdempotencyKey: key})
		if !valid {
			failed(t, err, hub.Invalid)
			assert.Len(t, srv.Requests(), before)
			continue
		}
		require.NoError(t, err)
		got := srv.Requests()[before].Header.Get("Idempotency-Key")
		if key == "" {
			assert.NotEmpty(t, got, "one is made")
		} else {
			assert.Equal(t, key, got)
		}
	}
	_, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "without", IdempotencyKey: "k"})
	require.NoError(t, err)
	all := srv.Requests()
	assert.Empty(t, all[len(all)-1].Header.Get("Idempotency-Key"))
}

func TestWhatCanBeMadeAgainWithoutHarm(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/drop", hubtest.Drop())
	srv.Handle("/told", hubtest.Status(429).RetryAfter(3600))
	srv.Handle("/now", hubtest.Status(429).RetryAfter(0))
	srv.Handle("/untold", hubtest.Status(503))
	srv.Handle("/wrong", hubtest.Status(500).RetryAfter(3600))
	h := open(t)
	once := func(r *hub.Request) { r.Retry = &hub.Retry{Attempts: 1} }
	declared := func(r *hub.Request) { r.Retry = &hub.Retry{Attempts: 1, Idempotent: true} }
	requests := []func(*hub.Connector){
		manual("drop", "POST", srv.URL+"/drop", once), manual("told", "POST", srv.URL+"/told", once),
		manual("now", "POST", srv.URL+"/now", once), manual("untold", "POST", srv.URL+"/untold", once), manual("wrong", "POST", srv.URL+"/wrong", once),
		manual("get", "GET", srv.URL+"/drop", once), manual("declared", "POST", srv.URL+"/drop", declared),
	}
	for request, repeatable := range map[string]bool{
		"drop": false, "told": true, "now": true, "untold": false, "wrong": false, "get": true, "declared": true, "none": true,
	} {
		own := h.Tenant(request) // who has been told to wait holds back its other calls
		connector(t, own, srv, requests...)
		_, err := execute(t, own, request)
		var e *hub.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, repeatable, e.Repeatable(), "%s: %v", request, err)
	}
}

// A call that is sent again with another token is still the one that was announced.
func TestBeforeSendIsNotToldOfAReplay(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("POST /token", issuer("3600"))
	srv.Handle("/things", only("tok-0000000002"))
	h := open(t).Tenant("acme")
	connector(t, h, srv, oauth(srv))
	told := 0
	res, err := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "read", BeforeSend: func(context.Context, hub.Sending) error {
		assert.Equal(t, 1, received(srv, "/token"), "the token is there")
		told++
		return nil
	}})
	require.NoError(t, err)
	assert.Len(t, res.Attempts, 2)
	assert.Equal(t, 1, told)
}

// Whether a call can be made again does not depend on what became of its authentication.
func TestWhatCanBeMadeAgainAfterARefusedToken(t *testing.T) {
	for name, token := range map[string]hubtest.Answer{
		"refused for good":    hubtest.JSON(400, map[string]string{"error": "invalid_client"}),
		"not now":             hubtest.Status(503),
		"not now, but a time": hubtest.Status(503).RetryAfter(20),
	} {
		for method, repeatable := range map[string]bool{"GET": true, "POST": false} {
			t.Run(name+", "+method, func(t *testing.T) {
				srv := hubtest.NewServer(t)
				srv.Handle("POST /token", hubtest.Sequence(hubtest.Token("tok-0000000001", time.Hour), token))
				srv.Handle("/things", only("none"))
				h := open(t).Tenant("acme")
				connector(t, h, srv, oauth(srv), manual("go", method, srv.URL+"/things"))
				_, err := execute(t, h, "go")
				var e *hub.Error
				require.ErrorAs(t, err, &e)
				assert.True(t, e.Sent)
				assert.Equal(t, repeatable, e.Repeatable(), "%v", err)
			})
		}
	}
}

func TestWhatCanBeMadeAgainAfterAnAnswerWithoutItsOutputs(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.JSON(200, map[string]int{"a": 1}))
	h := open(t)
	for method, repeatable := range map[string]bool{"GET": true, "POST": false} {
		own := h.Tenant(method)
		connector(t, own, srv, manual("go", method, srv.URL, func(r *hub.Request) {
			r.Outputs = map[string]hub.Output{"b": {Path: "b"}}
		}))
		_, err := execute(t, own, "go")
		assert.Equal(t, repeatable, failed(t, err, hub.BadAnswer).Repeatable(), method)
	}
}

// Who gives up while a call waits to be sent again has not made what was turned away happen.
func TestWhatCanBeMadeAgainAfterAWaitThatWasGivenUp(t *testing.T) {
	for name, tt := range map[string]struct {
		answer     hubtest.Answer
		repeatable bool
	}{
		"a POST that was turned away": {hubtest.Status(503).RetryAfter(5), true},
		"a POST that perhaps arrived": {hubtest.Status(200).After(time.Minute), false},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			arrived := make(chan struct{}, 1)
			srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				arrived <- struct{}{}
				tt.answer.ServeHTTP(w, r)
			}))
			h := open(t).Tenant("acme")
			connector(t, h, srv, manual("go", "POST", srv.URL))
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-arrived
				if tt.repeatable {
					until(t, func() bool {
						health, err := h.Health(t.Context(), "con")
						return err == nil && len(health.Origins) == 1 && !health.Origins[0].HeldUntil.IsZero()
					})
				}
				cancel()
			}()
			_, err := h.Execute(ctx, hub.Call{Connector: "con", Request: "go"})
			e := failed(t, err, hub.Canceled)
			assert.True(t, e.Sent)
			assert.Equal(t, tt.repeatable, e.Repeatable())
			assert.Equal(t, tt.repeatable, !e.RetryAt.IsZero())
		})
	}
}
