package vault

import "net/http"

// NewOver returns a client that reaches its server by rt instead of connections.
func NewOver(config Config, rt http.RoundTripper) (*Client, error) {
	base, err := config.base()
	if err != nil {
		return nil, err
	}
	return newClient(config, base, rt), nil
}
