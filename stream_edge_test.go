package hub_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// A bound of what is decoded says nothing of how it travels: a short text is longer compressed.
func TestTheTemplateAndTheCallerBoundWhatIsDecoded(t *testing.T) {
	const text = "0123456789"
	srv := hubtest.NewServer(t)
	srv.Handle("/plain", hubtest.Text(200, text))
	srv.Handle("/gzip", hubtest.Text(200, zipped(text)).Header("Content-Encoding", "gzip"))
	h := open(t).Tenant("acme")
	for name, limit := range map[string]int64{"none": 0, "fits": 10, "less": 9} {
		tpl := template(t, h, func(tpl *hub.Template) { tpl.Name, tpl.Limits.ResponseBytes = name, limit })
		connector(t, h, srv, manual("plain", "GET", srv.URL+"/plain"), manual("gzip", "GET", srv.URL+"/gzip"), func(c *hub.Connector) { c.Name, c.Template = name, tpl.ID })
		for _, request := range []string{"plain", "gzip"} {
			t.Run(name+" "+request, func(t *testing.T) {
				call := hub.Call{Connector: name, Request: request}
				res, err := h.Execute(t.Context(), call)
				var got strings.Builder
				_, streamed := h.ExecuteTo(t.Context(), call, &got, nil)
				if name == "less" {
					failed(t, err, hub.BadAnswer)
					failed(t, streamed, hub.BadAnswer)
					assert.Empty(t, got.String())
					return
				}
				require.NoError(t, err)
				require.NoError(t, streamed)
				assert.Equal(t, text, string(res.Body))
				assert.Equal(t, text, got.String())

				_, err = h.ExecuteTo(t.Context(), call, io.Discard, &hub.StreamOptions{MaxBytes: 10})
				require.NoError(t, err)
				_, err = h.ExecuteTo(t.Context(), call, io.Discard, &hub.StreamOptions{MaxBytes: 9})
				failed(t, err, hub.BadAnswer)
			})
		}
	}
}

// each is a writer that is told of each write.
type each func(n int)

func (f each) Write(p []byte) (int, error) {
	f(len(p))
	return len(p), nil
}

// What has arrived is not written any more once the call is over.
func TestAStreamEndsWithItsCallAlsoWhereAllHasArrived(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Text(200, strings.Repeat("x", 1<<20)))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	writes := 0
	res, err := h.ExecuteTo(ctx, hub.Call{Connector: "con", Request: "go"}, each(func(int) { writes++; cancel() }), nil)
	assert.Equal(t, 200, failed(t, err, hub.Canceled).Status)
	assert.Equal(t, 1, writes)
	assert.Less(t, res.Written, int64(1<<20))
}

// An answer that has nothing to say has nothing to write: an error page does not end in a file.
func TestAnIgnoredAnswerIsNotWritten(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Text(404, "no such thing"))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
		r.Responses = []hub.ResponseRule{{When: hub.AnswerMatch{Statuses: []string{"404"}}, Then: hub.VerdictIgnore}}
	}))
	var got strings.Builder
	res, err := streamed(t, h, &got, nil)
	require.NoError(t, err)
	assert.Equal(t, hub.OnSuccess, res.Branch)
	assert.Zero(t, got.Len()+int(res.Written))
}

// What panics of the host's own passes by, and leaves nothing behind: the call is told of as what it
// was, its place is free, and a probe of its circuit makes room for another.
func TestAPanicOfTheCallersLeavesNothingBehind(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Sequence(hubtest.Status(500), hubtest.Text(200, "yes")))
	var told []hub.Event
	h := open(t, observeThose(&told, func(e hub.Event) bool { return e.Op != "Circuit" }), func(o *hub.Options) {
		o.Breaker = hub.Breaker{Calls: 1, Failures: 1, Open: time.Millisecond, Probes: 1}
		o.Limits.ConnectorCalls = 1
	}).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) { r.Fallback = &hub.Fallback{StaleFor: 60} }))
	_, err := execute(t, h, "go")
	failed(t, err, hub.Rejected)

	panics := func() (passed any) {
		defer func() { passed = recover() }()
		_, err = streamed(t, h, each(func(int) { panic("the writer's") }), nil)
		return nil
	}
	require.Eventually(t, func() bool { return panics() == "the writer's" }, time.Minute, time.Millisecond)
	attempt, call := told[len(told)-2], told[len(told)-1]
	require.Len(t, attempt.Attempts, 1)
	assert.Equal(t, "aborted", attempt.Attempts[0].Failure)
	assert.Equal(t, []any{"ExecuteTo", hub.OnError, hub.Aborted}, []any{call.Op, call.Branch, call.Code})

	_, err = execute(t, h, "go")
	require.NoError(t, err)

	assert.PanicsWithValue(t, "BeforeSend's", func() {
		_, _ = h.Execute(t.Context(), hub.Call{Connector: "con", Request: "go", BeforeSend: func(context.Context, hub.Sending) error { panic("BeforeSend's") }})
	})
	assert.Equal(t, hub.Aborted, told[len(told)-1].Code)
}

// What is read whole, since only its body tells that it is a success, is bounded like what is passed on.
func TestWhatIsReadWholeIsWrittenWithinTheBound(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Text(200, "0123456789"))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
		r.Responses = []hub.ResponseRule{{When: hub.AnswerMatch{Contains: "failed"}, Then: hub.VerdictFail}}
	}))
	for most, fits := range map[int64]bool{0: true, 10: true, 9: false} {
		var got strings.Builder
		res, err := streamed(t, h, &got, &hub.StreamOptions{MaxBytes: most})
		assert.Empty(t, res.Body)
		assert.Equal(t, res.Written, int64(got.Len()))
		if fits {
			require.NoError(t, err)
			assert.Equal(t, "0123456789", got.String())
			continue
		}
		assert.Contains(t, failed(t, err, hub.BadAnswer).Error(), "too large")
		assert.Equal(t, hub.OnError, res.Branch)
		assert.Empty(t, got.String())
	}
}
