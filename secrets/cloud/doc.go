// Package cloud seals with the key services of AWS, Google Cloud and Azure, and fetches from
// secret managers, by URL, through gocloud.dev.
//
// # Keys
//
// [Open] makes a secrets.Keeper of keys, each an id of the host's choosing and a URL:
//
//	awskms://alias/hub?region=eu-central-1
//	gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K
//	azurekeyvault://NAME.vault.azure.net/keys/K
//	base64key://…                                  32 bytes in the URL itself: for tests
//
// The service wraps a data key only, so its limits on sizes do not matter; text and
// associated data are bound to it by AES-256-GCM, and the whole to a checksum, so that what
// is damaged is recognised without a call. Versions within a key are the service's own
// affair. To move to another key, open with the new one first and the old one behind it.
//
// # Secrets
//
// [NewSource] makes a secrets.Source of a URL in which {} stands for the locator:
//
//	awssecretsmanager://{}?region=eu-central-1&decoder=string
//	gcpsecretmanager://projects/P/secrets/{}?decoder=string
//	file:///run/secrets/{}?decoder=string
//
// Azure has keys only: gocloud.dev reads no secrets from Azure Key Vault. A Source of the
// host's own, one method over Azure's SDK, fills the gap.
//
// Credentials come from where the SDK of each service looks for them. Its connections are the
// host application's own, and outside of the hub's guard.
//
// # What was tested
//
// The tests run on base64key:// and file://, which need no service. Beyond that they open the
// URLs of keys of AWS and Azure, without a call, and take the templates of secrets of AWS and
// Google Cloud; they do not open gcpkms://, which looks for credentials at once. Nobody has run
// any of them against its service yet. With credentials in place, this proves a key and a
// secret of yours, whose value must be "value":
//
//	cd secrets/cloud
//	HUB_TEST_KMS_URL='awskms://alias/hub?region=eu-central-1' \
//	HUB_TEST_SECRET_URL='awssecretsmanager://{}?region=eu-central-1&decoder=string' \
//	HUB_TEST_SECRET_NAME=hub-test go test -count=1 ./...
package cloud
