package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/integrationhub/hub/internal/dbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSmallTables(t *testing.T) {
	for _, store := range []string{"memory", "sqlite", "bolt"} {
		for _, each := range []string{"0", "4"} {
			var out bytes.Buffer
			require.NoError(t, run(t.Context(), []string{"-store", store, "-each", each, "-sizes", "8,40", "-samples", "5"}, &out))
			for _, m := range measurements {
				assert.Contains(t, out.String(), "| "+m.what+", µs")
			}
		}
	}
}

func TestServers(t *testing.T) {
	for store, server := range map[string]*dbtest.Server{"postgres": dbtest.Postgres(t), "mariadb": dbtest.MariaDB(t)} {
		var out bytes.Buffer
		args := []string{"-store", store, "-dsn", server.DSN(), "-sizes", "8", "-samples", "2"}
		require.NoError(t, run(t.Context(), args, &out), store)
		assert.Contains(t, out.String(), "| save, µs")
	}
}

func TestFlagsRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-store", "paper"}, {"-sizes", ""}, {"-sizes", "10,10"}, {"-sizes", "0"}, {"-sizes", "a"},
		{"-each", "-1"}, {"-samples", "0"}, {"-store", "postgres"}, {"-dsn", "postgres://x"},
	} {
		assert.Error(t, run(t.Context(), args, &bytes.Buffer{}), "%q", args)
	}
}
