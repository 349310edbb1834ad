// Package vault keeps secrets in HashiCorp Vault or OpenBao, over their HTTP API.
//
// A [Client] logs in and stays logged in. From it come
//
//   - [Client.KV], a secrets.Vault over a KV engine of version 2: the hub writes the values;
//   - [Client.Fetch], which makes the client a secrets.Source for references such as
//     "vault:kv/crm#token": others write the values;
//   - [Client.Transit], a secrets.Keeper over the transit engine: the keys never leave it.
//
// # What the token needs
//
// With the engines mounted at "kv" and "transit", the prefix "hub" and the key "hub":
//
//	path "kv/data/hub/*"         { capabilities = ["create", "update", "read"] }
//	path "kv/metadata/hub/*"     { capabilities = ["list", "delete"] }
//	path "transit/keys/hub"      { capabilities = ["read"] }
//	path "transit/encrypt/hub"   { capabilities = ["update"] }
//	path "transit/decrypt/hub"   { capabilities = ["update"] }
//
// and "read" on "kv/data/…" of what references name.
//
// # Logging in
//
// The client logs in when it is first used, by [AppRole], [Kubernetes] or [JWT], or uses a
// [Token] that the host was given. It renews a token that can be renewed after two thirds of
// its life, and logs in anew when it cannot; while Vault does not answer it tries again,
// with growing pauses, until the token has run out, and the next use logs in. A request that is
// denied logs in once more, in case the token was revoked, and is repeated once.
//
// # The way out
//
// The address is the host application's own, so loopback and private addresses are open;
// those of metadata services are not, redirects are not followed, and no proxy is taken from
// the environment. Plain HTTP needs Config.AllowHTTP.
//
// # Testing against a server
//
// The tests run against a fake of the protocol, or against a server that exists:
//
//	HUB_TEST_VAULT_ADDR=http://127.0.0.1:8200 HUB_TEST_VAULT_TOKEN=root go test -count=1 ./secrets/vault
//
// CI runs them against the fake. In November 2026 they passed against HashiCorp Vault 1.21.4
// (vault server -dev), but for those about outages, tokens that run out and namespaces, which only
// the fake can play.
package vault
