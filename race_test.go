package hub_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// together runs f n times at once.
func together(n int, f func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() { <-start; f(i) })
	}
	close(start)
	all.Wait()
}

// insist repeats what lost too many races.
func insist(f func() error) error {
	for {
		if err := f(); !errors.Is(err, hub.Conflict) {
			return err
		}
	}
}

// Fifty editors fill a connector, switch its requests and swap them, all at once. At no moment
// are there more than ten of either state, and nothing that was acknowledged is lost.
func TestTenAndTenHoldUnderRaces(t *testing.T) {
	h := open(t).Tenant("")
	con := filled(t, h, 0, 0)
	stop := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			checkTenAndTen(t, h, con.ID)
		}
	})
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	together(50, func(i int) {
		r := get(fmt.Sprint("r", i))
		if i%2 == 1 {
			r.State = hub.StateInactive
		}
		err := insist(func() error { _, err := h.AddRequest(context.Background(), con.ID, r); return err })
		if err == nil {
			mu.Lock()
			acknowledged[r.Name] = true
			mu.Unlock()
		} else {
			assert.ErrorIs(t, err, hub.Invalid)
		}
		for _, state := range []func() error{
			func() error { _, err := h.ActivateRequest(context.Background(), con.ID, r.Name); return err },
			func() error { _, err := h.DeactivateRequest(context.Background(), con.ID, r.Name); return err },
			func() error {
				_, err := h.SwapRequests(context.Background(), con.ID, r.Name, fmt.Sprint("r", (i+7)%50))
				return err
			},
		} {
			if err := insist(state); err != nil && !errors.Is(err, hub.Invalid) && !errors.Is(err, hub.NotFound) {
				assert.NoError(t, err)
			}
		}
	})
	close(stop)
	watcher.Wait()
	checkTenAndTen(t, h, con.ID)
	got, err := h.GetConnector(t.Context(), con.ID)
	require.NoError(t, err)
	stored := map[string]bool{}
	for _, r := range got.Requests {
		stored[r.Name] = true
	}
	assert.Equal(t, acknowledged, stored)
	assert.GreaterOrEqual(t, len(stored), 10)
}

func checkTenAndTen(t *testing.T, h *hub.Tenant, con string) {
	list, err := h.ListRequests(context.Background(), con, "")
	assert.NoError(t, err)
	states := map[hub.State]int{}
	for _, r := range list {
		states[r.State]++
	}
	assert.LessOrEqual(t, states[hub.StateActive], 10)
	assert.LessOrEqual(t, states[hub.StateInactive], 10)
}

// Of many editors that saw the same revision one wins, and the others are told.
func TestOneOfManyEditorsWins(t *testing.T) {
	h := open(t).Tenant("")
	con := filled(t, h, 0, 0)
	tpl, err := h.GetTemplate(t.Context(), con.Template)
	require.NoError(t, err)
	var mu sync.Mutex
	won := map[string]int{}
	together(20, func(i int) {
		edited, revised := con, tpl
		edited.Tags, revised.Description = []string{fmt.Sprint(i)}, fmt.Sprint(i)
		_, err1 := h.UpdateConnector(context.Background(), edited)
		_, err2 := h.ReviseTemplate(context.Background(), revised)
		mu.Lock()
		defer mu.Unlock()
		for what, err := range map[string]error{"connector": err1, "template": err2} {
			if err == nil {
				won[what]++
			} else {
				assert.ErrorIs(t, err, hub.Conflict, what)
			}
		}
	})
	assert.Equal(t, map[string]int{"connector": 1, "template": 1}, won)
	tpl, err = h.GetTemplate(t.Context(), con.Template)
	require.NoError(t, err)
	assert.Equal(t, 2, tpl.Version)
}

func TestOneOfManyCreatorsWins(t *testing.T) {
	h := open(t).Tenant("")
	tpl := template(t, h)
	var mu sync.Mutex
	won := 0
	together(20, func(int) {
		_, err := h.CreateConnector(context.Background(), hub.Connector{Name: "same", Template: tpl.ID})
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			won++
		} else {
			assert.ErrorIs(t, err, hub.Exists)
		}
	})
	assert.Equal(t, 1, won)
}

// overtaken is a store on which somebody else writes first, once.
type overtaken struct {
	storage.Store
	first func()
}

func (s *overtaken) Apply(ctx context.Context, changes ...storage.Change) error {
	if f := s.first; f != nil {
		s.first = nil
		f()
	}
	return s.Store.Apply(ctx, changes...)
}

// Who is overtaken between reading and writing is told of a conflict, not of a name or
// version that exists.
func TestRevisionThatIsOvertakenConflicts(t *testing.T) {
	store := &overtaken{Store: memory.New()}
	h := openOn(t, store).Tenant("")
	tpl := template(t, h)
	store.first = func() {
		_, err := h.ReviseTemplate(t.Context(), tpl)
		require.NoError(t, err)
	}
	_, err := h.ReviseTemplate(t.Context(), tpl)
	assert.ErrorIs(t, err, hub.Conflict)
	assert.NotErrorIs(t, err, hub.Exists)
}

// An edit that names no revision starts over when it is overtaken.
func TestRequestThatIsOvertakenIsAdded(t *testing.T) {
	store := &overtaken{Store: memory.New()}
	h := openOn(t, store).Tenant("")
	con := filled(t, h, 0, 0)
	store.first = func() {
		_, err := h.AddRequest(t.Context(), con.ID, get("first"))
		require.NoError(t, err)
	}
	_, err := h.AddRequest(t.Context(), con.ID, get("second"))
	require.NoError(t, err)
	list, err := h.ListRequests(t.Context(), con.ID, "")
	require.NoError(t, err)
	assert.Len(t, list, 2)
}
