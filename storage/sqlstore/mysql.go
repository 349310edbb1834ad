package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// MySQL is the dialect of MariaDB 10.6 and later and of MySQL 8.0 and later, with any driver
// that begins an error's text with the server's number, as go-sql-driver/mysql does. Tables
// are InnoDB's.
//
// Every connection that writes must have autocommit on and a strict sql_mode, and the server
// innodb_flush_log_at_trx_commit = 1, an innodb_doublewrite that mends the pages which a power
// loss tears (ON, or DETECT_AND_RECOVER; FAST trusts the drive to keep the order of writes),
// max_allowed_packet of at least 4 MiB and, if it writes a binary log, sync_binlog = 1: after
// a power loss InnoDB believes that log, and takes back what is not in it. Any number of transactions write at once, each READ COMMITTED whatever
// the connection's default; those that meet in a deadlock are begun again.
//
// These servers commit before and after each change of a table, so that a new version of the
// tables is not made all at once; a step that was interrupted is taken again.
func MySQL() Dialect {
	return Dialect{
		name:        "MySQL",
		quote:       "`",
		remote:      true,
		begin:       []string{"SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION READ WRITE"},
		forUpdate:   " FOR UPDATE",
		placeholder: func(int) string { return "?" },
		labelled: `FROM {p}labels l STRAIGHT_JOIN {p}records r` +
			` WHERE r.tenant = l.tenant AND r.kind = l.kind AND r.id = l.id`,
		ofKind:   `CONCAT(r.kind) = ?`,
		byRecord: " FORCE INDEX ({i}labels_record)",
		schema:   mysqlSchema(),
		lock:     `SELECT GET_LOCK(SHA2(CONCAT(DATABASE(), '.', ?), 224), 30)`, // the name of a lock has 64 characters
		unlock:   `DO RELEASE_LOCK(SHA2(CONCAT(DATABASE(), '.', ?), 224))`,
		verify:   verifyMySQL,
		isTaken:  func(err error) bool { return mysqlNumber(err) == "1062" }, // ER_DUP_ENTRY
		isBusy:   isBusyMySQL,
	}
}

// isBusyMySQL knows ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK and ER_CHECKREAD.
func isBusyMySQL(err error) bool {
	switch mysqlNumber(err) {
	case "1205", "1213", "1020":
		return true
	}
	return false
}

var mysqlError = regexp.MustCompile(`^(?i:error) (\d+)\b`)

// mysqlNumber returns the server's number of an error; empty if there is none. Each driver
// has a type of its own for it, but all begin the text in the same way.
func mysqlNumber(err error) string {
	for ; err != nil; err = errors.Unwrap(err) {
		if found := mysqlError.FindStringSubmatch(err.Error()); found != nil {
			return found[1]
		}
	}
	return ""
}

func mysqlSchema() [][]string {
	const table = ` ENGINE=InnoDB ROW_FORMAT=DYNAMIC`
	return [][]string{{
		`CREATE TABLE IF NOT EXISTS {p}records (
			tenant VARBINARY(255) NOT NULL,
			kind VARBINARY(255) NOT NULL,
			id VARBINARY(255) NOT NULL,
			parent VARBINARY(255) NOT NULL,
			name VARBINARY(255),
			search VARBINARY(1024) NOT NULL,
			revision BIGINT NOT NULL,
			updated BIGINT NOT NULL,
			labels MEDIUMBLOB NOT NULL,
			data MEDIUMBLOB NOT NULL,
			PRIMARY KEY (tenant, kind, id),
			UNIQUE KEY {i}records_name (tenant, kind, parent, name),
			KEY {i}records_search (tenant, kind, parent, search, id)
		)` + table,
		`CREATE TABLE IF NOT EXISTS {p}labels (
			tenant VARBINARY(255) NOT NULL,
			kind VARBINARY(255) NOT NULL,
			parent VARBINARY(255) NOT NULL,
			label_key VARBINARY(255) NOT NULL,
			label_value VARBINARY(255) NOT NULL,
			search VARBINARY(1024) NOT NULL,
			id VARBINARY(255) NOT NULL,
			PRIMARY KEY (tenant, kind, parent, label_key, label_value, search, id),
			KEY {i}labels_record (tenant, kind, id)
		)` + table,
	}}
}

// mysqlSettings are what a store's promises depend on.
type mysqlSettings struct {
	version    string
	flush      string // innodb_flush_log_at_trx_commit
	pages      string // innodb_doublewrite
	autocommit string
	mode       string // sql_mode
	packet     int64  // max_allowed_packet, in bytes
	binlog     string // log_bin
	sync       string // sync_binlog
}

func verifyMySQL(ctx context.Context, on executor) error {
	var s mysqlSettings
	const settings = `SELECT VERSION(), @@innodb_flush_log_at_trx_commit, @@innodb_doublewrite, @@autocommit, @@sql_mode,` +
		` @@max_allowed_packet, @@log_bin, @@sync_binlog`
	err := on.QueryRowContext(ctx, settings).Scan(&s.version, &s.flush, &s.pages, &s.autocommit, &s.mode, &s.packet, &s.binlog, &s.sync)
	if err != nil {
		return fmt.Errorf("read the server's settings: %w", err)
	}
	return s.check()
}

const minPacket = 4 << 20

func (s mysqlSettings) check() error {
	switch {
	case !s.supported():
		return fmt.Errorf("the server is version %.32q; a store needs MariaDB 10.6 or MySQL 8.0 or later", s.version)
	case s.flush != "1":
		return fmt.Errorf("the server has innodb_flush_log_at_trx_commit = %.32q; a store needs 1: set it in the server's configuration", s.flush)
	case !s.mends():
		return fmt.Errorf("the server has innodb_doublewrite = %.32q; a store needs ON or DETECT_AND_RECOVER: set it in the server's configuration", s.pages)
	case s.binlog != "0" && s.sync != "1":
		return fmt.Errorf("the server writes a binary log with sync_binlog = %.32q; a store needs 1: set it in the server's configuration", s.sync)
	case s.packet < minPacket:
		return fmt.Errorf("the server has max_allowed_packet = %d; a store needs %d or more: set it in the server's configuration", s.packet, minPacket)
	case s.autocommit != "1":
		return fmt.Errorf("a connection has autocommit = %.32q; a store needs 1: set it on every connection of the pool", s.autocommit)
	case !strings.Contains(s.mode, "STRICT_"):
		return errors.New("a connection has no strict sql_mode; a store needs STRICT_TRANS_TABLES: set it on every connection of the pool")
	}
	return nil
}

// mends reports whether the server has a second copy of each page that it was writing.
func (s mysqlSettings) mends() bool {
	switch strings.ToUpper(s.pages) {
	case "1", "ON", "DETECT_AND_RECOVER":
		return true
	}
	return false
}

func (s mysqlSettings) supported() bool {
	if strings.Contains(s.version, "MariaDB") {
		return atLeast(s.version, 10, 6)
	}
	return atLeast(s.version, 8, 0)
}
