// Package keyset is a secrets.Keeper that needs no service: its keys are in a file, an
// environment variable or memory.
//
// [OpenOrCreate] suits a single machine: the first start makes the file, and a start that
// has lost it fails instead of making another. Processes on several machines that share a
// store must share one keyset: make the file once with [Create] and hand it to each, or
// put its content into a variable and use [FromEnv].
//
// Whoever has the keyset and the store has the secrets; whoever loses the keyset has lost
// them. Keep a copy of it, apart from the copies of the store.
//
// # Cryptography
//
// Keys have 256 random bits. Each Seal derives a key of its own with HKDF-SHA256 (RFC 5869)
// from the named key and 32 random bytes, and encrypts once with AES-256-GCM (NIST SP
// 800-38D) and a random nonce. As no derived key is used twice in practice, the bound of
// 2^32 encryptions that random nonces set to one AES-GCM key does not limit a keyset. What
// Seal makes is, in this order: 1 byte, the format, 1; 32 bytes salt; 12 bytes nonce; the
// ciphertext; 16 bytes tag.
//
// # The file
//
// A keyset is a JSON object, shown here with line breaks:
//
//	{
//	  "format": "hub-keyset-1",
//	  "primary": "k_1f0c66bb8ab4e6a2",
//	  "keys": [
//	    {"id": "k_1f0c66bb8ab4e6a2", "state": "enabled", "key": "base64 of 32 bytes"}
//	  ]
//	}
//
// An id is derived from its key, so a key that was damaged is refused when it is read. The
// state is "enabled" or "disabled"; a disabled key neither seals nor opens. Exactly one key,
// the primary, is named by KeyID; it must be enabled. The file may be read and written by
// its owner only, and its directory must not be writable by everybody (on systems with Unix
// permissions): looser ones are refused.
package keyset
