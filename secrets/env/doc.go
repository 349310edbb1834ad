// Package env is a read-only secrets.Vault over environment variables, for hosts whose
// secrets are set by their deployment.
//
// # Names
//
// The variable of a secret is named by the prefix, the tenant, the connector and the
// secret's name, with "_0" between the three:
//
//	tenant acme, connector crm-eu, secret clientSecret   HUB_SECRET_ACME_0CRM_1EU_0CLIENT_SECRET
//	no tenant, connector desk, secret api_key            HUB_SECRET__0DESK_0API__KEY
//
// Within each:
//
//	a to z, 0 to 9    A to Z, 0 to 9
//	A to Z            an underscore before it: _A to _Z
//	_                 __
//	-                 _1
//	any other byte    _2 and two hexadecimal digits in capitals: a space is _220
//
// The code can be read back in one way only, so no two secrets share a variable, and no
// tenant, whatever its connectors and secrets are called, reaches a variable of another
// tenant or one outside the prefix. As all letters are capitals, this holds on systems that
// do not tell cases apart, too. [Vault.Variable] returns the name to set.
package env
