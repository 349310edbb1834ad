// Package riverqueue runs calls of a hub that must outlive the process: a queue in PostgreSQL,
// worked by River (https://riverqueue.com).
//
//	q, err := riverqueue.New(ctx, h, keeper, pool, nil)
//	added, err := q.Enqueue(ctx, "acme", hub.BatchCall{Key: "order-17", Call: hub.Call{…}})
//	err = q.Start(ctx) // in the processes that work
//	e, err := q.Wait(ctx, "acme", "order-17")
//	fmt.Println(e.Outcome, e.Answer.Outputs["number"])
//
// A call is enqueued once for each key of its tenant, also inside a transaction of the host
// application ([Queue.EnqueueTx]): then it is there if, and only if, the transaction is.
//
// # Outcomes
//
// Every call ends with an [Outcome], whatever dies meanwhile. Before the first byte of a call is
// sent, a worker commits a mark: from now on the third party may hear of it. A worker that
// finds the mark of one that vanished makes the call again only if it is idempotent, by its
// method or because Retry.Idempotent declares it, and then with the same idempotency key.
// Otherwise the outcome is [Unknown]: the call may have had its effect, nobody knows, and it is
// never sent again. A worker that was only slow, and knows after all, writes the outcome
// down over it. People or a program of the host look such calls up ([Queue.List]).
//
// Unknown is also how a call ends that is not idempotent and that was sent without an answer:
// its deadline passed, or the connection broke.
//
// # Retries
//
// A call that failed is made again if that could help ([hub.Error].Retryable) and cannot have its
// effect twice ([hub.Error.Repeatable]): after the time that the third party named, or after
// a growing, random pause. What the hub itself did not let out, because it is busy, closed or
// without its store, over a rate, or the circuit is open, does not count as an attempt.
//
// # What is kept
//
// Payloads and answers are sealed by the keeper, bound to their tenant and key; the names of
// tenant, connector, request and the key itself lie in plain text. A payload is erased when
// its call has ended, the rest after Options.Retention. A key of the keeper can be destroyed
// once [Queue.Sealed] says that nothing needs it.
//
// # The schema
//
// The tables are in a schema of their own, "hub_queue". Do not point another River client at it:
// River's leader takes jobs of a kind that it does not know for lost when their worker dies.
// Rescuing the calls of a worker that died takes Options.CallTimeout and a minute, because
// that is how long a living one may need.
package riverqueue
