package files_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/secrets"
	"github.com/integrationhub/hub/secrets/files"
	"github.com/integrationhub/hub/secrets/secretstest"
)

func TestContract(t *testing.T) {
	seeded := secrets.Ref{Tenant: "Acme & Söhne/x", Connector: "crm-eu", Name: "clientSecret", Generation: 3, Binding: "https://api.example.com"}
	value := secrets.New("s3cr3t = \t%x ü\x00\xff\n")
	secretstest.RunReadOnlyVault(t, func(t *testing.T) secrets.Vault {
		dir := t.TempDir()
		v := open(t, dir, nil)
		write(t, dir, v.Path(seeded.Tenant, seeded.Connector, seeded.Name), value.Reveal())
		return v
	}, seeded, value, secretstest.LacksBinding, secretstest.LacksGenerations)
}

func open(t testing.TB, dir string, opts *files.Options) *files.Vault {
	t.Helper()
	v, err := files.New(dir, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	return v
}

func write(t testing.TB, dir, path, text string) {
	t.Helper()
	full := filepath.Join(dir, path)
	require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o700))
	require.NoError(t, os.WriteFile(full, []byte(text), 0o600))
}
