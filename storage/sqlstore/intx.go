package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/integrationhub/hub/storage"
)

// InTx returns a store whose calls take part in tx, a transaction that the host application
// has begun on the same database and will itself commit or roll back: definitions are saved
// together with the host's own rows, or not at all. The store is good until tx ends or s is
// closed; then its methods fail with ErrClosed. Its Close leaves tx alone. Calls run one
// after the other. A hub that is made on it, with hub.New, for this transaction alone saves and
// reads definitions in it; close that hub before tx ends.
//
// Apply returns nil when its changes are part of tx: they are durable once tx is committed,
// and nobody else sees them before. No notice is sent, for the store does not learn of the
// commit: other hubs find the change within their Limits.Freshness. A failed Apply leaves tx as it was, in all dialects. Until
// tx ends it holds locks on what it has changed, and other writers wait; keep it short. Of
// two that take the same name or revision one waits for the other to commit.
//
// The settings are verified as those of every connection that writes. The isolation is the
// one that tx was begun with; above READ COMMITTED, an Apply can fail with the database's
// error of a transaction that must be begun again. Likewise, locks are waited for as the
// connection itself does. PostgreSQL and MySQL break off a call whose ctx ends by breaking the
// connection, and tx with it; on SQLite a call that has begun is finished.
func (s *Store) InTx(tx *sql.Tx) storage.Store {
	return &txStore{store: s, tx: tx, turn: make(chan struct{}, 1)}
}

// txStore is a store in a transaction of the host's.
type txStore struct {
	store  *Store
	tx     *sql.Tx
	turn   chan struct{} // holds one token while a call runs; guards closed
	closed bool
}

// Get implements storage.Store.
func (t *txStore) Get(ctx context.Context, key storage.Key) (r storage.Record, err error) {
	err = storage.CheckKey(key)
	if err == nil {
		err = t.call(ctx, func(ctx context.Context) error {
			r, err = t.store.readRecord(ctx, t.tx, key)
			return err
		})
	}
	if err != nil {
		return storage.Record{}, fmt.Errorf("get %s: %w", key, err)
	}
	return r, nil
}

// List implements storage.Store.
func (t *txStore) List(ctx context.Context, q storage.Query) (page storage.Page, err error) {
	err = storage.CheckQuery(q)
	if err == nil {
		err = t.call(ctx, func(ctx context.Context) error {
			st, err := t.store.selection(q)
			if err != nil {
				return err
			}
			page, err = readPage(ctx, t.tx, st, q)
			return err
		})
	}
	if err != nil {
		return storage.Page{}, fmt.Errorf("list %.64q: %w", q.Kind, err)
	}
	return page, nil
}

// Apply implements storage.Store, up to the durability that only the commit of tx brings.
func (t *txStore) Apply(ctx context.Context, changes ...storage.Change) error {
	err := storage.CheckChanges(changes)
	if err == nil {
		err = t.call(ctx, func(ctx context.Context) error { return t.apply(ctx, changes) })
	}
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	return nil
}

// apply works behind a savepoint: a failed statement spoils the whole transaction on some
// databases, and the changes before it stand on others.
func (t *txStore) apply(ctx context.Context, changes []storage.Change) error {
	if len(changes) == 0 {
		return nil
	}
	if err := t.store.dialect.verify(ctx, t.tx); err != nil {
		return err
	}
	if _, err := t.tx.ExecContext(ctx, "SAVEPOINT hub_apply"); err != nil {
		return err
	}
	err := t.store.changeAll(ctx, t.tx, changes)
	if err != nil {
		if _, back := t.tx.ExecContext(context.WithoutCancel(ctx), "ROLLBACK TO SAVEPOINT hub_apply"); back != nil {
			// Neither kept nor taken back: the host must not commit it.
			return errors.Join(err, t.tx.Rollback())
		}
	}
	_, release := t.tx.ExecContext(context.WithoutCancel(ctx), "RELEASE SAVEPOINT hub_apply")
	return errors.Join(err, release)
}

// call runs do if the store and the transaction are open.
func (t *txStore) call(ctx context.Context, do func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := t.store.gate.enter(); err != nil {
		return err
	}
	defer t.store.gate.leave()
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if t.closed {
		return storage.ErrClosed
	}
	during := ctx
	if !t.store.dialect.remote {
		during = context.WithoutCancel(ctx)
	}
	err := do(during)
	if errors.Is(err, sql.ErrTxDone) {
		return storage.ErrClosed
	}
	if t.store.dialect.remote {
		return told(ctx, err)
	}
	return err
}

// Close implements storage.Store. It waits for a call under way and leaves the transaction
// to the host.
func (t *txStore) Close() error {
	t.turn <- struct{}{}
	t.closed = true
	<-t.turn
	return nil
}
