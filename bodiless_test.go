package hub_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

// What has no body, whatever its headers announce, has outputs from headers and status alone.
func TestAnswersWithoutABodyHaveOutputsFromHeaderAndStatus(t *testing.T) {
	for name, tt := range map[string]struct {
		method string
		status int
	}{
		"HEAD": {"HEAD", 200}, "204": {"DELETE", 204}, "304": {"GET", 304}, "an empty 200": {"GET", 200},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Total", "17")
				w.Header().Set("Content-Type", "application/json; charset=utf-16")
				if tt.method == "HEAD" {
					w.Header().Set("Content-Encoding", "br")
					w.Header().Set("Content-Length", "99999999999")
				}
				w.WriteHeader(tt.status)
			}))
			h := open(t).Tenant("acme")
			connector(t, h, srv, manual("go", tt.method, srv.URL, func(r *hub.Request) {
				r.Success = &hub.Success{Statuses: []string{"200-399"}}
				r.Outputs = map[string]hub.Output{
					"total":  {From: hub.FromHeader, Path: "X-Total", Type: hub.OutputInteger},
					"status": {From: hub.FromStatus, Type: hub.OutputInteger},
					"name":   {Path: "name", Default: json.RawMessage(`"nobody"`)},
				}
			}))
			res, err := execute(t, h, "go")
			require.NoError(t, err)
			assert.Empty(t, res.Body)
			assert.Equal(t, map[string]any{"total": json.Number("17"), "status": json.Number(strconv.Itoa(tt.status)), "name": "nobody"}, res.Outputs)

			var got strings.Builder
			res, err = streamed(t, h, &got, nil)
			require.NoError(t, err)
			assert.Equal(t, tt.status, res.Status)
			assert.Zero(t, got.Len()+int(res.Written))
		})
	}
}

// An output that only a body has is missing where there is none.
func TestAnAnswerWithoutABodyMissesItsOutputs(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(204))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
		r.Outputs = map[string]hub.Output{"name": {Path: "name"}}
	}))
	_, err := execute(t, h, "go")
	assert.Equal(t, "outputs.name", failed(t, err, hub.BadAnswer).Fields[0].Path)
}
