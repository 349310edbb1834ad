package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"time"

	"github.com/integrationhub/hub/bench/internal/job"
)

// idle is how many connections each peer may keep: more than there are ever callers. With
// net/http's own 2 most callers would connect anew for each call.
const idle = 256

// transport is a well-tuned way to a target, the same for all that take one.
func transport(target job.Target) (http.RoundTripper, error) {
	if target.Stub != nil {
		return target.Stub, nil
	}
	config, err := tlsConfig(target)
	return &http.Transport{
		TLSClientConfig: config, MaxIdleConns: 2 * idle, MaxIdleConnsPerHost: idle, IdleConnTimeout: 90 * time.Second,
	}, err
}

func tlsConfig(target job.Target) (*tls.Config, error) {
	pool := x509.NewCertPool()
	if target.CA != "" && !pool.AppendCertsFromPEM([]byte(target.CA)) {
		return nil, errors.New("the target's certificate cannot be read")
	}
	return &tls.Config{RootCAs: pool}, nil
}
