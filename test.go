package hub

import "context"

// TestConnector proves that a connector's credentials work: it runs the template's Verify
// request or, if there is none, the authentication. It takes the same road as every call.
func (t *Tenant) TestConnector(ctx context.Context, connector string) (_ *Result, err error) {
	defer finish(&err, "TestConnector", connector, "")
	return t.run(ctx, &run{Tenant: t, op: "TestConnector", call: Call{Connector: connector}, pick: proof})
}

// proof picks the call that proves a connector's credentials.
func proof(r *run, p *connectorPlan) (*requestPlan, error) {
	if p.verify != nil {
		return p.verify, nil
	}
	if p.auth == nil && p.def.Auth.Kind == AuthNone {
		return nil, failure(Invalid, "there is nothing to test: the template has neither a Verify request nor authentication")
	}
	return authRequest(r, p)
}

// TestRequest runs a request as Execute does. For a Studio request without a payload in the
// call, the request's Sample stands in.
func (t *Tenant) TestRequest(ctx context.Context, call Call) (_ *Result, err error) {
	defer finish(&err, "TestRequest", call.Connector, call.Request)
	return t.run(ctx, &run{Tenant: t, op: "TestRequest", call: call, pick: named, sample: true})
}
