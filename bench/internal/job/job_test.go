package job_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub/bench/internal/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPayloadsMeetTheSchemaAndTheWrongOneDoesNot(t *testing.T) {
	schema, err := jsonschema.CompileString("payload.json", job.Schema)
	require.NoError(t, err)
	valid := func(payload []byte) bool {
		var v any
		require.NoError(t, json.Unmarshal(payload, &v), "%s", payload)
		return schema.Validate(v) == nil
	}
	for n := range job.Variants {
		assert.True(t, valid(job.Payload(n)), "payload %d", n)
		assert.InDelta(t, 600, len(job.Payload(n)), 30, "payload %d", n)
		assert.True(t, json.Valid(job.Body(n)), "payload %d", n)
	}
	assert.False(t, valid(job.Wrong()))
}

func TestRepliesHoldWhatIsWanted(t *testing.T) {
	for n := range job.Variants {
		r := job.Reply(n)
		assert.Len(t, r, 1024)
		require.True(t, gjson.ValidBytes(r), "%s", r)
		assert.Equal(t, job.Want(n), job.Answer{Number: gjson.GetBytes(r, "result.number").String(), ID: gjson.GetBytes(r, "result.id").Int()})
	}
}

func TestVariant(t *testing.T) {
	for n := range job.Variants {
		assert.Equal(t, n, job.Variant(job.Path(n)))
	}
	for _, path := range []string{"", "/", job.TokenPath, job.Path(64), job.Path(-1), job.Path(1) + "/", "/x" + job.Path(1)} {
		assert.Equal(t, -1, job.Variant(path), path)
	}
}

func TestStub(t *testing.T) {
	client := &http.Client{Transport: job.Stub()}
	post := func(path string) (string, error) {
		resp, err := client.Post("https://api.example.com"+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return string(body), err
	}
	got, err := post(job.Path(7))
	require.NoError(t, err)
	assert.Equal(t, string(job.Reply(7)), got)
	got, err = post(job.TokenPath)
	require.NoError(t, err)
	assert.Equal(t, job.TokenReply, got)
	_, err = post("/elsewhere")
	assert.Error(t, err)
}
