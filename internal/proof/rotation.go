package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/keyset"
	"github.com/integrationhub/hub/secrets/sealed"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// dying is a store whose process dies at its next Apply: before it is done, or right after.
type dying struct {
	storage.Store
	after bool
	dead  bool
	at    storage.Record // what it was changing
}

var errKilled = errors.New("killed")

func (s *dying) Apply(ctx context.Context, changes ...storage.Change) error {
	if !s.dead && s.after {
		if err := s.Store.Apply(ctx, changes...); err != nil {
			return err
		}
	}
	if !s.dead {
		s.at = changes[0].Record
	}
	s.dead = true
	return errKilled
}

// perConnector is how many secrets a connector of the rotation has.
const perConnector = 10

// turning is a rotation that is killed again and again, and what is known of its values.
type turning struct {
	*trial
	store    storage.Store
	upstream *httptest.Server
	cons     []string
	opened   int // values that arrived as they were set
}

// rotation kills a rotation at every record, and lets another process go on. After each kill
// all that belongs to the touched record is opened by the keys of before and of after, and at the
// end everything: an upstream compares what it gets with what was set.
func rotation(ctx context.Context, t *trial) error {
	first, err := keyset.Generate()
	if err != nil {
		return err
	}
	both, fresh, err := first.Add()
	if err != nil {
		return err
	}
	promoted, err := both.Promote(fresh)
	if err != nil {
		return err
	}
	r := &turning{trial: t, store: memory.New(), upstream: httptest.NewServer(http.HandlerFunc(compare))}
	defer r.upstream.Close()
	if err := r.fill(ctx, t.size(1000, 10_000)/perConnector, both); err != nil {
		return err
	}
	kills, err := r.kill(ctx, both, promoted)
	if err != nil {
		return err
	}
	alone, err := promoted.Disable(first.Keys()[0].ID)
	if err != nil {
		return err
	}
	for _, con := range r.cons {
		if err := r.read(ctx, con, both, alone); err != nil {
			return err
		}
	}
	t.note = fmt.Sprintf("%d kills, %d values opened and compared", kills, r.opened)
	if kills < len(r.cons)*perConnector {
		return errors.New("there were fewer kills than values")
	}
	return errors.Join(ctx.Err(), r.store.Close())
}

// kill rotates until nothing is left, with a kill at every record.
func (r *turning) kill(ctx context.Context, before, after secrets.Keeper) (kills int, err error) {
	next := ""
	for ; ; kills++ {
		s := &dying{Store: r.store, after: kills%2 == 1}
		report, err := rotate(ctx, s, after, next)
		if err == nil {
			return kills, nil
		}
		if !s.dead {
			return kills, err
		}
		next = report.Next
		con := s.at.ID
		if s.at.Kind == sealed.Kind {
			con = s.at.Parent
		}
		if err := r.read(ctx, con, before, after); err != nil {
			return kills, err
		}
	}
}

// compare refuses a request that does not carry each value as it was set.
func compare(w http.ResponseWriter, r *http.Request) {
	for j := range perConnector {
		if r.Header.Get(fmt.Sprint("X-s", j)) != value(r.URL.Path[1:], j) {
			w.WriteHeader(http.StatusTeapot)
		}
	}
}

func value(con string, j int) string { return fmt.Sprintf("value-%d-of-%s", j, con) }

// fill saves connectors with secrets.
func (r *turning) fill(ctx context.Context, n int, keeper secrets.Keeper) (err error) {
	h, err := r.open(keeper)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	tpl, err := h.CreateTemplate(ctx, hub.Template{Name: "T", Methods: []string{"GET"}})
	if err != nil {
		return err
	}
	for i := range n {
		con := hub.Connector{ID: fmt.Sprint("con-", i), Name: fmt.Sprint("con-", i), Template: tpl.ID, Hosts: []string{r.upstream.Listener.Addr().String()}}
		con.Requests = []hub.Request{{Name: "all", Method: "GET", URL: r.upstream.URL + "/" + con.ID}}
		for j := range perConnector {
			name := fmt.Sprint("s", j)
			con.Secrets = append(con.Secrets, hub.Secret{Name: name})
			con.Requests[0].Headers = append(con.Requests[0].Headers, hub.Header{Name: "X-" + name, Value: "[[" + name + "]]"})
		}
		if _, err := h.CreateConnector(ctx, con); err != nil {
			return err
		}
		for j := range perConnector {
			if err := h.SetSecret(ctx, con.ID, fmt.Sprint("s", j), secrets.New(value(con.ID, j))); err != nil {
				return err
			}
		}
		r.cons = append(r.cons, con.ID)
	}
	return nil
}

// open starts a process with the keeper.
func (r *turning) open(keeper secrets.Keeper) (*hub.Hub, error) {
	return hub.New(r.store, keeper, &hub.Options{Egress: hub.Egress{AllowLoopback: true, AllowAnyPort: true, AllowHTTP: true}})
}

func rotate(ctx context.Context, store storage.Store, keeper secrets.Keeper, after string) (report hub.RotateReport, err error) {
	h, err := hub.New(store, keeper, nil)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	return h.RotateKeys(ctx, &hub.RotateOptions{PerSecond: -1, After: after})
}

// read has a new process with each keeper send all values of a connector, if con is one: of
// other records only the one is sealed that every process opens when it starts.
func (r *turning) read(ctx context.Context, con string, keepers ...secrets.Keeper) error {
	for _, keeper := range keepers {
		r.tried++
		if err := r.send(ctx, con, keeper); err != nil {
			r.failed++
		}
	}
	return ctx.Err()
}

func (r *turning) send(ctx context.Context, con string, keeper secrets.Keeper) (err error) {
	h, err := r.open(keeper)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()
	if !slices.Contains(r.cons, con) {
		return nil
	}
	_, err = h.Execute(ctx, hub.Call{Connector: con, Request: "all"})
	if err == nil {
		r.opened += perConnector
	}
	return err
}
