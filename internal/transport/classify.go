package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/textproto"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/integrationhub/hub/internal/egress"
)

// interrupted says whether and how ctx ended, Timeout or Canceled, and for the
// latter why. A deadline that has passed counts although the timer of the
// context may not have run yet: the dialer has a timer of its own.
func interrupted(ctx context.Context) (Kind, error) { return interruptedBy(ctx, time.Now()) }

// interruptedBy is interrupted for a moment by the runtime's clock that is hardly over.
func interruptedBy(ctx context.Context, now time.Time) (Kind, error) {
	if err := ctx.Err(); err != nil {
		cause := context.Cause(ctx)
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(cause, context.DeadlineExceeded) {
			return Timeout, nil
		}
		return Canceled, cause
	}
	if deadline, ok := ctx.Deadline(); ok && !now.Before(deadline) {
		return Timeout, nil
	}
	return "", nil
}

func unprepared(ctx context.Context, err error) *Failure {
	if kind, cause := interrupted(ctx); kind != "" {
		return newFailure(kind, cause, err)
	}
	return newFailure(Prepare, err, nil)
}

// classify names the error of a round trip.
func classify(ctx context.Context, err error, ev *evidence) *Failure {
	kind, cause := interrupted(ctx)
	connected, stopped := ev.state()
	switch {
	case kind != "":
	case stopped:
		kind = Read
	case !connected && refusal(err) != nil:
		kind, cause = Refused, refusal(err)
	case !connected && isTLS(err):
		kind = TLS
	case !connected:
		kind = Unreachable
	default:
		kind = answerKind(err)
	}
	return newFailure(kind, cause, err)
}

// refusal returns the decision of the policy in err, but for one on an address:
// that reads like any host that does not answer.
func refusal(err error) error {
	if r, ok := errors.AsType[*egress.Refusal](err); ok && !egress.Unreachable(err) {
		return r
	}
	return nil
}

// answerKind names an error between the first byte of the request and the end
// of the answer's header. net/http has no types for most of them; a text that
// is not known counts as Protocol.
func answerKind(err error) Kind {
	text := err.Error()
	switch {
	case strings.Contains(text, "response headers exceeded"), strings.Contains(text, "response header list larger"):
		return HeaderTooLarge
	case isSyntax(err, text):
		return Protocol
	case isBroken(err), isTLS(err), strings.Contains(text, "stream error:"), strings.Contains(text, "GOAWAY"),
		strings.Contains(text, "http: server closed idle connection"), strings.Contains(text, "http2: client conn"):
		return Read
	}
	return Protocol
}

func isSyntax(err error, text string) bool {
	var proto textproto.ProtocolError
	return errors.As(err, &proto) || strings.Contains(text, "malformed")
}

// isBroken says that err comes from a connection that ended.
func isBroken(err error) bool {
	var op *net.OpError
	var errno syscall.Errno
	return errors.As(err, &op) || errors.As(err, &errno) || isTimeout(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// isTLS says that two ends did not agree, in contrast to an end that vanished.
func isTLS(err error) bool {
	var cert *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var op *net.OpError
	switch {
	case errors.As(err, &cert), errors.As(err, &record), errors.As(err, &alert):
		return true
	case errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"):
		return true
	}
	return strings.HasPrefix(err.Error(), "tls: ")
}
