package transport

import "context"

// Kind is why an attempt yielded no whole answer. The values are stable and
// fit for metrics.
type Kind string

const (
	// Timeout: the deadline of the context passed.
	Timeout Kind = "timeout"
	// Canceled: the context was cancelled.
	Canceled Kind = "canceled"
	// Invalid: the request is not one that HTTP can carry; nothing was tried.
	Invalid Kind = "invalid"
	// Prepare: Request.Prepare failed; nothing was sent in this attempt.
	Prepare Kind = "prepare"
	// Held: Request.Gate let no attempt pass; nothing was sent.
	Held Kind = "held"
	// Refused: the policy of the way out forbids the scheme, port or host of the
	// URL; nothing was tried.
	Refused Kind = "refused"
	// Unreachable: there was no connection, be it refused by the peer, by
	// policy, by DNS or by a dial timeout; the four are not told apart.
	Unreachable Kind = "unreachable"
	// TLS: the handshake failed, be it for the certificate or the protocol.
	TLS Kind = "tls"
	// Read: the connection broke before the answer was whole.
	Read Kind = "read"
	// Protocol: what came is not HTTP, or not an answer.
	Protocol Kind = "protocol"
	// HeaderTooLarge: the header passed Limits.HeaderBytes.
	HeaderTooLarge Kind = "header-too-large"
	// TooLarge: the body passed Limits.WireBytes or Limits.DecodedBytes.
	TooLarge Kind = "too-large"
	// Bomb: the body passed Limits.Ratio.
	Bomb Kind = "bomb"
	// Stalled: nothing of a body that was passed on arrived for Stream.Stall.
	Stalled Kind = "stalled"
	// Aborted: what the caller handed over failed: its Sink, or its Upload.
	Aborted Kind = "aborted"
	// Encoding: the body has a content coding other than gzip, deflate, br and
	// zstd, more than one, or is not what its coding says.
	Encoding Kind = "encoding"
)

// text gives each Kind its sentence, in words that hold nothing of the call.
func (k Kind) text() string {
	switch k {
	case Timeout:
		return "no answer before the deadline"
	case Canceled:
		return "the call was canceled"
	case Invalid:
		return "the request is not valid HTTP"
	case Prepare:
		return "the request could not be authorized"
	case Held:
		return "no attempt may be made for now"
	case Refused:
		return "the request is not allowed out"
	case Unreachable:
		return "the host cannot be reached"
	case TLS:
		return "no secure connection could be agreed on"
	case Read:
		return "the connection broke before the answer was complete"
	case Protocol:
		return "the answer is not valid HTTP"
	case HeaderTooLarge:
		return "the header of the answer is too large"
	case TooLarge:
		return "the body of the answer is too large"
	case Bomb:
		return "the body of the answer expands out of proportion"
	case Stalled:
		return "the answer began, and no more of it came"
	case Aborted:
		return "what the caller handed over failed"
	case Encoding:
		return "the content coding of the answer cannot be decoded"
	}
	return "the call failed"
}

// Failure is the error of an attempt. Its text depends on Kind alone.
type Failure struct {
	// Kind is the reason.
	Kind Kind
	// Sent says that a byte of the request may have reached the server, in
	// this attempt or an earlier one.
	Sent bool

	// The causes sit behind a closure so that no format verb or encoder
	// prints what a server or resolver wrote.
	cause func() (shown, hidden error)
}

func newFailure(kind Kind, shown, hidden error) *Failure {
	return &Failure{Kind: kind, cause: func() (error, error) { return shown, hidden }}
}

// Error returns the sentence of the Kind.
func (f *Failure) Error() string { return f.Kind.text() }

// Unwrap returns what errors.Is and errors.As may find: for Timeout
// context.DeadlineExceeded, for Canceled context.Canceled and the cause of the
// cancellation, for Prepare the error of Request.Prepare, for Held that of
// Request.Gate, for Aborted the caller's own, for Refused the *egress.Refusal.
func (f *Failure) Unwrap() []error {
	shown, _ := f.causes()
	switch f.Kind {
	case Timeout:
		return []error{context.DeadlineExceeded}
	case Canceled:
		return []error{context.Canceled, shown}
	case Prepare, Held, Refused, Aborted:
		return []error{shown}
	}
	return nil
}

// Cause returns the error of the RoundTripper or decoder, nil if there was
// none. It serves to recognise a type with errors.As; its text is foreign, may
// name addresses and quote the server, and must not be shown.
func (f *Failure) Cause() error {
	_, hidden := f.causes()
	return hidden
}

func (f *Failure) causes() (shown, hidden error) {
	if f.cause == nil {
		return nil, nil
	}
	return f.cause()
}
