package render_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/render"
)

var errNoSecret = errors.New("no such secret")

var variables = map[string]string{
	"instance": "dev1", "queue": "sales", "region": "eu", "dots": "a.b", "empty": "",
	"odd": "a b&c=d/e?f#g%h\"<i>'j\\k", "braces": "{{x}} [[apiKey]]",
}

func variable(name string) (string, bool) {
	v, ok := variables[name]
	return v, ok
}

func secret(name string) (string, error) {
	switch name {
	case "apiKey":
		return "s3cr3t-K/y", nil
	case "password":
		return `p"w<&>`, nil
	}
	return "", errNoSecret
}

// compile compiles d, which must be without problems.
func compile(t testing.TB, d render.Definition) *render.Program {
	t.Helper()
	p, problems := render.Compile(d, testScope)
	require.Empty(t, problems)
	return p
}

// values returns Values with a payload.
func values(payload string) render.Values {
	return render.Values{Payload: []byte(payload), Variable: variable, Secret: secret}
}

// renderWith renders d, which must succeed.
func renderWith(t testing.TB, d render.Definition, payload string) *render.Request {
	t.Helper()
	r, err := compile(t, d).Render(values(payload))
	require.NoError(t, err)
	return r
}

// faultOf returns the fault of rendering d.
func faultOf(t testing.TB, d render.Definition, v render.Values) *render.Fault {
	t.Helper()
	_, err := compile(t, d).Render(v)
	var f *render.Fault
	require.ErrorAs(t, err, &f)
	return f
}

func get(url string) render.Definition { return render.Definition{Method: "GET", URL: url} }

func post(mediaType, body string) render.Definition {
	return render.Definition{Method: "POST", URL: "https://api.example.com/x", MediaType: mediaType, Body: body}
}
