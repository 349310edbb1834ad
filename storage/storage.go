// Package storage is the contract between the hub and the place that keeps its records.
//
// A [Store] keeps records, not meaning: the hub validates, encodes, seals and counts
// revisions; a store finds records by key, name, search key and label, and applies changes
// all or none. Package storagetest turns every sentence of this contract into a check;
// a store that passes it can be handed to hub.New.
//
// Whoever writes a store finds the rules that every store needs ready made: [CheckKey],
// [CheckQuery] and [CheckChanges] refuse what the contract refuses, [Record.Normal] gives a
// record the form in which it is kept, [Query.Cursor] and [Query.Position] make and read page
// cursors, [PrefixEnd] turns a prefix into a range.
package storage

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limits of the contract. A store refuses what exceeds them with [ErrInvalid] and stores
// everything within them unchanged.
const (
	MaxData      = 1 << 20  // bytes of Record.Data
	MaxKeyPart   = 255      // bytes of Tenant, Kind, ID, Parent, Name, and of a label's Key or Value
	MaxSearch    = 1024     // bytes of Record.Search
	MaxLabels    = 128      // labels of one record
	MaxChanges   = 128      // changes of one Apply
	MaxPage      = 1000     // records of one page
	DefaultPage  = 100      // records of a page when Query.Limit is zero
	MaxPageBytes = 16 << 20 // Data of one page, its last record apart
)

// Sentinels. A store wraps them, so errors.Is finds them; any other error means that the
// store could not answer (closed, full, unreachable) and says nothing about the records.
var (
	ErrNotFound = errors.New("record not found")
	ErrConflict = errors.New("record has another revision")
	ErrExists   = errors.New("record or name exists already")
	ErrInvalid  = errors.New("invalid argument")
	ErrClosed   = errors.New("store is closed")
)

// Store keeps records. All methods are safe for concurrent use by many goroutines and, if
// the store is shared, by many processes.
//
// Every method that takes a ctx returns promptly with an error that wraps ctx.Err() once
// ctx has ended, and then has changed nothing or everything; called with an ended ctx it
// does nothing. Byte slices and label slices are copied on the way in and on the way out:
// neither side sees the other's later writes. Strings hold any bytes but NUL, valid UTF-8
// or not, and are compared as bytes: no case folding, no normalisation, no trimming.
type Store interface {
	// Get returns the record stored under key, or ErrNotFound.
	Get(ctx context.Context, key Key) (Record, error)

	// List returns one page of the records that match q. See [Query] for order and
	// paging. No match is an empty page, not an error.
	List(ctx context.Context, q Query) (Page, error)

	// Apply makes all changes, in order, or none. It returns nil only when the changes
	// are durable: they survive the death of the process and, where the medium
	// allows, of the machine. Readers see all of them or none.
	//
	// A failed change is reported as *[ChangeError] with its index: ErrExists when a
	// Create finds its key, or any change its name, taken; ErrNotFound when an Update or
	// Delete finds no record; ErrConflict when it finds another revision than the
	// expected one. Of several racing Applies that expect the same revision of a
	// record, one wins.
	//
	// A name that one change frees may be taken by a later one of the same Apply. Two
	// changes of one key are refused with ErrInvalid. No changes are no error.
	Apply(ctx context.Context, changes ...Change) error

	// Close releases what the store holds. It waits for calls under way. After Close
	// every method fails with ErrClosed; closing again does nothing.
	Close() error
}

// Key identifies a record. Tenant may be empty; Kind and ID may not.
type Key struct {
	Tenant string
	Kind   string
	ID     string
}

// String returns the key for messages: kind and id, and the tenant if there is one.
func (k Key) String() string {
	if k.Tenant == "" {
		return fmt.Sprintf("%s %q", k.Kind, k.ID)
	}
	return fmt.Sprintf("%s %q of tenant %q", k.Kind, k.ID, k.Tenant)
}

// Record is what a store keeps. The hub chooses every field; the store interprets none.
type Record struct {
	Key

	// Parent is the scope of Name; it may be empty.
	Parent string
	// Name is unique within (Tenant, Kind, Parent). Empty: the record has no name, and
	// any number of records may have none.
	Name string
	// Search is what List orders by and what Query.Prefix is compared with.
	Search string
	// Labels are what List can filter by. Their order does not matter and is not kept;
	// a label given twice is kept once.
	Labels []Label
	// Revision is positive. Each Update must bring a greater one than it expects.
	Revision int64
	// Updated is kept to the microsecond, in UTC; its year is 1 to 9999.
	Updated time.Time
	// Data is opaque, at most MaxData bytes. Nil and empty are the same.
	Data []byte
}

// Label is a key and a value that a record can be listed by.
type Label struct {
	Key, Value string
}

// Query selects records.
//
// The page is ordered by (Search, ID), compared as bytes; with Everywhere by
// (Tenant, Kind, ID). A record that exists unchanged while pages are read appears
// exactly once, whatever is written meanwhile.
type Query struct {
	Tenant string
	Kind   string // required, unless Everywhere
	Parent string // compared exactly, also when empty

	// Everywhere disregards Tenant and Parent, and Kind if it is empty: maintenance
	// (re-sealing, copying) walks all records. Name, Prefix and Labels must be empty.
	Everywhere bool

	Name   string  // if not empty: only the record of exactly this name
	Prefix string  // only records whose Search begins with it
	Labels []Label // only records that have all of them

	// Limit is the most records in the page; zero means DefaultPage, more than MaxPage
	// means MaxPage, less than zero is refused. A page may hold fewer: only an empty
	// Next tells the end.
	Limit int
	// After is the Next of the page before, opaque; empty for the first page. One that
	// the store did not make for this query (Limit apart) is refused with ErrInvalid.
	After string
}

// Page is one page of a List.
type Page struct {
	Records []Record
	Next    string // what to pass as Query.After; empty on the last page
}

// Action is what a change does.
type Action string

// The actions.
const (
	ActionCreate Action = "create"
	ActionUpdate Action = "update"
	ActionDelete Action = "delete"
)

// Change is one step of an Apply. Make it with [Create], [Update] or [Delete].
type Change struct {
	Action Action
	Record Record // of a delete, only the Key counts
	Expect int64  // revision that must be stored; zero for a create
}

// Create stores a record whose key and name must be free.
func Create(r Record) Change { return Change{Action: ActionCreate, Record: r} }

// Update replaces the record of the same key, which must have the revision expect.
func Update(r Record, expect int64) Change {
	return Change{Action: ActionUpdate, Record: r, Expect: expect}
}

// Delete removes the record, which must have the revision expect.
func Delete(k Key, expect int64) Change {
	return Change{Action: ActionDelete, Record: Record{Key: k}, Expect: expect}
}

// ChangeError says which change of an Apply failed, and why.
type ChangeError struct {
	Index int // position among the changes
	Key   Key
	Err   error // wraps one of the sentinels
}

// Error names the change and the reason, never data.
func (e *ChangeError) Error() string {
	return fmt.Sprintf("change %d (%s): %v", e.Index, e.Key, e.Err)
}

// Unwrap returns Err.
func (e *ChangeError) Unwrap() error { return e.Err }
