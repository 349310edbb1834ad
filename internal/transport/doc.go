// Package transport sends one rendered request and reads its answer: as many
// attempts as the policy allows, under the one deadline of the context.
//
// # What an attempt is
//
// An attempt builds the request anew, lets the caller sign it, hands it to the
// RoundTripper once, and reads the answer to its end under the caps of Limits.
// Dial, handshake, headers, body and the waits in between all count against
// the deadline of the context given to Do. The package knows no other clock
// that could end a call.
//
// # What is repeated
//
// A method that RFC 9110 §9.2.2 calls idempotent is repeated after a broken
// connection and after the statuses of the policy. Any other request is
// repeated only when no byte of it can have reached the server, or when the
// server itself asked for it: 429 or 503 with Retry-After. net/http has a
// repetition of its own; it is switched off for every request that is not
// safe (RFC 9110 §9.2.1), see Attempt.Resends.
//
// # What comes out
//
// Outcome holds the last answer, whatever happened after it, one record per
// attempt, and at most one Failure, whose text is this package's own: it never
// contains an address, a header, a query or anything that the server said.
package transport
