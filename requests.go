package hub

import (
	"context"
	"slices"
	"strings"
)

// AddRequest adds a request to a connector and returns it as saved. The rules over all the
// connector's requests hold, whoever adds at the same time.
func (t *Tenant) AddRequest(ctx context.Context, connector string, req Request) (_ Request, err error) {
	defer finish(&err, "AddRequest", connector, req.Name)
	req = cloned(req)
	req.normalize()
	con, err := t.edit(ctx, connector, anyRevision, func(rec *connectorRecord) error {
		rec.Connector.Requests = append(rec.Connector.Requests, req)
		return nil
	})
	if err != nil {
		return Request{}, err
	}
	return con.request(req.ID)
}

// UpdateRequest replaces the request with req's ID or, if it has none, with its Name.
// revision is the connector's, as last read; Conflict if its definition has changed since.
func (t *Tenant) UpdateRequest(ctx context.Context, connector string, revision int64, req Request) (_ Request, err error) {
	defer finish(&err, "UpdateRequest", connector, req.Name)
	req = cloned(req)
	con, err := t.edit(ctx, connector, revisionOf(revision), func(rec *connectorRecord) error {
		i, err := rec.Connector.index(orDefault(req.ID, req.Name))
		if err != nil {
			return err
		}
		req.ID = rec.Connector.Requests[i].ID
		rec.Connector.Requests[i] = req
		return nil
	})
	if err != nil {
		return Request{}, err
	}
	return con.request(req.ID)
}

// DeleteRequest removes a request, by its id or name. revision is the connector's, as last
// read.
func (t *Tenant) DeleteRequest(ctx context.Context, connector, request string, revision int64) (err error) {
	defer finish(&err, "DeleteRequest", connector, request)
	_, err = t.edit(ctx, connector, revisionOf(revision), func(rec *connectorRecord) error {
		i, err := rec.Connector.index(request)
		if err != nil {
			return err
		}
		rec.Connector.Requests = slices.Delete(rec.Connector.Requests, i, i+1)
		return nil
	})
	return err
}

// GetRequest returns a request of a connector, by its id or name.
func (t *Tenant) GetRequest(ctx context.Context, connector, request string) (_ Request, err error) {
	defer finish(&err, "GetRequest", connector, request)
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return Request{}, err
	}
	defer leave()
	rec, err := t.connector(ctx, connector)
	if err != nil {
		return Request{}, err
	}
	return rec.Connector.request(request)
}

// ListRequests returns the requests of a connector whose names hold text anywhere, without
// regard to case, in the order in which they stand in it; empty text: all.
func (t *Tenant) ListRequests(ctx context.Context, connector, text string) (_ []Request, err error) {
	defer finish(&err, "ListRequests", connector, "")
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	rec, err := t.connector(ctx, connector)
	if err != nil {
		return nil, err
	}
	list := []Request{}
	for _, r := range rec.Connector.Requests {
		if strings.Contains(fold(r.Name), fold(text)) {
			list = append(list, r)
		}
	}
	return list, nil
}

// ActivateRequest lets a request run, by its id or name.
func (t *Tenant) ActivateRequest(ctx context.Context, connector, request string) (_ Request, err error) {
	defer finish(&err, "ActivateRequest", connector, request)
	return t.setStates(ctx, connector, request, map[string]State{request: StateActive})
}

// DeactivateRequest keeps a request from running, by its id or name.
func (t *Tenant) DeactivateRequest(ctx context.Context, connector, request string) (_ Request, err error) {
	defer finish(&err, "DeactivateRequest", connector, request)
	return t.setStates(ctx, connector, request, map[string]State{request: StateInactive})
}

// SwapRequests activates one request and deactivates another in one step, which is possible
// in a full connector too. It returns the one that is active now.
func (t *Tenant) SwapRequests(ctx context.Context, connector, activate, deactivate string) (_ Request, err error) {
	defer finish(&err, "SwapRequests", connector, activate)
	if activate == deactivate {
		return Request{}, errSameRequest()
	}
	return t.setStates(ctx, connector, activate, map[string]State{activate: StateActive, deactivate: StateInactive})
}

// setStates sets the states of requests and returns the one named.
func (t *Tenant) setStates(ctx context.Context, connector, request string, states map[string]State) (Request, error) {
	con, err := t.toggle(ctx, connector, func(rec *connectorRecord) error {
		done := map[int]bool{}
		for _, name := range sortedKeys(states) {
			i, err := rec.Connector.index(name)
			if err != nil {
				return err
			}
			done[i], rec.Connector.Requests[i].State = true, states[name]
		}
		if len(done) < len(states) {
			return errSameRequest()
		}
		return nil
	})
	if err != nil {
		return Request{}, err
	}
	return con.request(request)
}

func errSameRequest() error {
	return invalid("deactivate", "duplicate", "must be another request than the one to activate")
}

// index finds a request by its id or, if none has that id, by its name.
func (c *Connector) index(request string) (int, error) {
	i := slices.IndexFunc(c.Requests, func(r Request) bool { return r.ID == request })
	if i < 0 {
		i = slices.IndexFunc(c.Requests, func(r Request) bool { return r.Name == request })
	}
	if i < 0 {
		return i, failure(NotFound, "there is no request "+quote(request)+" in the connector")
	}
	return i, nil
}

func (c *Connector) request(request string) (Request, error) {
	i, err := c.index(request)
	if err != nil {
		return Request{}, err
	}
	return c.Requests[i], nil
}
