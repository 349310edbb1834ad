package hub_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// foreign are texts that act on terminals, logs and readers.
var foreign = []string{
	"\x1b[2J\x1b[31mroot#", "\x1b]0;title\x07", "ok\r\nlevel=ERROR msg=forged", "a\nb", "\u202egnp.exe", "\u2066x\u2069", "\u200bzero", "\x00", "\x7f", "\u009b31m", "\ufeff", "\U000e0041tag",
	"=cmd|' /C calc'!A0", strings.Repeat("long ", 400), strings.Repeat("\x1b", 600), "\xff\xfe", "😀 fine",
}

// Text from a third party is cut, quoted and made visible before it stands in an error, a log
// or a script's variable.
func TestForeignTextActsOnNothing(t *testing.T) {
	var log bytes.Buffer
	srv, trust := peers(t, 1)
	h := open(t, trust, func(o *hub.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}).Tenant("acme")
	con := tokenConnector(t, h, srv[0])
	setSecret(t, h, con.ID, "key", boundSecret)
	shown := 0
	for _, text := range foreign {
		srv[0].Handle("/token", hubtest.JSON(400, map[string]string{"error": text, "error_description": text}).Header("WWW-Authenticate", "Bearer x"))
		act, err := h.ConnectAuth(t.Context(), hub.ConnectAuthAction{ConnectName: "con"})
		require.NoError(t, err)
		require.Equal(t, hub.OnError, act.Branch)
		for _, out := range []string{act.Err.Error(), act.ErrorDetails, act.ERR} {
			assert.False(t, strings.ContainsFunc(out, acts), "%q", out)
			assert.Less(t, len(out), 3000)
			assert.NotContains(t, out, text+text)
			shown++
		}
	}
	for line := range strings.Lines(log.String()) {
		line = strings.TrimSuffix(line, "\n")
		assert.True(t, strings.HasPrefix(line, "time="), "%q", line)
		assert.False(t, strings.ContainsFunc(line, acts), "%q", line)
	}
	t.Logf("%d foreign texts shown, none acts", shown)
}

// acts reports whether a character does more than to be seen.
func acts(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// The same of names and pointers that a caller or a payload chose.
func TestCallersTextActsOnNothing(t *testing.T) {
	var log bytes.Buffer
	h := open(t, func(o *hub.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}).Tenant("acme")
	_, err := h.CreateConnector(t.Context(), hub.Connector{Name: "con", Template: template(t, h).ID, Requests: []hub.Request{{
		Name: "r", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped, Method: "POST", URL: "https://api.example.com", Body: `"{{v}}"`,
		PayloadSchema: json.RawMessage(`{"additionalProperties":{"type":"integer"}}`),
	}}})
	require.NoError(t, err)
	for _, text := range foreign {
		key, err := json.Marshal(text)
		require.NoError(t, err)
		_, unknown := h.Execute(t.Context(), hub.Call{Connector: text, Request: text})
		_, request := h.Execute(t.Context(), hub.Call{Connector: "con", Request: text})
		_, payload := h.Execute(t.Context(), hub.Call{Connector: "con", Request: "r", Payload: []byte(`{` + string(key) + `:"x"}`)})
		var con hub.Connector
		definition := json.Unmarshal([]byte(`{`+string(key)+`:1}`), &con)
		_, saved := h.CreateConnector(t.Context(), hub.Connector{Name: "x", Template: text, Variables: map[string]string{text: text}, Hosts: []string{text}})
		for _, err := range []error{unknown, request, payload, definition, saved} {
			require.Error(t, err)
			assert.False(t, strings.ContainsFunc(err.Error(), acts), "%q", err)
			assert.Less(t, len(err.Error()), 16<<10)
		}
	}
	for line := range strings.Lines(log.String()) {
		assert.True(t, strings.HasPrefix(line, "time="), "%q", line)
	}
}
