package hub_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/memory"
)

// refusing takes any key but one, and notes what each call came with.
type refusing struct {
	mu      sync.Mutex
	refused string
	seen    []string
}

func (u *refusing) RoundTrip(req *http.Request) (*http.Response, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	key, status := req.Header.Get("X-Api-Key"), http.StatusOK
	if key == u.refused {
		status = http.StatusUnauthorized
	}
	u.seen = append(u.seen, fmt.Sprint(req.URL.Host, " ", key, " ", req.Header.Get("X-Connector")))
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
}

// took returns what came since it was last asked.
func (u *refusing) took() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	defer func() { u.seen = nil }()
	return u.seen
}

// Of connectors that are the same, whatever is saved of one holds from its next call on, and for
// none of the others.
func TestWhatIsSavedOfOneHoldsAtOnceAndForNoOther(t *testing.T) {
	h, way := open(t), new(refusing)
	hub.SendThrough(h, way)
	var all []*hub.Tenant
	var cons []hub.Connector
	for i := range 3 {
		a := newAlike()
		a.con.Requests = a.con.Requests[1:]
		a.con.Requests[0].Outputs = nil
		a.secrets["apiKey"] = fmt.Sprint("key-of-tenant-", i)
		all = append(all, h.Tenant(fmt.Sprint("tenant ", i)))
		cons = append(cons, a.save(t, all[i]))
	}
	one, id := all[1], cons[1].ID
	want := func(what string, code error, came ...string) {
		t.Helper()
		for i, tenant := range all {
			_, err := execute(t, tenant, "list")
			if i != 1 {
				require.NoError(t, err, what)
				require.Equal(t, []string{fmt.Sprint("api.example.com key-of-tenant-", i, " plain")}, way.took(), what)
				continue
			}
			require.ErrorIs(t, err, code, what)
			require.Equal(t, came, way.took(), what)
		}
	}
	want("at first", nil, "api.example.com key-of-tenant-1 plain")
	outlines, requests, _, _ := hub.Shared(h)
	require.Equal(t, []int{1, 1}, []int{outlines, requests})

	require.NoError(t, one.SetSecret(t.Context(), id, "apiKey", secrets.New("the-second-key")))
	want("another value of a secret", nil, "api.example.com the-second-key plain")
	require.NoError(t, one.SetNextSecret(t.Context(), id, "apiKey", secrets.New("the-third-key")))
	want("a next value, not needed yet", nil, "api.example.com the-second-key plain")
	way.refused = "the-second-key"
	want("a next value", nil, "api.example.com the-second-key plain", "api.example.com the-third-key plain")
	want("a next value that was taken", nil, "api.example.com the-third-key plain")
	require.NoError(t, one.PromoteSecret(t.Context(), id, "apiKey"))
	want("a next value in force", nil, "api.example.com the-third-key plain")

	edit(t, one, id, func(c *hub.Connector) { c.Variables["kind"] = "fancy" })
	want("a variable", nil, "api.example.com the-third-key fancy")
	edit(t, one, id, func(c *hub.Connector) {
		c.Secrets = append(c.Secrets, hub.Secret{Name: "more", Hosts: []string{"two.example.com"}})
	})
	require.NoError(t, one.SetSecret(t.Context(), id, "more", secrets.New("more-0123456789")))
	edit(t, one, id, func(c *hub.Connector) { c.Headers[0].Value = "[[more]]" })
	want("a secret that is bound elsewhere", hub.Forbidden)
	edit(t, one, id, func(c *hub.Connector) { c.Headers[0].Value = "[[kind]]" })
	want("the header of before", nil, "api.example.com the-third-key fancy")

	require.NoError(t, one.RestrictTemplate(t.Context(), cons[1].Template, []string{"two.example.com"}))
	want("hosts that are taken away", hub.Forbidden)
	require.NoError(t, one.DeleteSecret(t.Context(), id, "apiKey"))
	want("a secret that is deleted", hub.NotReady)
}

// What is compiled is found by the JSON of what it was made of: nothing of a definition may be
// missing there.
func TestTheJSONOfADefinitionIsAllOfIt(t *testing.T) {
	own, raw := reflect.TypeFor[json.Marshaler](), reflect.TypeFor[json.RawMessage]()
	seen := map[reflect.Type]bool{}
	var look func(reflect.Type)
	look = func(is reflect.Type) {
		if seen[is] || is == raw {
			return
		}
		seen[is] = true
		assert.False(t, is.Implements(own) || reflect.PointerTo(is).Implements(own), "%v has JSON of its own", is)
		switch is.Kind() {
		case reflect.Pointer, reflect.Slice:
			look(is.Elem())
		case reflect.Map:
			look(is.Elem())
			assert.Equal(t, reflect.String, is.Key().Kind())
		case reflect.Struct:
			for i := range is.NumField() {
				f := is.Field(i)
				assert.True(t, f.IsExported() && f.Tag.Get("json") != "-", "%v.%s is not in the JSON", is, f.Name)
				look(f.Type)
			}
		default:
			assert.NotEqual(t, reflect.Interface, is.Kind(), "%v", is)
		}
	}
	for _, is := range []reflect.Type{
		reflect.TypeFor[hub.Request](), reflect.TypeFor[hub.Auth](), reflect.TypeFor[hub.Header](), reflect.TypeFor[hub.RateLimit](),
		reflect.TypeFor[hub.Secret](), reflect.TypeFor[hub.TLS](), reflect.TypeFor[hub.TemplateHeader](), reflect.TypeFor[hub.Field](),
		reflect.TypeFor[hub.Verify](), reflect.TypeFor[hub.TemplateLimits](),
	} {
		look(is)
	}
}

// A text that was spread out, in a store that others write to, counts for what it is: no part of a
// plan makes room for others.
func TestASchemaThatIsSpreadOutMakesNoRoom(t *testing.T) {
	store := memory.New()
	h := openOn(t, store)
	hub.SendThrough(h, telling{})
	con := newAlike().save(t, h.Tenant("acme"))
	rec, err := store.Get(t.Context(), storage.Key{Tenant: "acme", Kind: "connector", ID: con.ID})
	require.NoError(t, err)
	before := rec.Revision
	rec.Data = bytes.Replace(rec.Data, []byte(`"payloadSchema":{`), []byte(`"payloadSchema":{`+strings.Repeat(" ", 30<<10)), 1)
	rec.Revision++
	require.NoError(t, store.Apply(t.Context(), storage.Update(rec, before)))
	_, err = execute(t, h.Tenant("acme"), "list")
	require.NoError(t, err)
	assert.Positive(t, hub.PlanBytes(h))
}
