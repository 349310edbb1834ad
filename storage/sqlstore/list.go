package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/integrationhub/hub/storage"
)

// List implements storage.Store. Every listing reads an index in the order of its page, from
// the page's beginning on.
func (s *Store) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	page, err := s.list(ctx, q)
	if err != nil {
		return storage.Page{}, fmt.Errorf("list %.64q: %w", q.Kind, told(ctx, err))
	}
	return page, nil
}

func (s *Store) list(ctx context.Context, q storage.Query) (page storage.Page, err error) {
	if err := s.gate.enter(); err != nil {
		return page, err
	}
	defer s.gate.leave()
	if err := storage.CheckQuery(q); err != nil {
		return page, err
	}
	st, err := s.selection(q)
	if err != nil {
		return page, err
	}
	err = s.patiently(ctx, func() error {
		page, err = readPage(ctx, s.reader, st, q)
		return err
	})
	return page, err
}

func readPage(ctx context.Context, on executor, st *statement, q storage.Query) (page storage.Page, err error) {
	rows, err := st.query(ctx, on)
	if err != nil {
		return page, err
	}
	defer rows.Close()
	var bytes int
	for rows.Next() {
		if n := len(page.Records); n == q.PageSize() || bytes > storage.MaxPageBytes {
			page.Next = q.Cursor(page.Records[n-1])
			return page, nil
		}
		r, err := scan(rows.Scan)
		if err != nil {
			return page, err
		}
		page.Records = append(page.Records, r)
		bytes += len(r.Data)
	}
	return page, rows.Err()
}

// selection returns the statement that reads the page of q and one record more, which tells
// whether the page is the last.
func (s *Store) selection(q storage.Query) (*statement, error) {
	after, began, err := q.Position()
	if err != nil {
		return nil, err
	}
	q.Labels = storage.NormalLabels(q.Labels)
	st := s.statement()
	switch {
	case q.Everywhere:
		st.everywhere(q, after, began)
	case q.Name == "" && len(q.Labels) > 0:
		st.byLabel(q).page("l", q, after, began)
	default:
		st.byRecord(q).page("r", q, after, began)
	}
	return st.add(` LIMIT ?`, q.PageSize()+1), nil
}

// everywhere selects from all records, by key.
func (st *statement) everywhere(q storage.Query, after storage.Position, began bool) {
	st.add(`SELECT ` + columns + ` FROM {p}records r WHERE 1 = 1`)
	if q.Kind != "" {
		st.add(` AND `+st.dialect.ofKind, []byte(q.Kind))
	}
	if began {
		st.beyond([]string{"r.tenant", "r.kind", "r.id"}, []byte(after.Tenant), []byte(after.Kind), []byte(after.ID))
	}
	st.add(` ORDER BY r.tenant, r.kind, r.id`)
}

// byRecord selects from the records.
func (st *statement) byRecord(q storage.Query) *statement {
	st.add(`SELECT `+columns+` FROM {p}records r WHERE r.tenant = ? AND r.kind = ? AND r.parent = ?`,
		[]byte(q.Tenant), []byte(q.Kind), []byte(q.Parent))
	if q.Name != "" {
		st.add(` AND r.name = ?`, []byte(q.Name))
	}
	return st.having("r", q.Labels)
}

// byLabel selects from the entries l of the first label and joins their records.
func (st *statement) byLabel(q storage.Query) *statement {
	first := q.Labels[0]
	st.add(`SELECT `+columns+` `+st.dialect.labelled+
		` AND l.tenant = ? AND l.kind = ? AND l.parent = ? AND l.label_key = ? AND l.label_value = ?`,
		[]byte(q.Tenant), []byte(q.Kind), []byte(q.Parent), []byte(first.Key), []byte(first.Value))
	return st.having("l", q.Labels[1:])
}

// having keeps of the table t what has all labels. It counts them in one subquery: a join or
// subquery for each would take databases long to plan, and some have a limit of 64.
func (st *statement) having(t string, labels []storage.Label) *statement {
	if len(labels) == 0 {
		return st
	}
	st.of(t, ` AND (SELECT COUNT(*) FROM {p}labels x`+st.dialect.byRecord+` WHERE x.tenant = {t}.tenant AND x.kind = {t}.kind`+
		` AND x.id = {t}.id AND (x.label_key, x.label_value) IN (`+st.dialect.rows)
	for i, l := range labels {
		if i > 0 {
			st.add(`, `)
		}
		st.add(`(?, ?)`, []byte(l.Key), []byte(l.Value))
	}
	return st.add(`)) = ?`, len(labels))
}

// page confines the table t to the prefix and to what comes after the position, which has
// the prefix.
func (st *statement) page(t string, q storage.Query, after storage.Position, began bool) {
	switch {
	case began:
		st.beyond([]string{t + ".search", t + ".id"}, []byte(after.Search), []byte(after.ID))
	case q.Prefix != "":
		st.of(t, ` AND {t}.search >= ?`, []byte(q.Prefix))
	}
	if end, bounded := storage.PrefixEnd(q.Prefix); bounded {
		st.of(t, ` AND {t}.search < ?`, []byte(end))
	}
	if q.Name == "" { // one record is in order, and planners are not tempted by the index of it
		st.of(t, ` ORDER BY {t}.search, {t}.id`)
	}
}

// beyond confines to what comes after the values in the order of the columns. Databases
// that do not look up a comparison of rows in an index get (a = ? AND b > ?) OR a > ?.
func (st *statement) beyond(columns []string, values ...any) {
	if st.dialect.comparesRows {
		marks := strings.Repeat(", ?", len(values))[2:]
		st.add(` AND (`+strings.Join(columns, ", ")+`) > (`+marks+`)`, values...)
		return
	}
	st.add(` AND (`)
	for n := len(columns) - 1; n >= 0; n-- {
		for i := range n {
			st.add(columns[i]+` = ? AND `, values[i])
		}
		st.add(columns[n]+` > ?`, values[n])
		if n > 0 {
			st.add(` OR `)
		}
	}
	st.add(`)`)
}

// of adds text in which {t} stands for the table t.
func (st *statement) of(t, text string, args ...any) {
	st.add(strings.ReplaceAll(text, "{t}", t), args...)
}
