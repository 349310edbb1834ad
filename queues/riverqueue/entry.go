package riverqueue

import (
	"net/http"
	"time"

	"github.com/integrationhub/hub"
)

// State says how far a call has come.
type State string

// The states.
const (
	Waiting State = "waiting" // not sent, or to be made again
	Started State = "started" // the third party may have heard of it
	Ended   State = "ended"   // it has an Outcome
)

// Outcome says how a call ended.
type Outcome string

// The outcomes.
const (
	// Succeeded: an answer came, and it counts as success.
	Succeeded Outcome = "succeeded"
	// Failed: the call did not succeed, and [Entry].Failure says why.
	Failed Outcome = "failed"
	// Unknown: the call may have had its effect, and no answer says whether. It is not
	// sent again.
	Unknown Outcome = "unknown"
)

// Entry is a call in a queue. It belongs to the caller.
type Entry struct {
	Tenant, Key        string
	Connector, Request string

	State   State
	Outcome Outcome  // empty until State is Ended
	Code    hub.Code // of the failure, for lists; Abandoned if there is nobody to say more
	// Attempts counts how often the call was made.
	Attempts int
	// Canceled tells that [Queue.Cancel] was asked to end it.
	Canceled bool

	// Enqueued, Started and Ended are when that happened, by the database's clock; zero:
	// it has not. Started is when it was last about to be sent.
	Enqueued, Started, Ended time.Time

	// Answer is the last answer, if one came; [Queue.List] leaves it out.
	Answer *Answer
	// Failure says why the call failed or is unknown; [Queue.List] leaves it out.
	Failure *Failure
}

// Abandoned is the code of a call whose worker died and that is not made again.
const Abandoned hub.Code = "abandoned"

// Answer is what is kept of an answer.
type Answer struct {
	Status int         `json:"status"`
	Header http.Header `json:"header,omitempty"`
	Body   []byte      `json:"body,omitempty"`
	// Cut tells that the body was larger than Options.AnswerBytes: it is not kept.
	Cut bool `json:"cut,omitempty"`
	// Outputs are as in hub.Result.
	Outputs map[string]any `json:"outputs,omitempty"`
}

// Failure is what is kept of an error of the hub.
type Failure struct {
	Code    hub.Code `json:"code"`
	Message string   `json:"message"`
	Status  int      `json:"status,omitempty"`
	// Sent tells that a byte of the last attempt may have reached the third party.
	Sent bool `json:"sent,omitempty"`
}

// Error returns the message. It names things and rules, never values.
func (f *Failure) Error() string { return f.Message }

// Unwrap makes the code recognisable to errors.Is.
func (f *Failure) Unwrap() error { return f.Code }
