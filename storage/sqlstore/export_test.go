package sqlstore

import (
	"strconv"

	"github.com/integrationhub/hub/storage"
)

var (
	EncodeLabels = encodeLabels
	DecodeLabels = decodeLabels
	AtLeast      = atLeast
)

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
	st, err := (&Store{dialect: d, names: names(d, "", "p_")}).selection(q)
	if err != nil {
		return "", nil, err
	}
	return st.text.String(), st.args, nil
}

// Taken and Busy tell what the dialect of SQLite makes of an error.
func Taken(err error) bool { return SQLite().isTaken(err) }
func Busy(err error) bool  { return SQLite().isBusy(err) }
