// Package token keeps the life of a connector's tokens: one renewal per expiry, however many
// callers, goroutines and instances ask, fenced by nothing but the host's own store.
//
// # One renewal
//
// A call for a token goes through these steps, and stops at the first that yields one:
//
//  1. the memory of the process; a token that is due for renewal still serves, while one
//     renewal runs in the background;
//  2. the renewal that is under way in this process: each caller waits on its own ctx, the
//     renewal itself on nobody's;
//  3. the record in the store: another instance may have been faster;
//  4. the lease: the record is rewritten by compare-and-swap to say who is about to send
//     what, before anything is sent; whoever loses polls the record;
//  5. the call, its answer written to the record, and only then used.
//
// # When a holder vanishes
//
// A lease counts as lost when the record has not moved for the lease's life by the clock of
// whoever waits; the wall clocks of instances are not compared. If the answer to the lost
// call may have replaced a refresh token, the call is not sent again: a holder that was
// stopped, not killed, may still have the answer, and a server that detects the reuse of
// a refresh token revokes them all. The grant is flagged as in need of re-authentication
// instead, and a holder that wakes up with the answer lifts the flag. Only where the server
// is known to forgive a repetition for some time, the declared grace, the call is repeated.
//
// # The record
//
// One record of kind "grant" per connector: which attempt is under way and whose it is, the
// state, and the grant itself, sealed whole. A record that is moved to another connector or
// tenant does not open.
package token
