// Package sign signs HTTP requests with a shared key: by a canonical string that a definition
// declares (HMAC, RFC 2104), and by AWS Signature Version 4.
//
// A signature covers the request as it is about to be sent, so it is made anew for each
// attempt, after everything else is settled. Nothing here reads a clock or draws randomness.
package sign
