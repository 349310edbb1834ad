package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/hubtest"
)

const ownSecret = "own-api-key-4711-0815"

// writeDefinition writes a definition of a reader: one manual request with a key in a header.
func writeDefinition(t *testing.T, srv *hubtest.Server, change func(connector map[string]any)) string {
	t.Helper()
	connector := map[string]any{
		"name":    "Orders",
		"headers": []any{map[string]any{"name": "X-Api-Key", "value": "[[apiKey]]"}},
		"secrets": []any{map[string]any{"name": "apiKey", "places": []string{"header:X-Api-Key"}}},
		"tls":     map[string]any{"ca": string(srv.CA())},
		"requests": []any{
			map[string]any{
				"name": "order", "trigger": "studio", "payloadMode": "mapped", "method": "GET", "url": "/orders/{{number}}",
				"outputs": map[string]any{"state": map[string]any{"path": "state"}}, "sample": map[string]any{"number": 7},
			},
			map[string]any{"name": "status", "method": "GET", "url": "/status"},
		},
	}
	if change != nil {
		change(connector)
	}
	text, err := json.Marshal(map[string]any{
		"template":  map[string]any{"name": "Order system", "methods": []string{"GET"}},
		"connector": connector,
		"run":       []string{"order", "status"},
	})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "definition.json")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return file
}

func orderServer(t *testing.T) *hubtest.Server {
	t.Helper()
	srv := hubtest.NewServer(t)
	srv.Handle("GET /orders/{number}", hubtest.JSON(200, map[string]any{"state": "shipped"}))
	srv.Handle("GET /status", hubtest.Text(200, "fine"))
	return srv
}

func TestADefinitionOfTheReader(t *testing.T) {
	srv := orderServer(t)
	t.Setenv("ORDERS_KEY", ownSecret)
	args := []string{
		"-dir", t.TempDir(), "-definition", writeDefinition(t, srv, nil), "-url", srv.URL,
		"-secret", "apiKey=ORDERS_KEY", "-allow-loopback",
	}
	out, err := quickstart(t, args...)
	require.NoError(t, err)
	assert.Contains(t, out, "Orders, created")
	assert.Contains(t, out, `output      state  "shipped"`)
	assert.Contains(t, out, "header:X-Api-Key  from definition headers[0], secret apiKey")
	assert.NotContains(t, out, ownSecret)

	sent := srv.Requests()
	require.Len(t, sent, 2)
	assert.Equal(t, "/orders/7", sent[0].URL.Path, "the sample stands in for a payload")
	assert.Equal(t, ownSecret, sent[0].Header.Get("X-Api-Key"))

	payload := filepath.Join(t.TempDir(), "payload.json")
	require.NoError(t, os.WriteFile(payload, []byte(`{"number":"A 8"}`), 0o600))
	out, err = quickstart(t, append(args, "-payload", payload)...)
	require.NoError(t, err)
	assert.Contains(t, out, "Orders, reopened")
	assert.Contains(t, out, "apiKey, replaced", "a value on the command line counts")
	assert.Equal(t, "/orders/A%208", srv.Requests()[2].Target)
}

func TestAnEditedDefinitionTakesEffect(t *testing.T) {
	srv := orderServer(t)
	srv.Handle("GET /v2/status", hubtest.Text(200, "fine"))
	t.Setenv("ORDERS_KEY", ownSecret)
	args := []string{"-dir", t.TempDir(), "-url", srv.URL, "-allow-loopback"}
	_, err := quickstart(t, append(args, "-definition", writeDefinition(t, srv, nil), "-secret", "apiKey=ORDERS_KEY")...)
	require.NoError(t, err)

	edited := writeDefinition(t, srv, func(c map[string]any) {
		c["requests"].([]any)[1].(map[string]any)["url"] = "/v2/status"
	})
	out, err := quickstart(t, append(args, "-definition", edited)...)
	require.NoError(t, err)
	assert.Contains(t, out, "Orders, updated")
	assert.Contains(t, out, "apiKey, kept")
	assert.Equal(t, "/v2/status", srv.Requests()[3].Target)
}

func TestTroubleWithADefinitionOfTheReader(t *testing.T) {
	srv := orderServer(t)
	t.Setenv("ORDERS_KEY", ownSecret)
	t.Setenv("EMPTY_KEY", "")
	key, loopback := []string{"-secret", "apiKey=ORDERS_KEY"}, []string{"-allow-loopback"}
	for name, tt := range map[string]struct {
		change func(map[string]any)
		args   [][]string
		want   string
	}{
		"loopback is shut":   {nil, [][]string{key}, "the host application decides what is open"},
		"no secret":          {nil, [][]string{loopback}, `secret "apiKey" has no value`},
		"empty variable":     {nil, [][]string{loopback, {"-secret", "apiKey=EMPTY_KEY"}}, "the environment variable EMPTY_KEY is not set"},
		"unknown reference":  {func(c map[string]any) { c["headers"].([]any)[0].(map[string]any)["value"] = "[[apiKye]]" }, [][]string{key, loopback}, "unknown-reference"},
		"no such request":    {func(c map[string]any) { c["requests"] = c["requests"].([]any)[1:] }, [][]string{key, loopback}, `there is no request "order"`},
		"no payload, sample": {func(c map[string]any) { delete(c["requests"].([]any)[0].(map[string]any), "sample") }, [][]string{key, loopback}, "name a file with -payload"},
	} {
		t.Run(name, func(t *testing.T) {
			args := []string{"-dir", t.TempDir(), "-definition", writeDefinition(t, srv, tt.change), "-url", srv.URL}
			for _, more := range tt.args {
				args = append(args, more...)
			}
			out, err := quickstart(t, args...)
			require.Error(t, err)
			assert.Contains(t, out, tt.want)
			assert.NotContains(t, out, ownSecret)
			assert.Empty(t, srv.Requests(), "nothing is sent")
		})
	}
}

// A server that answers with what it was sent, credentials included, is shown masked.
func TestAnAnswerIsShownWithoutSecrets(t *testing.T) {
	srv := orderServer(t)
	srv.Handle("GET /orders/{number}", hubtest.Text(400, "bad key "+ownSecret+"\x1b[31m"))
	t.Setenv("ORDERS_KEY", ownSecret)
	out, err := quickstart(t, "-dir", t.TempDir(), "-definition", writeDefinition(t, srv, nil), "-url", srv.URL,
		"-secret", "apiKey=ORDERS_KEY", "-allow-loopback")
	require.Error(t, err)
	assert.Contains(t, out, "rejected: the third party answered status 400 (Bad Request)")
	assert.Contains(t, out, "bad key [secret]")
	assert.NotContains(t, out, ownSecret)
	assert.NotContains(t, out, "\x1b")
}

// A comma that is too many is found by its line.
func TestADefinitionThatIsNoJSON(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.json")
	require.NoError(t, os.WriteFile(file, []byte("{\n  \"run\": [\"order\"],\n  \"template\": {},\n}\n"), 0o600))
	out, err := quickstart(t, "-dir", t.TempDir(), "-definition", file)
	require.Error(t, err)
	assert.Contains(t, out, "the definition, line 4, column 1: ")
}
