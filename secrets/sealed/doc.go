// Package sealed keeps secrets encrypted in any storage.Store, and seals other small pieces
// of data the same way.
//
// [New] makes a secrets.Vault of a store and a secrets.Keeper. [Seal] and [Open] are the
// envelope it uses, for those who keep sealed data in records of their own.
//
// # The box
//
// Each box has a data key of its own: 32 random bytes, which encrypt its content with
// AES-256-GCM and are themselves sealed by the keeper. So the keeper's key touches only
// keys, and whoever holds the store alone holds nothing. A box is, in this order:
//
//	1 byte    format: 1
//	1 byte    n, length of the key id, 1 to 255
//	n bytes   key id: the keeper's key, printable ASCII
//	2 bytes   m, length of the wrapped data key, big-endian
//	m bytes   wrapped data key: what Keeper.Seal made of the 32 bytes
//	12 bytes  nonce, random
//	… bytes   ciphertext, as long as the plaintext
//	16 bytes  tag of AES-GCM
//
// Both layers authenticate lists of texts, each text behind its length as eight bytes,
// big-endian. The keeper's layer: a constant text, the key id, the caller's texts. The
// content's layer: another constant text, the whole box before the nonce, the caller's
// texts. The constants name format 1. A box that is cut, altered in any bit, or opened with
// other texts gives secrets.ErrSealBroken, or secrets.ErrKeyNotFound if its key id is
// another one now.
//
// # The records of a vault
//
// One generation of a secret is one record of kind "secret":
//
//	Tenant  the tenant of the ref
//	ID      SHA-256 over connector, name and generation in decimal, each behind its
//	        length as above; in hexadecimal
//	Parent  the connector's id
//	Search  the name, a space, the generation as 19 digits
//	Labels  "key": the id of the keeper's key
//	Data    the box; its texts are "secret", tenant, connector, name, generation, binding
//
// So a record that is moved to another tenant, connector, name or generation, or read under
// another binding, does not open. The names of secrets are not encrypted.
//
// # What is wiped
//
// Data keys and plaintexts are overwritten after use where this package owns them. That
// shortens their stay in memory and is no more than that: the key schedule of the cipher
// and the strings of a secrets.Value stay until the garbage collector reuses their memory.
package sealed
