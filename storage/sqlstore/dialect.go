package sqlstore

import (
	"context"
	"database/sql"
	"strings"
)

// Dialect is what a Store must know about a kind of database. Get one from a function of
// this package: [SQLite], [PostgreSQL] or [MySQL]; the zero Dialect is refused by [New].
type Dialect struct {
	// name is for messages.
	name string

	// quote stands before and after the name of a schema; empty: there are no schemas.
	quote string

	// remote says that the database is another process: a ctx that ends breaks the
	// connection, and a commit under way takes place or does not, by itself.
	remote bool

	// writers is how many transactions of one Store may write at once; zero means any number.
	writers int

	// begin starts a transaction that will write; two that write the same row must not
	// both commit. commit, rollback and savepoints are the standard's.
	begin []string

	// forUpdate ends a SELECT that keeps its rows from others until the transaction ends.
	// Empty: beginning a transaction has done so for all rows.
	forUpdate string

	// placeholder returns the marker of the nth argument of a statement, from 1.
	placeholder func(n int) string

	// rows stands before a list of rows in parentheses after IN.
	rows string

	// comparesRows says that (a, b) > (?, ?) is read from an index like a > ?.
	comparesRows bool

	// labelled is FROM and WHERE of what leads from the labels l, read in the order of an
	// index, to their records r, looked up one by one. Planners that choose another way
	// read far more than a page.
	labelled string

	// ofKind compares the kind of r with its argument, in a form that some planners do not see
	// through: they take the kind for a constant, leave it out of the order, find no index
	// that has such an order, and sort all there is.
	ofKind string

	// byRecord follows the table labels where those of one record are looked up: a hint for
	// planners that do not see that few labels have one record.
	byRecord string

	// schema[v] holds the statements that lead from version v of the tables to v+1.
	// Released steps never change: new versions are appended. Steps that no transaction
	// holds together can be repeated.
	schema [][]string

	// locks is the text of a statement that takes the locks of n numbers, its arguments, in
	// their order and until the transaction ends. Nil: records are locked one by one.
	locks func(n int) string

	// lock selects 1 once no other connection is changing the tables that its argument
	// names; unlock lets others in. Empty: the transaction does it.
	lock, unlock string

	// verify fails if a connection's settings would break the promises of a store.
	verify func(ctx context.Context, on executor) error

	// isTaken recognises the error of a unique key that exists already.
	isTaken func(error) bool

	// isBusy recognises the error of a lock that is held elsewhere; the transaction had no
	// effect and may be repeated.
	isBusy func(error) bool
}

func (d Dialect) turns() chan struct{} {
	if d.writers == 0 {
		return nil
	}
	return make(chan struct{}, d.writers)
}

// statement is SQL in the making: text of this package, with markers where the arguments
// go. No value ever becomes part of the text.
type statement struct {
	dialect Dialect
	names   *strings.Replacer
	text    strings.Builder
	args    []any
}

func (s *Store) statement() *statement {
	return &statement{dialect: s.dialect, names: s.names}
}

// names replaces {p} by what stands before a table's name and {i} by what stands before an
// index's.
func names(d Dialect, schema, prefix string) *strings.Replacer {
	tables := prefix
	if schema != "" {
		tables = d.quote + schema + d.quote + "." + prefix
	}
	return strings.NewReplacer("{p}", tables, "{i}", prefix)
}

// add appends text, in which {p} and {i} stand for the beginnings of names and each ? for
// one of args.
func (st *statement) add(text string, args ...any) *statement {
	text = st.names.Replace(text)
	for i, part := range strings.Split(text, "?") {
		if i > 0 {
			st.args = append(st.args, args[i-1])
			st.text.WriteString(st.dialect.placeholder(len(st.args)))
		}
		st.text.WriteString(part)
	}
	return st
}

// executor is what *sql.DB, *sql.Conn and *sql.Tx have in common.
type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// exec runs the statement and returns how many rows it changed.
func (st *statement) exec(ctx context.Context, on executor) (int64, error) {
	res, err := on.ExecContext(ctx, st.text.String(), st.args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (st *statement) query(ctx context.Context, on executor) (*sql.Rows, error) {
	return on.QueryContext(ctx, st.text.String(), st.args...)
}

func (st *statement) row(ctx context.Context, on executor) *sql.Row {
	return on.QueryRowContext(ctx, st.text.String(), st.args...)
}
