package transport

import (
	"net/http"
	"time"

	"github.com/integrationhub/hub/internal/egress"
)

// Answer is what the server said. It belongs to the caller.
type Answer struct {
	// Status is the code of the final response, 200 to 999.
	Status int
	// Header is the header as received, but for what no longer holds: of a
	// body that was decompressed Content-Encoding and Content-Length are gone,
	// of a text in another charset the Content-Type says UTF-8.
	Header http.Header
	// Trailer came after the body; it is nil where there was none.
	Trailer http.Header
	// Body is the whole body, decompressed, and a text in UTF-8 without a byte
	// order mark. It is nil if Incomplete.
	Body []byte
	// Passed says that the body went to a Sink. Body is nil then.
	Passed bool
	// Incomplete says that the body could not be read; Outcome.Err of the
	// attempt says why. Status and Header hold.
	Incomplete bool
}

// Attempt is what happened in one attempt.
type Attempt struct {
	// Start is when it began, by the client's clock.
	Start time.Time
	// Wait is the pause before Start, zero for the first attempt.
	Wait time.Duration
	// Duration runs from Start to the end of the body or to the failure.
	Duration time.Duration
	// Status is that of the answer, zero if none came.
	Status int
	// Kind is why it failed, empty if it did not.
	Kind Kind
	// Ruling is the name of what Policy.Judge made of the answer.
	Ruling string
	// Address is the class of the address of the last connection it got;
	// egress.Invalid if it got none, or one without an IP address.
	Address egress.Class
	// Sent says that a byte of the request may have reached the server. False
	// is a promise: none did.
	Sent bool
	// Reused says that the last connection it got had served before.
	Reused bool
	// Resends is how often net/http changed to another connection within the
	// attempt: for a safe method (GET, HEAD, OPTIONS, TRACE) without a body
	// when a reused connection turned out to be closed before an answer
	// began; for any other request only while its header was not written.
	Resends int
	// BytesOut is the size of the request body if Sent.
	BytesOut int64
	// BytesIn is how much of the answer's body arrived, as it was on the wire.
	BytesIn int64
}

// Outcome is all that is known after the last attempt.
type Outcome struct {
	// Answer is the last answer of any attempt, nil if there was none. It
	// stays when a later attempt fails.
	Answer *Answer
	// Attempts has one entry per attempt, in order.
	Attempts []Attempt
	// RetryAt is when another attempt makes sense, if the call ended before
	// that time: the server's Retry-After, or the end of a wait that did not
	// fit under the deadline. Zero if nothing is known.
	RetryAt time.Time
	// Stop is why the last attempt was not followed by another; empty if there was none, or
	// if another could not have mended how it ended. HeldBy is the gate's error if it is
	// StopHeld.
	Stop   Stop
	HeldBy error
	// Err is nil or a *Failure: how the last attempt, or the wait after it, ended.
	Err error
}

// Sent says that a byte of the request may have reached the server in any attempt.
func (o *Outcome) Sent() bool {
	for i := range o.Attempts {
		if o.Attempts[i].Sent {
			return true
		}
	}
	return false
}
