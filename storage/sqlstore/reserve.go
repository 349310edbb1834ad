package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/integrationhub/hub/storage"
)

// reserve lets transactions that change the same things in different order wait for each
// other before they hold anything: those would end in a deadlock.
func (s *Store) reserve(ctx context.Context, on executor, changes []storage.Change) error {
	switch {
	case len(changes) < 2:
		return nil
	case s.dialect.locks != nil:
		return s.lockNumbers(ctx, on, numbersOf(changes))
	case s.dialect.forUpdate != "":
		return s.lockRecords(ctx, on, changes)
	}
	return nil
}

// lockNumbers takes the locks of numbers until the transaction ends. Stores of one database
// share them: two that have nothing in common may wait for each other, and no more.
func (s *Store) lockNumbers(ctx context.Context, on executor, numbers []int64) error {
	args := make([]any, len(numbers))
	for i, n := range numbers {
		args[i] = n
	}
	return drained(s.statement().add(s.dialect.locks(len(numbers)), args...).query(ctx, on))
}

// numbersOf returns a number for each key and each name that changes concern, in order.
func numbersOf(changes []storage.Change) []int64 {
	var numbers []int64
	for _, c := range changes {
		r := c.Record
		numbers = append(numbers, numberOf("key", r.Tenant, r.Kind, r.ID))
		if r.Name != "" {
			numbers = append(numbers, numberOf("name", r.Tenant, r.Kind, r.Parent, r.Name))
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// numberOf hashes texts, which hold no NUL.
func numberOf(texts ...string) int64 {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return int64(binary.BigEndian.Uint64(sum[:]))
}

// lockRecords locks the records that will be updated or deleted, in the order of their keys.
func (s *Store) lockRecords(ctx context.Context, on executor, changes []storage.Change) error {
	var keys []storage.Key
	for _, c := range changes {
		if c.Action != storage.ActionCreate {
			keys = append(keys, c.Record.Key)
		}
	}
	if len(keys) < 2 {
		return nil
	}
	st := s.statement().add(`SELECT r.revision FROM {p}records r WHERE `)
	for i, k := range keys {
		if i > 0 {
			st.add(` OR `)
		}
		st.add(`r.tenant = ? AND r.kind = ? AND r.id = ?`, keyValues(k)...)
	}
	return drained(st.add(` ORDER BY r.tenant, r.kind, r.id`+s.dialect.forUpdate).query(ctx, on))
}

// drained reads rows to their end: what a row stands for is locked once it was read.
func drained(rows *sql.Rows, err error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}
