// Package egress is the one guarded way out of the process for everything that users
// influence: calls, tests, tokens, discovery.
//
// # What is decided where
//
// The name of a host is decided when a definition is written and again when a request is
// sent: [CanonicalHost] and [ParseURL] give every spelling of a host one form, and [Rules]
// say which of these hosts a connector may call. The form that was compared is the form
// that is resolved, dialled, sent as SNI and sent as Host.
//
// The address is decided at the moment of connecting and never before. A name is resolved
// once per connection, every answer is checked, one refused answer fails the dial, and the
// socket itself checks the literal address again before it connects. A name that changes
// its mind between two look-ups gains nothing.
//
// What is open beyond HTTPS to public addresses on port 443 is the host application's
// choice, in [Policy]. The addresses of metadata services are never open.
//
// # Connections
//
// [Egress.Transport] pools connections per [Identity]: two identities share neither a
// connection nor a TLS session. No proxy is taken from the environment, no redirect is
// followed by a client of [NewClient], and certificates are always verified.
//
// # Nothing is sent twice behind the caller's back
//
// A request whose method is not GET, HEAD, OPTIONS or TRACE is written to a connection at
// most once by one RoundTrip, whatever headers it carries. net/http by itself repeats some
// of them when a kept connection turns out to be dead.
//
// # One text for what cannot be reached
//
// A closed port, a filtered one, an unknown name and a refused address all read
// "host unreachable", so that nobody maps a network by trying. [Unreachable] recognises
// them, and the fields of [Refusal] say more to the host application's log.
package egress
