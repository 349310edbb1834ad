package render_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Before there is an authentication answer, a masked request shows what it will take from it
// by name; once there is one, tokens only.
func TestMaskOfTheAuthenticationAnswer(t *testing.T) {
	d := get("https://api.example.com/[[@auth.org]]?t=[[@auth.token]]")
	v := values("")
	v.Mask, v.AuthSecret = true, func(path string) bool { return path == "token" }
	r, err := compile(t, d).Render(v)
	require.NoError(t, err)
	assert.Equal(t, "https://api.example.com/[[@auth.org]]?t=[[@auth.token]]", unbracketed(r.URL.String()))

	v.Auth = []byte(`{"org":"o1","token":"t1"}`)
	r, err = compile(t, d).Render(v)
	require.NoError(t, err)
	assert.Equal(t, "https://api.example.com/o1?t=[[@auth.token]]", unbracketed(r.URL.String()))

	v.Auth = []byte(`{}`)
	assert.Equal(t, "missing-value", faultOf(t, d, v).Rule)
	v.Mask, v.Auth = false, nil
	assert.Equal(t, "missing-value", faultOf(t, d, v).Rule)
}

var brackets = strings.NewReplacer("%5B", "[", "%5D", "]")

func unbracketed(url string) string { return brackets.Replace(url) }
