package sqlstore

import (
	"context"
	"database/sql"
	"strings"
)

// Dialect is what a Store must know about a kind of database. Get one from a function of
// this package, such as [SQLite]; the zero Dialect is refused by [New].
type Dialect struct {
	// name is for messages.
	name string

	// writers is how many transactions of one Store may write at once; zero means any number.
	writers int

	// begin starts a transaction that will write; two that write the same row must not
	// both commit. commit and rollback are the standard's.
	begin string

	// placeholder returns the marker of the nth argument of a statement, from 1.
	placeholder func(n int) string

	// schema[v] holds the statements that lead from version v of the tables to v+1.
	// Released steps never change: new versions are appended.
	schema [][]string

	// verify fails if a connection's settings would break the promises of a store.
	verify func(ctx context.Context, conn *sql.Conn) error

	// isTaken recognises the error of a unique key that exists already.
	isTaken func(error) bool

	// isBusy recognises the error of a lock that is held elsewhere; the statement had no
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
	prefix  string
	text    strings.Builder
	args    []any
}

func (s *Store) statement() *statement {
	return &statement{dialect: s.dialect, prefix: s.prefix}
}

// add appends text, in which {p} stands for the table prefix and each ? for one of args.
func (st *statement) add(text string, args ...any) *statement {
	text = strings.ReplaceAll(text, "{p}", st.prefix)
	for i, part := range strings.Split(text, "?") {
		if i > 0 {
			st.args = append(st.args, args[i-1])
			st.text.WriteString(st.dialect.placeholder(len(st.args)))
		}
		st.text.WriteString(part)
	}
	return st
}

// executor is what a *sql.DB and a *sql.Conn have in common.
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
