package env_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/env"
)

// vars is an environment for tests.
type vars map[string]string

func (v vars) options(prefix string) *env.Options {
	return &env.Options{
		Prefix: prefix,
		Lookup: func(name string) (string, bool) { value, ok := v[name]; return value, ok },
		Environ: func() (entries []string) {
			for name, value := range v {
				entries = append(entries, name+"="+value)
			}
			return entries
		},
	}
}

func refOf(tenant, connector, name string) secrets.Ref {
	return secrets.Ref{Tenant: tenant, Connector: connector, Name: name}
}

func TestVariable(t *testing.T) {
	v := open(t, nil)
	tests := map[string]secrets.Ref{
		"HUB_SECRET_ACME_0CRM_1EU_0CLIENT_SECRET": refOf("acme", "crm-eu", "clientSecret"),
		"HUB_SECRET__0DESK_0API__KEY":             refOf("", "desk", "api_key"),
		"HUB_SECRET__0_0":                         {},
		"HUB_SECRET_A_220B_2C3_2A9_0C9_0_A_P_I9":  refOf("a bé", "c9", "API9"),
	}
	for want, ref := range tests {
		assert.Equal(t, want, v.Variable(ref.Tenant, ref.Connector, ref.Name))
	}
	assert.Equal(t, "X_0_0", open(t, &env.Options{Prefix: "X"}).Variable("", "", ""))
}

// TestVariablesDoNotCollide takes all texts of up to two letters of a small but mean
// alphabet in all three places: no name comes twice, nor one that differs in case only.
func TestVariablesDoNotCollide(t *testing.T) {
	v := open(t, nil)
	texts := []string{""}
	for range 2 {
		for _, s := range texts {
			for _, c := range []string{"a", "A", "_", "-", "0", "1", "2", " "} {
				texts = append(texts, s+c)
			}
		}
	}
	texts = unique(texts)
	seen := map[string]bool{}
	for _, tenant := range texts {
		for _, connector := range texts {
			for _, name := range texts[:30] {
				variable := strings.ToUpper(v.Variable(tenant, connector, name))
				require.False(t, seen[variable], "%s comes twice", variable)
				seen[variable] = true
			}
		}
	}
	assert.Len(t, seen, len(texts)*len(texts)*30)
}

func unique(texts []string) (kept []string) {
	seen := map[string]bool{}
	for _, s := range texts {
		if !seen[s] {
			seen[s] = true
			kept = append(kept, s)
		}
	}
	return kept
}

// TestTenantsDoNotReachEachOther lets each tenant ask for everything that would, spelled
// out, look like another tenant's variable.
func TestTenantsDoNotReachEachOther(t *testing.T) {
	victim := refOf("acme", "crm", "key")
	v := open(t, vars{"HUB_SECRET_ACME_0CRM_0KEY": "victim", "PATH": "/bin", "HUB_SECRET_": "x"}.options(""))
	got, err := v.Get(t.Context(), victim)
	require.NoError(t, err)
	require.Equal(t, "victim", got.Reveal())
	for _, ref := range []secrets.Ref{
		refOf("", "crm", "key"), refOf("", "acme_0crm", "key"), refOf("", "ACME_0CRM_0KEY", "x"), refOf("ACME", "crm", "key"),
		refOf("acme_0crm", "key", "x"), refOf("acm", "e_0crm", "key"), refOf("acme", "CRM", "key"), refOf("acme", "crm_0key", "x"),
		refOf("acme", "crm", "KEY"), refOf("../acme", "crm", "key"), refOf("x", "PATH", "PATH"), refOf("acme", "crm", "key="),
	} {
		_, err := v.Get(t.Context(), ref)
		require.ErrorIs(t, err, secrets.ErrNotFound, "%q", ref)
		if ref.Tenant == victim.Tenant && ref.Connector == victim.Connector {
			continue
		}
		refs, err := v.List(t.Context(), ref.Tenant, ref.Connector)
		require.NoError(t, err)
		assert.Empty(t, refs, "%q", ref)
	}
}

func TestGetDisregardsGenerationAndBinding(t *testing.T) {
	v := open(t, vars{"HUB_SECRET__0CRM_0KEY": "value"}.options(""))
	for _, ref := range []secrets.Ref{{Connector: "crm", Name: "key"}, {Connector: "crm", Name: "key", Generation: 7, Binding: "x"}} {
		got, err := v.Get(t.Context(), ref)
		require.NoError(t, err)
		assert.Equal(t, "value", got.Reveal())
	}
}

func TestGetEdges(t *testing.T) {
	v := open(t, vars{
		"X__0CRM_0EMPTY": "", "X__0CRM_0LARGE": strings.Repeat("v", secrets.MaxValue), "X__0CRM_0LARGER": strings.Repeat("v", secrets.MaxValue+1),
	}.options("X_"))
	_, err := v.Get(t.Context(), refOf("", "crm", "empty"))
	require.ErrorIs(t, err, secrets.ErrNotFound)
	require.ErrorContains(t, err, "X__0CRM_0EMPTY", "the error says what to set")
	_, err = v.Get(t.Context(), refOf("", "crm", "large"))
	require.NoError(t, err)
	_, err = v.Get(t.Context(), refOf("", "crm", "larger"))
	require.ErrorIs(t, err, secrets.ErrInvalid)
	assert.NotContains(t, err.Error(), "vvv")
}

func TestList(t *testing.T) {
	v := open(t, vars{
		"X__0CRM_0B": "1", "X__0CRM_0A__B": "1", "X__0CRM_0_B": "1", "X__0CRM_0EMPTY": "", "X__0CRM2_0C": "1", "X_ACME_0CRM_0D": "1",
		// Not what a ref is written as: two parts, four, no name, capitals missing, a second
		// spelling, half a code, an unknown one, a control character, not UTF-8.
		"X__0CRM": "1", "X__0CRM_0A_0B": "1", "X__0CRM_0": "1", "X__0CRM_0a": "1", "X__0CRM_0_241": "1", "X__0CRM_0A_": "1",
		"X__0CRM_0A_2F": "1", "X__0CRM_0A_9": "1", "X__0CRM_0A_200": "1", "X__0CRM_0A_2FF": "1", "X__0CRM_0A_2zz": "1",
		"X__0CRM_0" + strings.Repeat("A", 256): "1", "X__0CRM_0" + strings.Repeat("A", 5000): "1", "Y__0CRM_0Z": "1", "": "1",
	}.options("X_"))
	refs, err := v.List(t.Context(), "", "crm")
	require.NoError(t, err)
	assert.Equal(t, []secrets.Ref{refOf("", "crm", "B"), refOf("", "crm", "a_b"), refOf("", "crm", "b")}, refs)
	for _, ref := range refs {
		_, err := v.Get(t.Context(), ref)
		require.NoError(t, err)
	}
}

func TestRefusalsNameTheVariable(t *testing.T) {
	v := open(t, nil)
	err := v.Put(t.Context(), refOf("", "crm", "key"), secrets.New("s3cr3t"))
	require.ErrorIs(t, err, secrets.ErrReadOnly)
	require.ErrorContains(t, err, "HUB_SECRET__0CRM_0KEY")
	require.ErrorIs(t, v.Delete(t.Context(), refOf("", "crm", "key")), secrets.ErrReadOnly)
}

func TestPrefix(t *testing.T) {
	for _, prefix := range []string{"X", "_", "X9_", "ACME_SECRETS_"} {
		_, err := env.New(&env.Options{Prefix: prefix})
		require.NoError(t, err, prefix)
	}
	for _, prefix := range []string{"x", "9X", "X-", "X=", "X ", "É", "X\x00"} {
		v, err := env.New(&env.Options{Prefix: prefix})
		require.ErrorIs(t, err, secrets.ErrInvalid, prefix)
		require.ErrorContains(t, err, "Prefix")
		assert.Nil(t, v)
	}
}

// FuzzList: whatever a variable is called, it is listed under one ref at most, whose own
// variable it is.
func FuzzList(f *testing.F) {
	for _, code := range []string{"_0CRM_0KEY", "A_1B_0C_220D_0E__F", "_0_0", "_2", "_0A_0_2zz", "_0A_0_2FF", strings.Repeat("_0", 50)} {
		f.Add(code, "acme", "crm", "key")
	}
	f.Fuzz(func(t *testing.T, code, tenant, connector, name string) {
		checkCode(t, code)
		ref := refOf(tenant, connector, name)
		if ref.Check() != nil {
			return
		}
		variable := open(t, nil).Variable(tenant, connector, name)
		refs, err := open(t, vars{variable: "value"}.options("")).List(t.Context(), tenant, connector)
		require.NoError(t, err)
		require.Equal(t, []secrets.Ref{ref}, refs)
	})
}

func checkCode(t *testing.T, code string) {
	if strings.Contains(code, "=") {
		return
	}
	variable := "X_" + code
	v := open(t, vars{variable: "value"}.options("X_"))
	for _, scope := range []string{"", "a", "acme", "crm"} {
		for _, connector := range []string{"crm", "a", "b"} {
			refs, err := v.List(t.Context(), scope, connector)
			require.NoError(t, err)
			for _, ref := range refs {
				require.Equal(t, variable, v.Variable(ref.Tenant, ref.Connector, ref.Name))
			}
		}
	}
}
