package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
)

// quickstart runs the program and returns what it prints, to either stream.
func quickstart(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), args, &out)
	text := out.String()
	if err != nil {
		text += explain(err)
	}
	assert.NotContains(t, text, demoValue, "a secret is printed")
	return text, err
}

func TestTheJobFromBeginningToEnd(t *testing.T) {
	out, err := quickstart(t, "-dir", t.TempDir())
	require.NoError(t, err)
	for _, want := range []string{
		"hub.db (new)",
		"ServiceNow Table API, version 1, authentication oauth2",
		"ServiceNow, created",
		"clientSecret, sealed, bound to 127.0.0.1:",
		"check       OnSuccess, status 200",
		"plan        POST https://127.0.0.1:",
		"body:/description                     from definition requests[0].body, payload caller.name, payload caller.phone",
		"body:/contact_type                    from definition requests[0].body, variable contactType",
		"header:Authorization                  from auth access_token",
		"branch      OnSuccess, status 201",
		`output      number  "INC0010001"`,
		"attempt     1: status 201 after ",
		"request 2 of 2: read-incident",
		`output      summary   "No dial tone at desk 14"`,
		"time        ",
	} {
		assert.Contains(t, out, want)
	}
}

func TestASecondRunFindsWhatTheFirstOneStored(t *testing.T) {
	for range 10 { // another program may take the server's address in between
		dir := t.TempDir()
		_, err := quickstart(t, "-dir", dir)
		require.NoError(t, err)
		before, at := stored(t, dir), address(t, dir)

		out, err := quickstart(t, "-dir", dir)
		require.NoError(t, err)
		assert.Contains(t, out, "hub.db (there from an earlier run)")
		if address(t, dir) != at {
			continue
		}
		assert.Contains(t, out, "ServiceNow, reopened, as an earlier run left it")
		assert.Contains(t, out, "clientSecret, kept, bound to 127.0.0.1:")
		assert.Equal(t, before, stored(t, dir), "nothing was made or changed again")
		return
	}
	assert.Fail(t, "the address is another one each time")
}

// address returns where the server was that a folder was made with.
func address(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "address"))
	require.NoError(t, err)
	return strings.TrimSpace(string(text))
}

// stored returns the connectors in a folder.
func stored(t *testing.T, dir string) []hub.Connector {
	t.Helper()
	s, err := open(t.Context(), &options{dir: dir}, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.close()) }()
	page, err := s.ListConnectors(t.Context(), hub.ListOptions{})
	require.NoError(t, err)
	return page.Items
}

// The server's old address is taken: the connector moves to the new one, and the secret,
// which is bound to the old one, is set again.
func TestAMovedServerGetsTheSecretAnew(t *testing.T) {
	dir := t.TempDir()
	_, err := quickstart(t, "-dir", dir)
	require.NoError(t, err)
	old := address(t, dir)
	squatter, err := net.Listen("tcp", old)
	if !errors.Is(err, syscall.EADDRINUSE) { // else somebody was quicker
		require.NoError(t, err)
		defer squatter.Close()
	}

	out, err := quickstart(t, "-dir", dir)
	require.NoError(t, err)
	assert.Contains(t, out, "version 2")
	assert.Contains(t, out, "updated, because its definition or the URL changed")
	assert.Contains(t, out, "set again: it was bound to "+old)
	assert.Contains(t, out, "branch      OnSuccess, status 201")
}

func TestABusyServerIsAskedAgain(t *testing.T) {
	out, err := quickstart(t, "-dir", t.TempDir(), "-demo", demoBusy)
	require.NoError(t, err)
	assert.Contains(t, out, "attempt     1: status 503 after ")
	assert.Regexp(t, `attempt     2: after a wait of \S+, status 201 after `, out)
}

func TestWhatGoesWrongSaysWhatToDo(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want []string
	}{
		"wrong payload": {
			[]string{"-payload", "wrong-payload.json"},
			[]string{
				`Plan "ServiceNow" "create-incident": invalid`,
				"payload/caller", "must have the member phone (required)",
				"payload/urgency", `must be one of ["1","2","3"] (enum)`,
				"Nothing was sent. Correct the payload",
			},
		},
		"payload that is no JSON": {
			[]string{"-payload", "main.go"},
			[]string{"payload", "is not valid JSON (at byte 0) (syntax)", "Nothing was sent."},
		},
		"stopped server": {
			[]string{"-demo", demoStopped},
			[]string{"check       OnError", "unreachable: the connector's authentication: the host cannot be reached", "Is the server running"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := quickstart(t, append(tt.args, "-dir", t.TempDir())...)
			require.Error(t, err)
			for _, want := range tt.want {
				assert.Contains(t, out, want)
			}
			assert.NotContains(t, out, "immediately (", "a value of the payload is printed")
		})
	}
}

func TestASlowServerIsATimeout(t *testing.T) {
	t.Parallel()
	const arrived = "The request may have arrived: look there before you send it again."
	var out string
	for _, timeout := range []string{"500ms", "3s", "15s", "60s"} { // a slow machine needs time to send it
		var err error
		out, err = quickstart(t, "-demo", demoSlow, "-timeout", timeout, "-dir", t.TempDir())
		require.Error(t, err)
		if strings.Contains(out, arrived) {
			break
		}
	}
	for _, want := range []string{"branch      OnTimeout", "timeout: ", arrived} {
		assert.Contains(t, out, want)
	}
}
