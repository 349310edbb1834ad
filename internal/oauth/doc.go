// Package oauth builds what OAuth 2.0 clients send and reads what servers answer: token
// requests of every grant (RFC 6749, 7523, 8628, 8693), client authentication (RFC 6749
// section 2.3, RFC 7523, RFC 8705), PKCE (RFC 7636), proof of possession (RFC 9449), server
// metadata (RFC 8414, OpenID Connect Discovery). It sends nothing, reads no clock and keeps
// nothing.
//
// Errors hold nothing of keys, tokens and answers.
package oauth
