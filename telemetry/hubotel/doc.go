// Package hubotel tells OpenTelemetry of the calls of a hub: traces and metrics by its semantic
// conventions for HTTP clients.
//
//	tel, err := hubotel.New(nil)
//	h, err := hub.New(store, keys, &hub.Options{Tracer: tel})
//
// # Traces
//
// A call is a span of kind internal, named after its operation: "hub.Execute". Each attempt
// is a span of kind client below it, named after verb and path as they are defined: "PUT
// /things/{{id}}". An authentication that the call set off is a call of its own, below it.
// An attempt is recorded if its call is.
//
// hub.call.not_repeated, on the span of a call that failed or for whose answer something stood
// in, says why it was not sent again, in the words of [hub.NotRepeated].
//
// A call for whose answer something stood in is a success: hub.substitute says what it was, and
// hub.substitute.cause, on its span, the code of the failure. Its attempts show theirs.
//
// Spans carry the names of tenant, connector and request; values of a payload, answers,
// secrets and filled URLs reach no span. Therefore there is no url.full, which the conventions
// ask for: url.template has the path of the definition, with its references, and
// server.address the entry of the connector's Hosts that the call went to, a wildcard as
// a wildcard.
//
// # Metrics
//
//	http.client.request.duration  s          histogram: each attempt, by http.request.method,
//	                                         http.response.status_code and error.type
//	hub.call.duration             s          histogram: each call, by hub.operation, hub.branch,
//	                                         hub.substitute and error.type
//	hub.call.retries              {attempt}  counter: attempts beyond the first of a call, by
//	                                         hub.operation
//	hub.token.renewals            {renewal}  counter: authentications sent for a token, by
//	                                         error.type
//	hub.call.not_repeated         {call}     counter: calls that another attempt might have mended, by
//	                                         hub.operation and the reason, hub.call.not_repeated
//	hub.circuit.changes           {change}   counter: circuits that opened or closed, by
//	                                         hub.circuit.state
//	hub.auth.changes              {change}   counter: connectors whose authentication got better or
//	                                         worse, by hub.auth.state
//
// What a hub as a whole is like ([hub.Stats]) is asked when metrics are collected, of all hubs that
// have this Tracer and are open, and told as their sum:
//
//	hub.call.active     {call}     up-down counter: calls, by hub.call.state: running, held (for
//	                               a rate limit, or by an answer to another call), queued
//	                               (for a place)
//	hub.call.max        {call}     up-down counter: calls that may run at once, of hubs with a limit
//	hub.call.waits      {call}     counter: calls that had to wait for a place
//	hub.call.wait_time  s          counter: how long they did
//	hub.circuit.count   {circuit}  up-down counter: circuits, by hub.circuit.state: closed, open,
//	                               half-open
//	hub.origin.held     {origin}   up-down counter: origins to which calls are held by an answer
//
// Each label comes from a list that the program knows, so however many tenants, connectors
// and payloads there are, the series are few. That is why server.address and server.port are
// left out, which the conventions ask for: tenants choose hosts. A status that is not
// registered counts as the x00 of its class (RFC 9110 section 15). [Options].MetricAttributes
// adds labels of yours to what is counted by event.
//
// # Propagation
//
// By default nothing is sent along. [Options].Propagate says which third parties get a
// traceparent header.
package hubotel
