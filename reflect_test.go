package hub_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
	"github.com/integrationhub/hub/secrets"
)

// walker goes through a value as deep as it goes, unexported fields included. What a closure
// holds cannot be reached.
type walker struct {
	seen  map[visit]bool
	types map[reflect.Type]bool
	text  func(path, text string)
}

type visit struct {
	at   uintptr
	what reflect.Type
}

func (w *walker) walk(path string, v reflect.Value) {
	if !v.IsValid() {
		return
	}
	w.types[v.Type()] = true
	switch v.Kind() {
	case reflect.String:
		w.text(path, v.String())
	case reflect.Pointer:
		if key := (visit{v.Pointer(), v.Type()}); !v.IsNil() && !w.seen[key] {
			w.seen[key] = true
			w.walk(path, v.Elem())
		}
	case reflect.Interface:
		w.walk(path, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			w.walk(path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			w.walk(path+" key", key)
			w.walk(path+"[]", v.MapIndex(key))
		}
	case reflect.Slice, reflect.Array:
		w.list(path, v)
	}
}

func (w *walker) list(path string, v reflect.Value) {
	if v.Type().Elem().Kind() != reflect.Uint8 {
		for i := range v.Len() {
			w.walk(path+"[]", v.Index(i))
		}
		return
	}
	text := make([]byte, v.Len())
	for i := range text {
		text[i] = byte(v.Index(i).Uint())
	}
	w.text(path, string(text))
}

// Not even a debugger's view of what the hub returns leads to a secret: neither through
// fields that are not exported, nor through the causes of errors.
func TestNothingReturnedHoldsASecret(t *testing.T) {
	const token = "token-of-the-canary-01"
	s := newSweep(t, shapes[1], token)
	srv, trust := peers(t, 1)
	h := open(t, trust, s.watch).Tenant("acme")
	con := leaky(t, h, srv[0], shapes[1], token)
	edit(t, h, con.ID, func(c *hub.Connector) {
		c.Requests[0].Outputs = nil
		c.Requests = append(c.Requests, hub.Request{Name: "bad", Method: "GET", URL: srv[0].URL, Outputs: map[string]hub.Output{"a": {Path: "none"}}})
	})
	w := &walker{seen: map[visit]bool{}, types: map[reflect.Type]bool{}, text: s.text}
	visit := func(what string, values ...any) {
		for _, v := range values {
			w.walk(what, reflect.ValueOf(v))
		}
	}
	ctx, call := t.Context(), hub.Call{Connector: "con", Request: "r"}
	srv[0].Handle("/echo/", echo(200, false, echoPlaces[1].put, echoes[0].encode))
	for _, name := range []string{"r", "bad", "absent"} {
		res, err := h.Execute(ctx, hub.Call{Connector: "con", Request: name})
		visit(name, res, err)
	}
	res, err := h.Authenticate(ctx, "con")
	visit("Authenticate", res, err)
	act, err := h.ConnectRequest(ctx, hub.ConnectRequestAction{ConnectName: "con", RequestName: "r"})
	visit("ConnectRequest", act, err)
	plan, err := h.Plan(ctx, call)
	visit("Plan", plan, err)
	require.NoError(t, err)
	ready, err := h.Readiness(ctx, "con")
	visit("Readiness", ready, err)
	list, err := h.ListSecrets(ctx, "con")
	visit("ListSecrets", list, err)
	connectors, err := h.ListConnectors(ctx, hub.ListOptions{})
	visit("ListConnectors", connectors, err)
	templates, err := h.ListTemplates(ctx, hub.ListOptions{})
	visit("ListTemplates", templates, err)
	upgrade, err := h.PlanUpgrade(ctx, "con", 0)
	visit("PlanUpgrade", upgrade, err)
	visit("SetSecret", h.SetSecret(ctx, "con", "1", secrets.New(shapes[1])), secrets.New(shapes[1]))
	srv[0].Handle("/token", hubtest.Status(500).After(time.Millisecond))
	_, err = h.Authenticate(ctx, "con")
	visit("Authenticate that fails", err)
	for _, v := range []any{&hub.Error{}, hub.Result{}, hub.CallPlan{}, hub.Readiness{}, hub.SecretInfo{}, hub.Connector{}, hub.Template{}, hub.UpgradePlan{}, hub.ActionResult{}, hub.Attempt{}, hub.FieldError{}, hub.Request{}} {
		kind := reflect.TypeOf(v)
		if kind.Kind() == reflect.Pointer {
			kind = kind.Elem()
		}
		assert.True(t, w.types[kind], "%s was not walked", kind)
	}
	t.Logf("%d types walked, %d texts searched", len(w.types), s.checked)
}

// There is no way to read a secret back: whatever a method returns, no type of the package
// has a Value in it.
func TestNoMethodReturnsASecret(t *testing.T) {
	value := reflect.TypeFor[secrets.Value]()
	methods := 0
	for _, holder := range []reflect.Type{reflect.TypeFor[*hub.Tenant](), reflect.TypeFor[*hub.Hub]()} {
		for i := range holder.NumMethod() {
			m := holder.Method(i).Type
			for j := range m.NumOut() {
				w := &walker{types: map[reflect.Type]bool{}}
				w.describe(m.Out(j))
				assert.False(t, w.types[value], "%s returns a secret", holder.Method(i).Name)
			}
			methods++
		}
	}
	assert.Greater(t, methods, 40)
}

// describe collects the types that a type is made of, those of exported fields.
func (w *walker) describe(t reflect.Type) {
	if w.types[t] {
		return
	}
	w.types[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		w.describe(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() {
				w.describe(t.Field(i).Type)
			}
		}
	}
}
