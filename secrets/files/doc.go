// Package files is a read-only secrets.Vault, and a secrets.Source, over a directory of
// files: what Kubernetes mounts of its Secrets, what Docker and systemd hand to a process.
//
// # Layout
//
// Each secret is a file, in a folder of its connector, in a folder of its tenant:
//
//	tenant acme, connector crm-eu, secret clientSecret   DIR/acme/crm-eu/clientSecret
//	no tenant, connector desk, secret api_key            DIR/@/desk/api_key
//
// So a Kubernetes Secret whose keys are named like the secrets is mounted as the folder of
// its connector. In the names of folders the bytes a to z, 0 to 9, "_" and "-" stand for
// themselves, in those of files A to Z and, but for the first byte, "." as well; every other
// byte is "%" and two hexadecimal digits in capitals. The code can be read back in one way
// only, and in folders it does without capitals: no tenant reaches the file of another one,
// also where the file system does not tell cases apart. [Vault.Path] returns the name.
//
// As a Source the vault takes the path of a file below DIR for a locator, as it stands.
//
// # Reading
//
// A file is read at each call, so a change shows at once; nothing watches, and nothing is
// kept. The symbolic links by which Kubernetes exchanges all files of a Secret at once are
// followed; a link that leads out of DIR is not. A file that is written while it is read is
// read again. Files that everybody may write to, and what is no regular file, are refused.
package files
