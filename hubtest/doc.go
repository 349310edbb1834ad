// Package hubtest helps to test code that calls third-party applications.
//
// A [Server] is a programmable upstream: a real TLS server on loopback, in the same
// process, with a certificate from a private authority of its own. It answers as it was
// told to and remembers what it was asked:
//
//	srv := hubtest.NewServer(t)
//	srv.Handle("POST /tickets", hubtest.Sequence(
//		hubtest.Status(503).RetryAfter(1),
//		hubtest.JSON(201, map[string]any{"id": 42}),
//	))
//	// … code under test calls srv.URL and trusts srv.CA() …
//	sent := srv.Requests()
//
// # Answers
//
// [Status], [Text], [JSON], [Bytes] and [Token] make an [Answer]; its methods add headers, a
// delay or a fault. [Drop] and [Hang] never answer. [Sequence] gives one answer after the
// other. All of them are [net/http.Handler]s, so anything else is a handler of your own.
//
// # Identity
//
// The server's certificate is valid for 127.0.0.1, ::1, localhost, *.localhost, example.com
// and *.example.com. Only clients that trust [Server.CA] connect. A client certificate is
// asked for and recorded, whoever issued it; [Server.RequireClientCert] insists on one
// made by [Server.ClientCert].
package hubtest
