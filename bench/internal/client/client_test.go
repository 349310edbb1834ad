package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub/bench/internal/client"
	"github.com/integrationhub/hub/bench/internal/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// peer answers what its function says.
type peer func(payload string) (job.Answer, error)

func (p peer) Call(_ context.Context, payload []byte) (job.Answer, error) { return p(string(payload)) }
func (p peer) Close() error                                               { return nil }

// good answers as it must.
func good(payload string) (job.Answer, error) {
	for n := range job.Variants {
		if payload == string(job.Payload(n)) {
			return job.Want(n), nil
		}
	}
	return job.Answer{}, errors.New("refused")
}

// ask asks one question and returns the error that the process answers with, and the sample.
func ask(t *testing.T, p peer, validates bool, q client.Question) (client.Sample, string) {
	t.Helper()
	question, err := json.Marshal(q)
	require.NoError(t, err)
	var out bytes.Buffer
	open := func(context.Context, job.Target) (job.Peer, error) { return p, nil }
	require.NoError(t, client.Serve(t.Context(), bytes.NewReader(question), &out, open, validates))
	var reply struct {
		Error string
		Value client.Sample
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &reply))
	return reply.Value, reply.Error
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		peer      peer
		validates bool
		want      string
	}{
		"good":                                   {good, true, ""},
		"does not validate, and is not asked to": {good, false, ""},
		"sends what it must refuse": {func(p string) (job.Answer, error) {
			answer, _ := good(p)
			return answer, nil
		}, true, "breaks the schema"},
		"gives another answer": {func(string) (job.Answer, error) { return job.Want(0), nil }, true, "payload 1: got"},
		"fails":                {func(string) (job.Answer, error) { return job.Answer{}, errors.New("no way") }, true, "payload 0: no way"},
	} {
		t.Run(name, func(t *testing.T) {
			_, got := ask(t, c.peer, c.validates, client.Question{})
			if c.want == "" {
				assert.Empty(t, got)
			} else {
				assert.Contains(t, got, c.want)
			}
		})
	}
}

func TestMeasure(t *testing.T) {
	q := client.Question{Callers: 3, Warm: time.Millisecond, For: 20 * time.Millisecond}
	s, failed := ask(t, good, true, q)
	for s.Calls == 0 && failed == "" { // a machine that does something else for so long
		q.For *= 2
		s, failed = ask(t, good, true, q)
	}
	require.Empty(t, failed)
	assert.GreaterOrEqual(t, s.Elapsed, q.For)
	assert.LessOrEqual(t, s.P50, s.P99)

	broken := func(p string) (job.Answer, error) {
		if strings.Contains(p, `"c-4711-2"`) {
			return job.Answer{}, errors.New("no way")
		}
		return good(p)
	}
	for q.For = 20 * time.Millisecond; failed == ""; q.For *= 2 { // likewise
		_, failed = ask(t, broken, true, q)
	}
	assert.Contains(t, failed, "payload 2: no way")
}
