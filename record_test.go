package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// damage replaces the data of a connector's record.
func damage(ctx context.Context, s storage.Store, id string, data []byte) error {
	rec, err := s.Get(ctx, storage.Key{Kind: "connector", ID: id})
	if err != nil {
		return err
	}
	before := rec.Revision
	rec.Data, rec.Revision = data, rec.Revision+1
	return s.Apply(ctx, storage.Update(rec, before))
}

// touchAll reads and uses a connector in every way.
func touchAll(ctx context.Context, h *hub.Tenant, id string) []error {
	_, get := h.GetConnector(ctx, id)
	_, list := h.ListConnectors(ctx, hub.ListOptions{})
	_, requests := h.ListRequests(ctx, id, "")
	_, secrets := h.ListSecrets(ctx, id)
	_, ready := h.Readiness(ctx, id)
	_, pause := h.PauseConnector(ctx, id)
	_, plan := h.Plan(ctx, hub.Call{Connector: id, Request: "r"})
	_, upgrade := h.PlanUpgrade(ctx, id, 0)
	_, copied := h.CopyConnector(ctx, id, "copy")
	return []error{get, list, requests, secrets, ready, pause, plan, upgrade, copied}
}

func TestRecordsThatCannotBeReadAreNamed(t *testing.T) {
	for name, c := range map[string]struct{ data, want string }{
		"no JSON":           {"\x00\x01", "the store holds a damaged record: connector"},
		"empty":             {"", "the store holds a damaged record: connector"},
		"other shape":       {`{"format":1,"body":[]}`, "the store holds a damaged record: connector"},
		"unknown member":    {`{"format":1,"body":{"connector":{"surprise":1}}}`, "the store holds a damaged record: connector"},
		"of a newer format": {`{"format":2,"body":{"connector":[]}}`, "was written by a newer release (format 2, this one reads 1)"},
	} {
		t.Run(name, func(t *testing.T) {
			store := memory.New()
			h := openOn(t, store).Tenant("")
			con := filled(t, h, 1, 0)
			require.NoError(t, damage(t.Context(), store, con.ID, []byte(c.data)))
			for _, err := range touchAll(t.Context(), h, con.ID) {
				assert.ErrorIs(t, err, hub.Unavailable)
				assert.ErrorContains(t, err, c.want)
			}
			rec, err := store.Get(t.Context(), storage.Key{Kind: "connector", ID: con.ID})
			require.NoError(t, err)
			assert.Equal(t, c.data, string(rec.Data), "what cannot be read is not written over")
		})
	}
}

// No record, whoever wrote it, makes the hub panic.
func FuzzRecord(f *testing.F) {
	con, err := json.Marshal(map[string]any{"format": 1, "body": map[string]any{"connector": fullConnector(), "template": fullTemplate()}})
	require.NoError(f, err)
	f.Add(con)
	f.Add([]byte(`{"format":1,"body":{"connector":{"requests":[{"name":"r","trigger":"studio"}]},"secrets":{"a":{"box":"AA=="}}}}`))
	f.Add([]byte(`{"format":1,"body":{"connector":{"auth":{"kind":"hmac"},"tls":{"key":"a"}},"template":{"authType":"hmac","fields":[{"visibleWhen":{}}],"verify":{}}}}`))
	f.Add([]byte(`{"format":1,"body":{"deleting":true}}`))
	store := memory.New()
	h := openOn(f, store).Tenant("")
	saved := filled(f, h, 1, 0)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 64<<10 {
			return
		}
		require.NoError(t, damage(t.Context(), store, saved.ID, data))
		for _, err := range touchAll(t.Context(), h, saved.ID) {
			var e *hub.Error
			require.True(t, err == nil || errors.As(err, &e), "%v", err)
		}
		if copied, err := h.GetConnector(t.Context(), "copy"); err == nil {
			require.NoError(t, h.DeleteConnector(t.Context(), copied.ID, copied.Revision))
		}
	})
}

func TestRevisionsGrowWithTheClockAndWithoutIt(t *testing.T) {
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	h := open(t, func(o *hub.Options) { o.Now = func() time.Time { return now } }).Tenant("")
	con := filled(t, h, 0, 0)
	last := con.Revision
	for range 5 {
		now = now.Add(-time.Hour) // a clock that is set back
		saved, err := h.UpdateConnector(t.Context(), con)
		require.NoError(t, err)
		assert.Greater(t, saved.Revision, last)
		con, last = saved, saved.Revision
	}
}
