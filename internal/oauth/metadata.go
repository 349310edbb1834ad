package oauth

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
)

// Metadata is what a server says of itself (RFC 8414 section 2).
type Metadata struct {
	Issuer                string `json:"issuer"`
	TokenEndpoint         string `json:"token_endpoint"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	DeviceEndpoint        string `json:"device_authorization_endpoint"`
	// SaysIssuer tells that authorization answers carry iss (RFC 9207).
	SaysIssuer bool `json:"authorization_response_iss_parameter_supported"`
	// MTLS are the endpoints for clients that authenticate by a certificate, where they
	// are others (RFC 8705 section 5).
	MTLS struct {
		TokenEndpoint  string `json:"token_endpoint"`
		DeviceEndpoint string `json:"device_authorization_endpoint"`
	} `json:"mtls_endpoint_aliases"`
}

// ForTLS returns the metadata for a client that shows a certificate: aliases take the place of
// the endpoints that they stand for.
func (m *Metadata) ForTLS() *Metadata {
	c := *m
	c.TokenEndpoint = cmp.Or(m.MTLS.TokenEndpoint, m.TokenEndpoint)
	c.DeviceEndpoint = cmp.Or(m.MTLS.DeviceEndpoint, m.DeviceEndpoint)
	return &c
}

// Places returns where the metadata of an issuer may be: OpenID Connect Discovery section 4
// appends to the issuer's path, RFC 8414 section 3.1 puts the well-known part before it.
func Places(issuer *url.URL) []*url.URL {
	path := strings.TrimSuffix(issuer.EscapedPath(), "/")
	oidc, oauth := *issuer, *issuer
	setPath(&oidc, path+"/.well-known/openid-configuration")
	setPath(&oauth, "/.well-known/oauth-authorization-server"+path)
	return []*url.URL{&oidc, &oauth}
}

func setPath(u *url.URL, escaped string) {
	u.RawQuery, u.Fragment, u.RawFragment = "", "", ""
	if plain, err := url.PathUnescape(escaped); err == nil {
		u.Path, u.RawPath = plain, escaped
	}
}

// Errors of ReadMetadata.
var (
	ErrMetadata = errors.New("the server's metadata cannot be read")
	ErrIssuer   = errors.New("the server's metadata names another issuer")
)

// ReadMetadata reads a metadata document; its issuer must be the one asked for, to the letter
// (RFC 8414 section 3.3).
func ReadMetadata(body []byte, issuer string) (*Metadata, error) {
	m := &Metadata{}
	if err := json.Unmarshal(body, m); err != nil {
		return nil, ErrMetadata
	}
	if m.Issuer != issuer {
		return nil, ErrIssuer
	}
	return m, nil
}

// AuthorizationURL adds parameters to an authorization endpoint, which may have a query of
// its own (RFC 6749 section 3.1).
func AuthorizationURL(endpoint *url.URL, params url.Values) string {
	u := *endpoint
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += params.Encode()
	return u.String()
}
