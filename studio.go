package hub

import (
	"context"
	"encoding/json"
	"net/http"
	"sort"
)

// ConnectAuthAction is what a Studio script's ConnectAuth action carries. Empty variable names
// mean the defaults written on them.
type ConnectAuthAction struct {
	ConnectName             string `json:"connectName"`
	AuthBodyVarName         string `json:"authBodyVarName,omitempty"`         // authBody
	AuthErrorDetailsVarName string `json:"authErrorDetailsVarName,omitempty"` // authErrorDetails
	AuthHeadersListVarName  string `json:"authHeadersListVarName,omitempty"`  // authHeadersList
	AuthProxyVarName        string `json:"authProxyVarName,omitempty"`        // authProxy
}

// ConnectRequestAction is what a Studio script's ConnectRequest action carries. Empty variable
// names mean the defaults written on them.
type ConnectRequestAction struct {
	ConnectName                string          `json:"connectName"`
	RequestName                string          `json:"requestName"`
	RequestPayload             json.RawMessage `json:"requestPayload,omitempty"`
	RequestBodyVarName         string          `json:"requestBodyVarName,omitempty"`         // requestBody
	RequestErrorDetailsVarName string          `json:"requestErrorDetailsVarName,omitempty"` // requestErrorDetails
	RequestHeadersListVarName  string          `json:"requestHeadersListVarName,omitempty"`  // requestHeadersList
	RequestProxyVarName        string          `json:"requestProxyVarName,omitempty"`        // requestProxy
}

// ActionResult is how a Studio action ended.
type ActionResult struct {
	// Branch is the path that the script takes.
	Branch Branch
	// Body is the answer's, as text; empty if none came.
	Body string
	// ErrorDetails explains a branch other than OnSuccess; empty on success.
	ErrorDetails string
	// HeadersList is the answer's header, by name.
	HeadersList []Header
	// Proxy is the answer in one object.
	Proxy Proxy
	// ERR is a short explanation, for scripts that look only there; empty on success.
	ERR string
	// Substitute tells what stands in for the answer by Request.Fallback; empty: nothing does.
	Substitute Substitute
	// Result is the whole answer, nil if none came.
	Result *Result
	// Err is the error behind a branch other than OnSuccess.
	Err error

	names variableNames
}

// Proxy is an answer in one object.
type Proxy struct {
	StatusCode        int    `json:"statusCode"`
	StatusDescription string `json:"statusDescription"`
	Body              string `json:"body"`
}

type variableNames struct{ body, details, headers, proxy string }

// Variables returns what the action sets in the script: the four variables under their
// names, and ERR.
func (a *ActionResult) Variables() map[string]any {
	return map[string]any{
		a.names.body:    a.Body,
		a.names.details: a.ErrorDetails,
		a.names.headers: a.HeadersList,
		a.names.proxy:   a.Proxy,
		"ERR":           a.ERR,
	}
}

// ConnectAuth is the Studio action that authenticates with a connector. Whatever happens to
// the call is a branch of the result; the error is only for faults of the host: a store that
// does not answer, a hub that is closed.
//
// It fetches a new token each time. Credentials that were refused are not tried again for each
// script: until the pause is over, or a secret is set, the branch is OnError at once.
func (t *Tenant) ConnectAuth(ctx context.Context, a ConnectAuthAction) (*ActionResult, error) {
	names := variableNames{
		orDefault(a.AuthBodyVarName, "authBody"), orDefault(a.AuthErrorDetailsVarName, "authErrorDetails"),
		orDefault(a.AuthHeadersListVarName, "authHeadersList"), orDefault(a.AuthProxyVarName, "authProxy"),
	}
	return act(names, func() (*Result, error) { return t.connectAuth(ctx, a.ConnectName) })
}

// connectAuth is Authenticate for a script: it may see the tokens if the host says so, and heeds
// the back-off of credentials that are refused, since every contact runs it.
func (t *Tenant) connectAuth(ctx context.Context, connector string) (_ *Result, err error) {
	defer finish(&err, "Authenticate", connector, "")
	return t.run(ctx, &run{
		Tenant: t, op: "Authenticate", call: Call{Connector: connector}, pick: authRequest, shows: t.opts.ScriptTokens, script: true,
	})
}

// ConnectRequest is the Studio action that runs a request of a connector. Whatever happens to
// the call is a branch of the result; the error is only for faults of the host: a store that
// does not answer, a hub that is closed.
func (t *Tenant) ConnectRequest(ctx context.Context, a ConnectRequestAction) (*ActionResult, error) {
	names := variableNames{
		orDefault(a.RequestBodyVarName, "requestBody"), orDefault(a.RequestErrorDetailsVarName, "requestErrorDetails"),
		orDefault(a.RequestHeadersListVarName, "requestHeadersList"), orDefault(a.RequestProxyVarName, "requestProxy"),
	}
	return act(names, func() (*Result, error) {
		return t.Execute(ctx, Call{Connector: a.ConnectName, Request: a.RequestName, Payload: a.RequestPayload})
	})
}

// act runs an action whose variables have names of their own.
func act(names variableNames, run func() (*Result, error)) (*ActionResult, error) {
	if names.clash() {
		err := invalid("variables", "duplicate", "the names of the action's variables must differ from each other and from ERR")
		return acted(nil, err, names)
	}
	res, err := run()
	return acted(res, err, names)
}

// clash reports whether one variable would write over another.
func (n variableNames) clash() bool {
	seen := map[string]bool{"ERR": true}
	for _, name := range []string{n.body, n.details, n.headers, n.proxy} {
		if seen[name] {
			return true
		}
		seen[name] = true
	}
	return false
}

// acted turns the outcome of a call into that of an action.
func acted(res *Result, err error, names variableNames) (*ActionResult, error) {
	a := &ActionResult{Branch: OnSuccess, Result: res, Err: err, HeadersList: []Header{}, names: names}
	if res != nil {
		a.Body = string(res.Body)
		a.HeadersList = headerList(res.Header)
		a.Proxy = Proxy{res.Status, http.StatusText(res.Status), a.Body}
		a.Substitute = res.Substitute
	}
	if err == nil {
		return a, nil
	}
	e := asError(err)
	if e.Code == Unavailable || e.Code == Closed {
		return nil, err
	}
	a.Branch, a.ErrorDetails, a.ERR = e.Branch(), e.Error(), e.Detail()
	return a, nil
}

func headerList(h http.Header) []Header {
	list := []Header{}
	for name, values := range h {
		for _, v := range values {
			list = append(list, Header{name, v})
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// StudioProperties are what the check mark next to a connection puts into a Studio action.
type StudioProperties struct {
	ConnectName    string          `json:"connectName"`
	RequestName    string          `json:"requestName"`
	RequestPayload json.RawMessage `json:"requestPayload,omitempty"` // the Sample, if there is one
	// PayloadSchema is what the payload must meet, if the request says so; of a dynamic
	// request that says nothing it is DynamicPayloadSchema.
	PayloadSchema              json.RawMessage `json:"payloadSchema,omitempty"`
	RequestBodyVarName         string          `json:"requestBodyVarName"`
	RequestErrorDetailsVarName string          `json:"requestErrorDetailsVarName"`
	RequestHeadersListVarName  string          `json:"requestHeadersListVarName"`
	RequestProxyVarName        string          `json:"requestProxyVarName"`
}

// StudioProperties returns what a Studio action needs to run a request. Only a request that is
// active and triggered by Studio, of a connector that is not paused, has any.
func (t *Tenant) StudioProperties(ctx context.Context, connector, request string) (_ StudioProperties, err error) {
	defer finish(&err, "StudioProperties", connector, request)
	ctx, leave, err := t.enter(ctx)
	if err != nil {
		return StudioProperties{}, err
	}
	defer leave()
	rec, err := t.connector(ctx, connector)
	if err != nil {
		return StudioProperties{}, err
	}
	r, err := rec.Connector.request(request)
	switch {
	case err != nil:
		return StudioProperties{}, err
	case r.Trigger != TriggerStudio:
		return StudioProperties{}, invalid("trigger", "trigger", "the request is manual: Studio cannot trigger it")
	case r.State == StateInactive || rec.Connector.Paused:
		return StudioProperties{}, failure(Inactive, "the request is inactive, or its connector is paused")
	}
	p := StudioProperties{
		ConnectName: rec.Connector.Name, RequestName: r.Name, RequestPayload: r.Sample, PayloadSchema: r.PayloadSchema,
		RequestBodyVarName: "requestBody", RequestErrorDetailsVarName: "requestErrorDetails",
		RequestHeadersListVarName: "requestHeadersList", RequestProxyVarName: "requestProxy",
	}
	if len(p.PayloadSchema) == 0 && r.PayloadMode == PayloadDynamic {
		p.PayloadSchema = json.RawMessage(DynamicPayloadSchema)
	}
	return p, nil
}
