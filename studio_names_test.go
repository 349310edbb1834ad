package hub_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

func TestAnActionWhoseVariablesClashCallsNobody(t *testing.T) {
	srv := hubtest.NewServer(t)
	srv.Handle("/", hubtest.Status(200))
	h := open(t).Tenant("acme")
	connector(t, h, srv, manual("go", "GET", srv.URL))
	for _, names := range [][2]string{{"x", "x"}, {"ERR", ""}, {"requestProxy", ""}} {
		act, err := h.ConnectRequest(t.Context(), hub.ConnectRequestAction{
			ConnectName: "con", RequestName: "go", RequestBodyVarName: names[0], RequestHeadersListVarName: names[1],
		})
		require.NoError(t, err)
		assert.Equal(t, hub.OnError, act.Branch)
		assert.Contains(t, act.ERR, "must differ")
	}
	assert.Empty(t, srv.Requests())
}
