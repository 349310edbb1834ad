package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/storage/memory"
)

func get(name string) hub.Request {
	return hub.Request{Name: name, Method: "GET", URL: "https://a.example.com/" + name}
}

// filled saves a connector with active and inactive requests: a0, a1 … and i0, i1 …
func filled(t testing.TB, h *hub.Tenant, active, inactive int) hub.Connector {
	t.Helper()
	con := hub.Connector{Name: "full", Template: template(t, h).ID}
	for i := range active {
		con.Requests = append(con.Requests, get(fmt.Sprint("a", i)))
	}
	for i := range inactive {
		r := get(fmt.Sprint("i", i))
		r.State = hub.StateInactive
		con.Requests = append(con.Requests, r)
	}
	saved, err := h.CreateConnector(t.Context(), con)
	require.NoError(t, err)
	return saved
}

func TestTenActiveAndTenInactive(t *testing.T) {
	h := open(t).Tenant("")
	con := filled(t, h, 10, 10)
	_, err := h.AddRequest(t.Context(), con.ID, get("more"))
	assert.Equal(t, []string{"requests too-many-active"}, rules(t, err))
	idle := get("more")
	idle.State = hub.StateInactive
	_, err = h.AddRequest(t.Context(), con.ID, idle)
	assert.Equal(t, []string{"requests too-many-inactive"}, rules(t, err))
	_, err = h.ActivateRequest(t.Context(), con.ID, "i0")
	assert.Equal(t, []string{"requests too-many-active"}, rules(t, err))
	_, err = h.DeactivateRequest(t.Context(), con.ID, "a0")
	assert.Equal(t, []string{"requests too-many-inactive"}, rules(t, err))

	now, err := h.SwapRequests(t.Context(), con.ID, "i0", "a0")
	require.NoError(t, err, "the final state counts")
	assert.Equal(t, "i0 active", now.Name+" "+string(now.State))
	was, err := h.GetRequest(t.Context(), con.ID, "a0")
	require.NoError(t, err)
	assert.Equal(t, hub.StateInactive, was.State)

	_, err = h.SwapRequests(t.Context(), con.ID, "i0", "i0")
	assert.Equal(t, []string{"deactivate duplicate"}, rules(t, err))
	_, err = h.SwapRequests(t.Context(), con.ID, "i0", now.ID)
	assert.Equal(t, []string{"deactivate duplicate"}, rules(t, err), "by name and by id it is one")
	_, err = h.SwapRequests(t.Context(), con.ID, "i1", "nobody")
	assert.ErrorIs(t, err, hub.NotFound)
	idle, err = h.GetRequest(t.Context(), con.ID, "i1")
	require.NoError(t, err)
	assert.Equal(t, hub.StateInactive, idle.State, "half a swap is none")
}

func TestHostsMayRaiseTheNumberOfRequests(t *testing.T) {
	h := open(t, func(o *hub.Options) { o.Limits.ActiveRequests, o.Limits.InactiveRequests = 12, -1 }).Tenant("")
	con := filled(t, h, 12, 30)
	_, err := h.AddRequest(t.Context(), con.ID, get("more"))
	assert.Equal(t, []string{"requests too-many-active"}, rules(t, err))
}

// Whoever lowers a limit below what is stored must still be able to get there, step by step.
func TestRequestsAboveALoweredLimitCanBeDeactivated(t *testing.T) {
	store := memory.New()
	keeper, err := keyset.Generate()
	require.NoError(t, err)
	wide, err := hub.New(store, keeper, nil)
	require.NoError(t, err)
	con := filled(t, wide.Tenant(""), 4, 0)
	require.NoError(t, wide.Close(t.Context()))
	narrow, err := hub.New(store, keeper, &hub.Options{Limits: hub.Limits{ActiveRequests: 1}})
	require.NoError(t, err)
	defer func() { assert.NoError(t, narrow.Close(context.Background())) }()

	_, err = narrow.AddRequest(t.Context(), con.ID, get("more"))
	assert.Equal(t, []string{"requests too-many-active"}, rules(t, err))
	for _, name := range []string{"a0", "a1", "a2"} {
		r, err := narrow.DeactivateRequest(t.Context(), con.ID, name)
		require.NoError(t, err)
		assert.Equal(t, hub.StateInactive, r.State)
	}
	_, err = narrow.ActivateRequest(t.Context(), con.ID, "a0")
	assert.Equal(t, []string{"requests too-many-active"}, rules(t, err))
}

func TestRequestsOfAConnector(t *testing.T) {
	h := open(t).Tenant("")
	con := filled(t, h, 2, 1)
	added, err := h.AddRequest(t.Context(), con.ID, hub.Request{ID: "mine", Name: "Mine", Method: "GET", URL: "https://a.example.com"})
	require.NoError(t, err)
	assert.Equal(t, "mine", added.ID)
	for _, again := range []hub.Request{{ID: "mine", Name: "other"}, {ID: "other", Name: "Mine"}} {
		again.Method, again.URL = "GET", "https://a.example.com"
		_, err = h.AddRequest(t.Context(), con.ID, again)
		assert.Contains(t, fmt.Sprint(rules(t, err)), "duplicate")
	}
	con, err = h.GetConnector(t.Context(), con.ID)
	require.NoError(t, err)

	renamed := added
	renamed.Name = "Renamed"
	renamed, err = h.UpdateRequest(t.Context(), con.ID, con.Revision, renamed)
	require.NoError(t, err)
	assert.Equal(t, "mine Renamed", renamed.ID+" "+renamed.Name, "the id stays")
	_, err = h.UpdateRequest(t.Context(), con.ID, con.Revision, renamed)
	assert.ErrorIs(t, err, hub.Conflict)
	assert.ErrorIs(t, h.DeleteRequest(t.Context(), con.ID, "mine", con.Revision), hub.Conflict)
	con, err = h.GetConnector(t.Context(), con.ID)
	require.NoError(t, err)
	_, err = h.UpdateRequest(t.Context(), con.ID, con.Revision, get("nobody"))
	assert.ErrorIs(t, err, hub.NotFound)
	require.NoError(t, h.DeleteRequest(t.Context(), con.ID, "Renamed", con.Revision))

	for text, want := range map[string]int{"": 3, "A": 2, "0": 2, "i0": 1, "z": 0} {
		list, err := h.ListRequests(t.Context(), con.ID, text)
		require.NoError(t, err)
		assert.Len(t, list, want, "text %q", text)
	}
}

// What the defaults admit must come back from the store.
func TestDeepSampleComesBack(t *testing.T) {
	h := open(t, func(o *hub.Options) { o.Limits.NumberDigits = 200 }).Tenant("")
	con := filled(t, h, 0, 0)
	sample := json.RawMessage(strings.Repeat("[", 64) + strings.Repeat("9", 100) + strings.Repeat("]", 64))
	_, err := h.AddRequest(t.Context(), con.ID, hub.Request{
		Name: "deep", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped, Method: "POST", URL: "https://a.example.com", Sample: sample,
	})
	require.NoError(t, err)
	got, err := h.GetRequest(t.Context(), con.ID, "deep")
	require.NoError(t, err)
	assert.Equal(t, string(sample), string(got.Sample))

	wide := open(t, func(o *hub.Options) { o.Limits.PayloadDepth = -1 }).Tenant("")
	con = filled(t, wide, 0, 0)
	sample = json.RawMessage(strings.Repeat("[", 600) + strings.Repeat("]", 600))
	_, err = wide.AddRequest(t.Context(), con.ID, hub.Request{
		Name: "deep", Trigger: hub.TriggerStudio, PayloadMode: hub.PayloadMapped, Method: "POST", URL: "https://a.example.com", Sample: sample,
	})
	assert.Equal(t, []string{"definition too-deep"}, rules(t, err))
}

func TestConnectorTooLargeForARecord(t *testing.T) {
	h := open(t).Tenant("")
	con := filled(t, h, 0, 0)
	for i := range 20 {
		con.Variables = map[string]string{}
		for n := range i {
			con.Variables[fmt.Sprint("v", n)] = strings.Repeat("x", 64<<10)
		}
		saved, err := h.UpdateConnector(t.Context(), con)
		if err != nil {
			assert.Equal(t, []string{"definition too-large"}, rules(t, err))
			assert.Greater(t, i, 14)
			return
		}
		con = saved
	}
	t.Fatal("a connector of more than 1 MiB was saved")
}
