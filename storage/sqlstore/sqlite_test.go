package sqlstore_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/integrationhub/hub/storage/sqlstore"
)

func TestVersions(t *testing.T) {
	for version, want := range map[string]bool{
		"3.51.3": true, "3.51.4": true, "3.52.0": true, "3.53": true, "4.0.0": true, "3.51.3.1": true, "3.100.0": true,
		"3.51.2": false, "3.51": false, "3.50.9": false, "2.99.99": false, "": false, "new": false, "3.51.x": false, "3.-1.9": false,
	} {
		assert.Equal(t, want, sqlstore.AtLeast(version, 3, 51, 3), "%q", version)
	}
}

func TestSettingsByOperatingSystem(t *testing.T) {
	assert.Equal(t, []string{"journal_mode", "synchronous", "query_only"}, sqlstore.Pragmas("linux"))
	assert.Equal(t, []string{"journal_mode", "synchronous", "query_only", "fullfsync", "checkpoint_fullfsync"}, sqlstore.Pragmas("darwin"))
}

// The texts are SQLite's own, as drivers dress them.
func TestErrorsOfDrivers(t *testing.T) {
	for text, want := range map[string]struct{ taken, busy bool }{
		"constraint failed: UNIQUE constraint failed: hub_records.tenant, hub_records.kind (1555)": {taken: true},
		"UNIQUE constraint failed: hub_records.name":                                               {taken: true},
		"database is locked (5) (SQLITE_BUSY)":                                                     {busy: true},
		"database is locked":                                                                       {busy: true},
		"sqlite3: database table is locked: hub_records":                                           {busy: true},
		"database or disk is full (13)":                                                            {},
		"NOT NULL constraint failed: hub_records.data":                                             {},
	} {
		assert.Equal(t, want.taken, sqlstore.Taken(errors.New(text)), text)
		assert.Equal(t, want.busy, sqlstore.Busy(errors.New(text)), text)
	}
}
