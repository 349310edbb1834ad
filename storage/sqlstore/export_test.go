package sqlstore

import (
	"strconv"

	"github.com/integrationhub/hub/storage"
)

var (
	EncodeLabels = encodeLabels
	DecodeLabels = decodeLabels
	AtLeast      = atLeast

	IsLost = isLost
)

// CheckPostgres verifies what the dialect of PostgreSQL does.
func CheckPostgres(version, fsync, pages, commit string) error {
	return postgresSettings{version, fsync, pages, commit}.check()
}

// Pragmas returns the names of what a connection must have on the operating system goos.
func Pragmas(goos string) (names []string) {
	for _, s := range settingsSQLite(goos) {
		names = append(names, s.pragma)
	}
	return names
}

// Selection returns the statement for q in a dialect that numbers its placeholders.
func Selection(q storage.Query) (text string, args []any, err error) {
	d := SQLite()
	d.placeholder = func(n int) string { return "$" + strconv.Itoa(n) }
	return SelectionIn(d, q)
}

// SelectionIn returns the statement for q in a dialect.
func SelectionIn(d Dialect, q storage.Query) (text string, args []any, err error) {
	st, err := (&Store{dialect: d, names: names(d, "", "p_")}).selection(q)
	if err != nil {
		return "", nil, err
	}
	return st.text.String(), st.args, nil
}

// Classes tells what a dialect makes of an error.
func Classes(d Dialect, err error) (taken, busy bool) { return d.isTaken(err), d.isBusy(err) }

// MySQLSettings are what the dialect of MySQL verifies.
type MySQLSettings struct {
	Version, Flush, Pages, Autocommit, Mode string
	Packet                                  int64
	Binlog, Sync                            string
}

// Check verifies the settings.
func (s MySQLSettings) Check() error {
	return mysqlSettings{s.Version, s.Flush, s.Pages, s.Autocommit, s.Mode, s.Packet, s.Binlog, s.Sync}.check()
}

// Taken and Busy tell what the dialect of SQLite makes of an error.
func Taken(err error) bool { return SQLite().isTaken(err) }
func Busy(err error) bool  { return SQLite().isBusy(err) }
