package tokens_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"time"

	"golang.org/x/oauth2"
)

// plain is the same workload without a hub: golang.org/x/oauth2, as it is used.
func plain(ctx context.Context, target string, ca []byte) (func(context.Context) error, error) {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}, Timeout: time.Minute}
	config := oauth2.Config{ClientID: "hub", Endpoint: oauth2.Endpoint{TokenURL: target, AuthStyle: oauth2.AuthStyleInParams}}
	source := config.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, client), &oauth2.Token{RefreshToken: seed})
	return func(context.Context) error {
		_, err := source.Token()
		return err
	}, nil
}
