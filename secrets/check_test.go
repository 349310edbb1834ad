package secrets_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
)

func TestRefCheck(t *testing.T) {
	longest := strings.Repeat("x", 255)
	tests := map[string]struct {
		ref  secrets.Ref
		rule string // of the error; empty: valid
	}{
		"usual":              {secrets.Ref{Tenant: "acme", Connector: "crm", Name: "apiKey", Generation: 1, Binding: "any\x00thing"}, ""},
		"no tenant":          {secrets.Ref{Connector: "crm", Name: "apiKey"}, ""},
		"longest":            {secrets.Ref{Tenant: longest, Connector: longest, Name: longest}, ""},
		"odd but valid":      {secrets.Ref{Tenant: " ", Connector: "'; --", Name: "ключ 🗝"}, ""},
		"no name":            {secrets.Ref{Connector: "crm"}, "no name"},
		"no connector":       {secrets.Ref{Name: "apiKey"}, "no connector"},
		"negative":           {secrets.Ref{Connector: "crm", Name: "apiKey", Generation: -1}, "generation"},
		"long tenant":        {secrets.Ref{Tenant: longest + "x", Connector: "crm", Name: "apiKey"}, "tenant of a secret has 256 bytes"},
		"long connector":     {secrets.Ref{Connector: longest + "x", Name: "apiKey"}, "connector of a secret has 256 bytes"},
		"long name":          {secrets.Ref{Connector: "crm", Name: longest + "x"}, "name of a secret has 256 bytes"},
		"NUL in tenant":      {secrets.Ref{Tenant: "\x00", Connector: "crm", Name: "apiKey"}, "tenant of a secret holds a control character"},
		"C1 control in name": {secrets.Ref{Connector: "crm", Name: "a\u0085"}, "name of a secret holds a control character"},
		"bad UTF-8":          {secrets.Ref{Connector: "\xff", Name: "apiKey"}, "connector of a secret is not valid UTF-8"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := test.ref.Check()
			if test.rule == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, secrets.ErrInvalid)
			require.ErrorContains(t, err, test.rule)
		})
	}
}

func TestCheckValue(t *testing.T) {
	require.NoError(t, secrets.CheckValue(secrets.New("x")))
	require.NoError(t, secrets.CheckValue(secrets.New(strings.Repeat("x", secrets.MaxValue))))
	require.ErrorIs(t, secrets.CheckValue(secrets.Value{}), secrets.ErrInvalid)
	require.ErrorIs(t, secrets.CheckValue(secrets.New(strings.Repeat("x", secrets.MaxValue+1))), secrets.ErrInvalid)
}

func TestCheckKeyID(t *testing.T) {
	for _, id := range []string{"k", "k_0123", "arn:aws:kms:eu-1:1:key/x", "~!", strings.Repeat("x", 255)} {
		require.NoError(t, secrets.CheckKeyID(id), id)
	}
	for _, id := range []string{"", " ", "a b", "a\n", "é", "a\x7f", "\x00", strings.Repeat("x", 256)} {
		require.ErrorIs(t, secrets.CheckKeyID(id), secrets.ErrInvalid, "%q", id)
	}
}

func TestRefString(t *testing.T) {
	ref := secrets.Ref{Tenant: "acme", Connector: "crm", Name: "api\nKey", Generation: 2, Binding: "https://api.example.com"}
	assert.Equal(t, `secret "api\nKey", generation 2, of connector "crm" of tenant "acme"`, ref.String())
	ref.Tenant = ""
	assert.Equal(t, `secret "api\nKey", generation 2, of connector "crm"`, ref.String())
}
