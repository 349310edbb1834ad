package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/integrationhub/hub"
)

// answered is an error of a call together with what the third party said.
type answered struct {
	error
	answer string
}

func (a answered) Unwrap() error { return a.error }

// withAnswer keeps the beginning of an answer that was no success. Known secrets are masked
// in it already; quoted it cannot act on a terminal.
func withAnswer(err error, res *hub.Result) error {
	if err == nil || res == nil || len(res.Body) == 0 {
		return err
	}
	const most = 300
	body := string(res.Body)
	if len(body) > most {
		body = strings.ToValidUTF8(body[:most], "") + "…"
	}
	return answered{err, strconv.QuoteToGraphic(body)}
}

// explain turns an error into what happened and what to do about it.
func explain(err error) string {
	var e *hub.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	var b strings.Builder
	b.WriteString(title(e))
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "\n  %-24s %s (%s)", f.Path, f.Message, f.Rule)
	}
	var a answered
	if errors.As(err, &a) {
		b.WriteString("\n  the answer: " + a.answer)
	}
	if text := advice(e); text != "" {
		b.WriteString("\n" + text)
	}
	return b.String()
}

// title says what was tried, and how it ended.
func title(e *hub.Error) string {
	text := e.Op
	if e.Connector != "" {
		text += " " + strconv.Quote(e.Connector)
	}
	if e.Request != "" {
		text += " " + strconv.Quote(e.Request)
	}
	text += ": " + string(e.Code)
	if len(e.Fields) == 0 {
		text += ": " + e.Detail()
	}
	if e.Attempts > 1 {
		text += fmt.Sprintf(" (%d attempts)", e.Attempts)
	}
	return text
}

// advice says what a person can do.
func advice(e *hub.Error) string {
	switch e.Code {
	case hub.Invalid:
		if strings.HasPrefix(fieldRoot(e), "payload") {
			return "Nothing was sent. Correct the payload, or the request's payloadSchema if that is wrong."
		}
		return "Correct the definition, and run this again."
	case hub.BadAnswer:
		return mayHaveArrived(e) + " If the answer is as it should be, correct the request's outputs."
	case hub.NotReady:
		return "Secrets are set with -secret name=VARIABLE, variables in the definition."
	case hub.Unreachable:
		return "No connection could be made, so nothing was done there. Is the server running, and is -url right?\n" +
			"Addresses that are not public are closed; -allow-loopback opens this machine's own."
	case hub.Timeout:
		return mayHaveArrived(e) + " The limit is the connector's timeout, or -timeout."
	case hub.Unauthorized:
		return "The server refuses the credentials: check the variables, and set the secret with -secret name=VARIABLE."
	case hub.Forbidden:
		return "The hub refuses to send this: see hosts of the connector and allowedHosts of the template."
	case hub.Rejected:
		return "The server understood, and says no: compare the plan above with the API's documentation."
	case hub.RateLimited:
		return "The server wants fewer calls: wait, and try again."
	case hub.Canceled:
		return "Stopped."
	}
	return ""
}

// mayHaveArrived says whether it is safe to send the request again.
func mayHaveArrived(e *hub.Error) string {
	if e.Sent {
		return "The request may have arrived: look there before you send it again."
	}
	return "The request was not sent."
}

// fieldRoot is the path of the first field.
func fieldRoot(e *hub.Error) string {
	if len(e.Fields) == 0 {
		return ""
	}
	return e.Fields[0].Path
}
