package hub_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// rotating is a store whose keeper gets a new key: old is the keeper of processes that have
// not promoted it yet, new of those that have.
type rotating struct {
	store    storage.Store
	old, new *keyset.Keyset
	trust    func(*hub.Options)
	srv      *hubtest.Server
	secrets  int
}

func newRotating(t *testing.T, connectors int) *rotating {
	t.Helper()
	first, err := keyset.Generate()
	require.NoError(t, err)
	both, fresh, err := first.Add()
	require.NoError(t, err)
	promoted, err := both.Promote(fresh)
	require.NoError(t, err)
	srv, trust := peers(t, 1)
	r := &rotating{store: memory.New(), old: both, new: promoted, srv: srv[0], trust: trust}
	t.Cleanup(func() { require.NoError(t, r.store.Close()) })
	h := r.open(t, r.store, r.old)
	tpl := template(t, h.Tenant)
	for i := range connectors {
		id := fmt.Sprint("con-", i)
		con, err := h.CreateConnector(t.Context(), hub.Connector{
			ID: id, Name: id, Template: tpl.ID, Hosts: hostsOf(r.srv), Tags: []string{"kept"}, Secrets: []hub.Secret{{Name: "a"}, {Name: "b"}},
			Requests: []hub.Request{{Name: "r", Method: "GET", URL: r.srv.URL, Headers: []hub.Header{{Name: "X-A", Value: "[[a]]"}, {Name: "X-B", Value: "[[b]]"}}}},
		})
		require.NoError(t, err)
		setSecret(t, h.Tenant, con.ID, "a", "value-a-of-"+id)
		setSecret(t, h.Tenant, con.ID, "b", "value-b-of-"+id)
		r.secrets += 2
	}
	return r
}

// process is a hub that is closed with its test.
type process struct {
	*hub.Tenant
	hub *hub.Hub
}

// open starts a process.
func (r *rotating) open(t *testing.T, store storage.Store, keeper secrets.Keeper) process {
	t.Helper()
	opts := onLoopback()
	r.trust(opts)
	h, err := hub.New(store, keeper, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close(context.Background())) })
	return process{h.Tenant("acme"), h}
}

// runs demands that a process reads every secret.
func (r *rotating) runs(t *testing.T, keeper secrets.Keeper) {
	t.Helper()
	h := r.open(t, r.store, keeper)
	for i := range r.secrets / 2 {
		r.srv.Forget()
		id := fmt.Sprint("con-", i)
		_, err := h.Execute(t.Context(), hub.Call{Connector: id, Request: "r"})
		require.NoError(t, err)
		sent := r.srv.Requests()[0].Header
		require.Equal(t, "value-a-of-"+id, sent.Get("X-A"))
		require.Equal(t, "value-b-of-"+id, sent.Get("X-B"))
	}
}

func (r *rotating) oldID() string { return r.old.Keys()[0].ID }

// named counts the records that are labelled with a key.
func (r *rotating) named(t *testing.T, key string) int {
	t.Helper()
	page, err := r.store.List(t.Context(), storage.Query{Everywhere: true, Limit: storage.MaxPage})
	require.NoError(t, err)
	n := 0
	for _, rec := range page.Records {
		for _, l := range rec.Labels {
			if l == (storage.Label{Key: sealed.LabelKey, Value: key}) {
				n++
			}
		}
	}
	return n
}

var fast = &hub.RotateOptions{PerSecond: -1}

func TestRotateKeysLeavesNothingUnderTheOldKey(t *testing.T) {
	r := newRotating(t, 3)
	const sealedRecords = 3 + 6 + 1 // connectors, values, the key check
	require.Equal(t, sealedRecords, r.named(t, r.oldID()))
	h := r.open(t, r.store, r.new)
	before, err := h.GetConnector(t.Context(), "con-1")
	require.NoError(t, err)

	var told []hub.RotateReport
	report, err := h.hub.RotateKeys(t.Context(), &hub.RotateOptions{PerSecond: -1, Progress: func(p hub.RotateReport) { told = append(told, p) }})
	require.NoError(t, err)
	assert.Equal(t, sealedRecords, report.Resealed)
	assert.Empty(t, report.Left)
	assert.Empty(t, report.Next)
	assert.Equal(t, r.new.Keys()[1].ID, report.Key)
	assert.Equal(t, []hub.RotateReport{report}, told)
	assert.Zero(t, r.named(t, r.oldID()))
	assert.Equal(t, sealedRecords, r.named(t, report.Key))

	after, err := h.GetConnector(t.Context(), "con-1")
	require.NoError(t, err)
	assert.Equal(t, before, after, "the definition is the same, and so is its revision")
	list, err := h.ListConnectors(t.Context(), hub.ListOptions{Tag: "kept"})
	require.NoError(t, err)
	assert.Len(t, list.Items, 3)
	r.runs(t, r.old)
	alone, err := r.new.Disable(r.oldID())
	require.NoError(t, err)
	r.runs(t, alone)

	report, err = h.hub.RotateKeys(t.Context(), nil)
	require.NoError(t, err)
	assert.Zero(t, report.Resealed, "nothing is left to do")
}

// mortal is a store whose process dies at an Apply: before it, or right after it.
type mortal struct {
	storage.Store
	left  int
	after bool
}

var errKilled = errors.New("killed")

func (s *mortal) Apply(ctx context.Context, changes ...storage.Change) error {
	if s.left--; s.left > 0 {
		return s.Store.Apply(ctx, changes...)
	}
	if s.left == 0 && s.after {
		_ = s.Store.Apply(ctx, changes...)
	}
	return errKilled
}

func TestARotationKilledAtAnyRecordLosesNothing(t *testing.T) {
	for _, after := range []bool{false, true} {
		for at := 1; at <= 7; at++ {
			r := newRotating(t, 2)
			dying := r.open(t, &mortal{r.store, at, after}, r.new)
			report, err := dying.hub.RotateKeys(t.Context(), fast)
			require.ErrorIs(t, err, hub.Unavailable)
			require.Equal(t, at-1, report.Resealed)
			r.runs(t, r.old)
			r.runs(t, r.new)

			h := r.open(t, r.store, r.new)
			_, err = h.hub.RotateKeys(t.Context(), fast)
			require.NoError(t, err)
			require.Zero(t, r.named(t, r.oldID()))
			r.runs(t, r.new)
		}
	}
}

func TestARotationGoesOnWhereItEnded(t *testing.T) {
	r := newRotating(t, 60) // more than a page of records
	h := r.open(t, r.store, r.new)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	first, err := h.hub.RotateKeys(ctx, &hub.RotateOptions{PerSecond: -1, Progress: func(hub.RotateReport) { cancel() }})
	require.ErrorIs(t, err, hub.Canceled)
	require.NotEmpty(t, first.Next)
	second, err := h.hub.RotateKeys(t.Context(), &hub.RotateOptions{PerSecond: -1, After: first.Next})
	require.NoError(t, err)
	assert.Equal(t, 60+120+1, first.Resealed+second.Resealed)
	assert.Zero(t, r.named(t, r.oldID()))

	_, err = h.hub.RotateKeys(t.Context(), &hub.RotateOptions{After: "nonsense"})
	require.ErrorIs(t, err, hub.Invalid)
}

// beaten is a store in which somebody else writes between reading and writing.
type beaten struct {
	storage.Store
	kind string
	edit func()
}

func (s *beaten) Apply(ctx context.Context, changes ...storage.Change) error {
	if edit := s.edit; edit != nil && changes[0].Record.Kind == s.kind {
		s.edit = nil
		edit()
	}
	return s.Store.Apply(ctx, changes...)
}

func TestRotationOverwritesNobody(t *testing.T) {
	edits := map[string]func(*hub.Tenant){
		"connector": func(h *hub.Tenant) {
			_, err := h.PauseConnector(context.Background(), "con-0")
			require.NoError(t, err)
		},
		"secret": func(h *hub.Tenant) {
			require.NoError(t, h.SetSecret(context.Background(), "con-0", "a", secrets.New("another value")))
		},
	}
	for kind, edit := range edits {
		t.Run(kind, func(t *testing.T) {
			r := newRotating(t, 1)
			owner := r.open(t, r.store, r.old)
			h := r.open(t, &beaten{r.store, kind, func() { edit(owner.Tenant) }}, r.new)
			_, err := h.hub.RotateKeys(t.Context(), fast)
			require.NoError(t, err)
			_, err = h.hub.RotateKeys(t.Context(), fast) // the owner wrote under the old key
			require.NoError(t, err)
			require.Zero(t, r.named(t, r.oldID()))
			if kind == "connector" {
				con, err := h.ResumeConnector(t.Context(), "con-0")
				require.NoError(t, err)
				assert.Greater(t, con.Revision, int64(0))
				r.runs(t, r.new)
				return
			}
			_, err = h.Execute(t.Context(), hub.Call{Connector: "con-0", Request: "r"})
			require.NoError(t, err)
			assert.Equal(t, "another value", r.srv.Requests()[0].Header.Get("X-A"))
		})
	}
}

func TestWhatCannotBeOpenedIsLeftAndTold(t *testing.T) {
	r := newRotating(t, 2)
	page, err := r.store.List(t.Context(), storage.Query{Tenant: "acme", Kind: "secret", Parent: "con-0"})
	require.NoError(t, err)
	broken := page.Records[0]
	broken.Data[len(broken.Data)-1] ^= 1
	broken.Revision++
	require.NoError(t, r.store.Apply(t.Context(), storage.Update(broken, broken.Revision-1)))

	h := r.open(t, r.store, r.new)
	report, err := h.hub.RotateKeys(t.Context(), fast)
	require.NoError(t, err)
	assert.Equal(t, 1, report.Failed)
	require.Len(t, report.Left, 1)
	assert.Equal(t, broken.ID, report.Left[0].ID)
	assert.Contains(t, report.Left[0].Reason, "seal")
	assert.Equal(t, 1, r.named(t, r.oldID()), "so the old key is not destroyed")
}

// Of generations that a vault kept because it failed, those that were replaced go.
func TestRotationRemovesWhatWasReplaced(t *testing.T) {
	r := newRotating(t, 1)
	vault := sealed.New(r.store, r.old)
	for _, ref := range []secrets.Ref{
		{Tenant: "acme", Connector: "con-0", Name: "a", Generation: 1},
		{Tenant: "acme", Connector: "con-0", Name: "never-set", Generation: 1},
		{Tenant: "acme", Connector: "of-the-host", Name: "a", Generation: 1},
	} {
		require.NoError(t, vault.Put(t.Context(), ref, secrets.New("left behind")))
	}
	h := r.open(t, r.store, r.new)
	report, err := h.hub.RotateKeys(t.Context(), fast)
	require.NoError(t, err)
	assert.Equal(t, 1, report.Removed)
	assert.Equal(t, 2, report.Failed, "what may be somebody's stays")
	for _, left := range report.Left {
		assert.False(t, strings.Contains(left.Reason, "left behind"))
	}
	r.runs(t, r.new)
}

// Calls, edits and settings go on while keys rotate.
func TestRotationDisturbsNobody(t *testing.T) {
	r := newRotating(t, 20)
	h, owner := r.open(t, r.store, r.new), r.open(t, r.store, r.old)
	done := make(chan error)
	go func() {
		for range 3 {
			if _, err := h.hub.RotateKeys(context.Background(), fast); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for i := range 60 {
		id := fmt.Sprint("con-", i%20)
		setSecret(t, owner.Tenant, id, "a", fmt.Sprint("value-a-of-", id))
		_, err := owner.Execute(t.Context(), hub.Call{Connector: id, Request: "r"})
		require.NoError(t, err)
	}
	require.NoError(t, <-done)
	_, err := h.hub.RotateKeys(t.Context(), fast)
	require.NoError(t, err)
	require.Zero(t, r.named(t, r.oldID()))
	r.runs(t, r.new)
}
