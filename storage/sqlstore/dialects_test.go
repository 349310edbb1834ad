package sqlstore_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/storage"
	"github.com/integrationhub/hub/storage/sqlstore"
)

func TestSettingsOfPostgreSQL(t *testing.T) {
	for _, commit := range []string{"on", "local", "remote_write", "remote_apply"} {
		assert.NoError(t, sqlstore.CheckPostgres("130000", "on", "on", commit))
	}
	for name, c := range map[string]struct{ version, fsync, pages, commit, want string }{
		"old server":             {"120022", "on", "on", "on", `PostgreSQL "120022"`},
		"no version":             {"", "on", "on", "on", "needs 13 or later"},
		"no fsync":               {"150000", "off", "on", "on", `fsync = "off"`},
		"torn pages":             {"150000", "on", "off", "on", `full_page_writes = "off"`},
		"asynchronous commits":   {"150000", "on", "on", "off", `synchronous_commit = "off"`},
		"another server's words": {"CockroachDB", "on", "on", "on", "needs 13 or later"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.ErrorContains(t, sqlstore.CheckPostgres(c.version, c.fsync, c.pages, c.commit), c.want)
		})
	}
}

func TestSettingsOfMySQL(t *testing.T) {
	good := sqlstore.MySQLSettings{
		Version: "10.11.6-MariaDB-0+deb12u1", Flush: "1", Pages: "1", Autocommit: "1",
		Mode: "ERROR_FOR_DIVISION_BY_ZERO,STRICT_TRANS_TABLES", Packet: 4 << 20, Binlog: "0", Sync: "0",
	}
	for name, c := range map[string]struct {
		edit func(*sqlstore.MySQLSettings)
		want string // empty: no error
	}{
		"MariaDB":               {func(s *sqlstore.MySQLSettings) {}, ""},
		"MySQL":                 {func(s *sqlstore.MySQLSettings) { s.Version = "8.0.36-28" }, ""},
		"synced binary log":     {func(s *sqlstore.MySQLSettings) { s.Binlog, s.Sync = "1", "1" }, ""},
		"old MariaDB":           {func(s *sqlstore.MySQLSettings) { s.Version = "10.5.29-MariaDB" }, "needs MariaDB 10.6"},
		"old MySQL":             {func(s *sqlstore.MySQLSettings) { s.Version = "5.7.44" }, "needs MariaDB 10.6"},
		"lazy flush":            {func(s *sqlstore.MySQLSettings) { s.Flush = "2" }, "innodb_flush_log_at_trx_commit"},
		"pages mended":          {func(s *sqlstore.MySQLSettings) { s.Pages = "DETECT_AND_RECOVER" }, ""},
		"torn pages":            {func(s *sqlstore.MySQLSettings) { s.Pages = "0" }, "innodb_doublewrite"},
		"torn pages, MySQL":     {func(s *sqlstore.MySQLSettings) { s.Pages = "OFF" }, "innodb_doublewrite"},
		"torn pages only seen":  {func(s *sqlstore.MySQLSettings) { s.Pages = "DETECT_ONLY" }, "innodb_doublewrite"},
		"order of writes":       {func(s *sqlstore.MySQLSettings) { s.Pages = "FAST" }, "innodb_doublewrite"},
		"binary log not synced": {func(s *sqlstore.MySQLSettings) { s.Binlog = "1" }, "sync_binlog"},
		"small packets":         {func(s *sqlstore.MySQLSettings) { s.Packet-- }, "max_allowed_packet"},
		"no autocommit":         {func(s *sqlstore.MySQLSettings) { s.Autocommit = "0" }, "autocommit"},
		"not strict":            {func(s *sqlstore.MySQLSettings) { s.Mode = "ANSI" }, "sql_mode"},
	} {
		t.Run(name, func(t *testing.T) {
			s := good
			c.edit(&s)
			if c.want == "" {
				assert.NoError(t, s.Check())
				return
			}
			assert.ErrorContains(t, s.Check(), c.want)
		})
	}
}

// stated is an error as the drivers of PostgreSQL make it.
type stated string

func (e stated) Error() string    { return "ERROR: something (SQLSTATE " + string(e) + ")" }
func (e stated) SQLState() string { return string(e) }

func TestErrorsOfServers(t *testing.T) {
	postgres, mysql := sqlstore.PostgreSQL(), sqlstore.MySQL()
	for name, c := range map[string]struct {
		dialect     sqlstore.Dialect
		err         error
		taken, busy bool
	}{
		"PostgreSQL, taken":         {postgres, fmt.Errorf("wrapped: %w", stated("23505")), true, false},
		"PostgreSQL, deadlock":      {postgres, stated("40P01"), false, true},
		"PostgreSQL, serialization": {postgres, stated("40001"), false, true},
		"PostgreSQL, lock":          {postgres, stated("55P03"), false, true},
		"PostgreSQL, other":         {postgres, stated("23502"), false, false},
		"PostgreSQL, no state":      {postgres, errors.New("SQLSTATE 23505"), false, false},
		"MySQL, taken":              {mysql, errors.New("Error 1062 (23000): Duplicate entry 'a' for key 'b'"), true, false},
		"MySQL, other driver":       {mysql, fmt.Errorf("wrapped: %w", errors.New("ERROR 1062 (23000): Duplicate entry")), true, false},
		"MySQL, deadlock":           {mysql, errors.New("Error 1213 (40001): Deadlock found"), false, true},
		"MySQL, lock":               {mysql, errors.New("Error 1205 (HY000): Lock wait timeout exceeded"), false, true},
		"MySQL, changed":            {mysql, errors.New("Error 1020 (HY000): Record has changed since last read"), false, true},
		"MySQL, number of a value":  {mysql, errors.New("Error 1406 (22001): Data too long for 'Error 1062'"), false, false},
		"MySQL, longer number":      {mysql, errors.New("Error 10620: ?"), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			taken, busy := sqlstore.Classes(c.dialect, c.err)
			assert.Equal(t, c.taken, taken, "taken")
			assert.Equal(t, c.busy, busy, "busy")
		})
	}
}

func TestLostConnections(t *testing.T) {
	for _, err := range []error{
		driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, stated("57P01"), stated("57P02"),
		&net.OpError{Op: "read", Err: syscall.ECONNRESET}, &net.OpError{Op: "write", Err: syscall.EPIPE},
		errors.New("conn closed"), errors.New("invalid connection"),
	} {
		assert.True(t, sqlstore.IsLost(fmt.Errorf("wrapped: %w", err)), "%v", err)
	}
	for _, err := range []error{
		&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, stated("57P03"), stated("28P01"),
		context.Canceled, errors.New("disk full"),
	} {
		assert.False(t, sqlstore.IsLost(err), "%v", err)
	}
}

// Where rows are not compared, each column is.
func TestPositionInEachDialect(t *testing.T) {
	q := storage.Query{Kind: "thing", Limit: 1}
	q.After = q.Cursor(storage.Record{Key: storage.Key{ID: "i"}, Search: "s"})
	all := storage.Query{Everywhere: true}
	all.After = all.Cursor(storage.Record{Key: storage.Key{Tenant: "t", Kind: "k", ID: "i"}})
	for name, c := range map[string]struct {
		dialect    sqlstore.Dialect
		page, walk string
	}{
		"PostgreSQL": {sqlstore.PostgreSQL(), "(r.search, r.id) > ($4, $5)", "(r.tenant, r.kind, r.id) > ($1, $2, $3)"},
		"MySQL": {sqlstore.MySQL(), "(r.search = ? AND r.id > ? OR r.search > ?)",
			"(r.tenant = ? AND r.kind = ? AND r.id > ? OR r.tenant = ? AND r.kind > ? OR r.tenant > ?)"},
	} {
		t.Run(name, func(t *testing.T) {
			text, _, err := sqlstore.SelectionIn(c.dialect, q)
			require.NoError(t, err)
			assert.Contains(t, text, c.page)
			text, args, err := sqlstore.SelectionIn(c.dialect, all)
			require.NoError(t, err)
			assert.Contains(t, text, c.walk)
			assert.Equal(t, storage.DefaultPage+1, args[len(args)-1])
		})
	}
}
