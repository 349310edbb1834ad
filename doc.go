// Package hub runs calls to third-party REST applications that the users of a program have
// described, with credentials that they have entrusted to it.
//
// # Concepts
//
// A [Template] describes an application once: its verbs, its hosts, how it authenticates,
// what a form asks of whoever connects. It lives in a tenant's connection library, or comes
// with the host application ([Options].SystemTemplates).
//
// A [Connector] is a template made one's own: a name, hosts, an authentication request,
// variables, secrets and at most 10 active and 10 inactive requests.
//
// A [Request] is one configured call. A manual one is complete as it stands. A Studio one
// takes a payload: mapped, the payload fills holes in what is configured; dynamic, the
// payload itself describes the call.
//
// A secret or variable is a named value of a connector. A secret is sealed, bound to hosts,
// and never read back.
//
// The two Studio actions, ConnectAuth and ConnectRequest, are what a contact centre's
// scripts run. Each ends in a [Branch]: OnSuccess, OnError or OnTimeout.
//
// # First run
//
// A hub needs a store and a keeper of keys; both stay the caller's, to be closed after the
// hub.
//
//	store, err := sqlite.Open(ctx, "hub.db", nil)
//	keys, err := keyset.OpenOrCreate(ctx, "hub.keyset", store)
//	h, err := hub.New(store, keys, nil)
//	defer h.Close(ctx)
//
// Then, once, what to call and with which secret; and from there on, by name:
//
//	_, con, err := h.CreateTemplateAndConnector(ctx, hub.Template{…}, hub.Connector{…})
//	err = h.SetSecret(ctx, con.ID, "key", secrets.New(value))
//	res, err := h.Execute(ctx, hub.Call{Connector: "Tickets", Request: "open", Payload: payload})
//	fmt.Println(res.Outputs["number"])
//
// The first example below is a whole program. [Tenant.Readiness] says what a connector lacks
// before it can run, [Tenant.TestConnector] proves its credentials, and [Tenant.Plan] shows
// a call without sending it: every part, and where it comes from.
//
// Definitions are plain structs with a stable JSON form in camelCase. Decoding is strict: a
// member that is misspelt is an error with its path. Every update names the Revision that
// its author last read, and fails with [Conflict] if somebody was faster.
//
// # References and places
//
// A text of a definition may refer to values:
//
//	[[name]]                     a secret or variable of the connector
//	[[@auth.path]]               a value of the last authentication answer
//	{{path}}                     a value of the payload, by its gjson path
//	{{path ?? "x"}}              the same, with a JSON literal for when it is missing
//	{{path as string}}           its text where its JSON value would be put
//	\[[  \{{                     the brackets themselves (in the source of a JSON body \\[[)
//
// A missing value without a default is an error. An unknown name is refused when the
// definition is saved. There are no functions and no loops, and there is one pass: a value
// that contains {{ stays text.
//
// Where a reference stands decides how the value is written, never the author:
//
//	place                             what is written                refused
//	host of a URL                     a variable, as one DNS label;  secrets, payload values
//	                                  an origin from [[@auth.…]]
//	                                  that Hosts allows
//	path segment                      percent-encoded                empty, . and ..
//	query value, form field           percent-encoded
//	header value                      as is                          control characters
//	JSON body, "{{x}}" alone          the JSON value, type kept
//	JSON body, inside a longer text   JSON-escaped text              objects and arrays
//	multipart field                   a part of its own
//	XML body                          XML-escaped text
//	text body                         as is
//
// Names of headers and query parameters, methods and media types hold no references. URLs
// and bodies are cut into their parts before any value is put in, so a value never leaves
// its place.
//
// # Payloads
//
// A payload is one JSON text. Before anything parses it a guard refuses what harms parsers:
// size, depth, endless numbers, duplicate members, invalid UTF-8 ([Limits]). Then it is held
// against Request.PayloadSchema, a JSON Schema from draft 4 to 2020-12 that is compiled
// once, when the request is saved; nothing is loaded from files or the network. Errors name
// the place as a JSON pointer, the keyword and its bound, and never the value.
//
// The payload of a dynamic request follows [DynamicPayloadSchema]: url, method, headers,
// queryParameters, mediaType and body, each over the request's own value. The verbs of the
// template and the Hosts of the connector bind it like any other call. It may name variables
// anywhere, and a secret only in a header or query parameter that the secret's Places list.
//
// # Errors and branches
//
// Every method returns an *[Error]. Its [Code] is itself an error:
//
//	errors.Is(err, hub.Timeout)
//
// What a program needs to know beyond that are fields: Status, Attempts, Sent (may it have
// arrived?), Retryable, RetryAt, and for a broken rule Fields, all of them at once. The text
// of an error names things and rules; it holds no secret, no query string, no body and no
// payload value, so it can be logged and shown.
//
// [Tenant.Execute] returns a [Result] whenever an answer came, and an error whenever the
// branch is not OnSuccess: an answer of 404 is both. Which answers count as success says
// Request.Success; without it any 2xx does. The actions for Studio turn every error into a
// branch, but for faults of the host application itself: [Unavailable] and [Closed].
//
// # Judging answers
//
// Applications that answer 200 and mean failure need Request.Responses: rules over status,
// header, media type and body, of which the first that matches says what the answer to an
// attempt means, before Success is asked. [VerdictSuccess] and [VerdictIgnore] end the call
// well, [VerdictFail] ends it, [VerdictRetry] and [VerdictRateLimited] send it again where that
// can do no harm, and [VerdictRefreshToken] renews the token first, once.
//
//	{"when": {"path": "error.code", "values": ["17"]}, "then": "fail", "message": "no ticket {{error.id}}"}
//
// What a message shows of the answer is quoted, cut, and without known secrets.
//
// Request.Outputs are taken from a success: by gjson path from JSON, by a small part of XPath from
// XML, or from a header or the status ([Output]). What they must be says their Type, and of all
// together Request.OutputSchema; what is missing or of another type is a [BadAnswer].
//
// A call flow that cannot wait for a third party which has a bad day goes on with
// Request.Fallback: the last successful answer to the same call, if it is young enough, or outputs
// of the definition. The branch is OnSuccess then, and [Result].Substitute, Age and Cause tell what
// happened. Nothing stands in for a call that breaks a rule or whose credentials are refused, and
// no earlier answer for calls with files or of a connector that a person consents to.
//
// # Retries and deadlines
//
// A call has one deadline: the request's Timeout or else the connector's, and the caller's
// ctx if that is sooner. Reading its definition, waiting for a place, authenticating, all
// attempts, the pauses between them and reading the answer happen within it. A deadline that passes is [Timeout],
// the caller's cancellation is [Canceled].
//
// A call is sent up to 3 times, with growing, random pauses; Retry-After is heeded up to
// Limits.RetryAfter, and no attempt starts that could not finish. GET, HEAD, OPTIONS, PUT
// and DELETE are repeated on 429, 502, 503, 504 and broken connections. POST and PATCH are
// repeated only if Retry.Idempotent says so, if no byte of them was sent, or if the third party
// turned them away: on a 429 or 503 that carries Retry-After, on what a rule calls
// [VerdictRateLimited], of whatever status, if it tells how long to wait; once after a refused
// token, with another, and once with the other version of a secret. When a host is down altogether, a budget keeps repeats from
// adding to its load. [Error].NotRepeated says why a call that another attempt might have mended
// was not sent again.
//
// Each connector has a circuit for each origin that it calls ([Breaker]). When most attempts of
// the last seconds have failed it opens, and calls fail at once with [CircuitOpen], until a few
// probes have succeeded. [Tenant.Health] shows the circuits, what is under way and what waits;
// [Hub.Stats] counts both over the whole hub.
//
// Templates, connectors and requests may have a [RateLimit]. A call waits for its turn, and
// fails at once with [RateLimited] if that would come too late; so it does after the third party
// itself has told, by 429 with Retry-After or in RateLimit headers, that it wants no more calls.
// Options.RateLimiter lets several instances share one count.
//
// A token is fetched once for all callers that need it, used until shortly before it
// expires, and fetched again, once, if the third party refuses it with 401.
//
// # Batches and queues
//
// [Tenant.ExecuteAll] makes the calls that an iterator hands over, several at once, and yields
// how each of them ended, in order or as they end. It takes no more from the iterator than there
// is room for, and waits where the hub is [Busy] or the third party asks to be called
// later. With keys and a table of yours ([BatchOptions].Done and Record) it goes on where it
// ended when it is run again.
//
// Who makes a call again, after an error or a crash, must know whether its effect could happen
// twice: [Error.Repeatable] says so of a call that failed, [Call].BeforeSend is the moment to
// write down that it will be sent, and Call.IdempotencyKey stays the same for all of them.
// The module queues/riverqueue does all of this on River and PostgreSQL, for calls that must
// outlive the process.
//
// # Files, pages and large answers
//
// A request may take files: FormField.File makes one a part of a form, Request.BodyFile the
// whole body. Call.Files hands them over ([File]); each is opened when it is sent, for each
// attempt anew, and never held whole.
//
// Where a list comes in pages, Request.Pagination says what leads from one to the next, and
// [Tenant.ExecuteItems] yields its items, [Tenant.ExecutePages] its pages:
//
//	for item, err := range h.ExecuteItems(ctx, call, nil) { … }
//
// Each page is a call of its own. [Tenant.ExecuteTo] passes a large answer on to a writer
// while it arrives. Answers in gzip, deflate, br and zstd are unpacked, texts in any charset
// are read as UTF-8.
//
// # Authentication
//
// A template's AuthType names the kind of authentication, and the connector's [Auth] says the
// rest: an API key, basic, a bearer token, OAuth 2.0 in seven grants ([OAuth]), a request of
// one's own whose answer carries a token ([AuthOAuth2]) or a session ([Session]), signatures
// ([HMAC], [AWS]). [AuthFields] proposes what a form asks for each kind. Client certificates
// ([TLS]) go with all of them; package secrets/pkcs12 opens those that come as PKCS #12.
//
// Credentials are texts with references. A secret that Auth sends or signs with is bound like
// any other, and every endpoint is called down the same road as a request: its host must be
// one of the connector's Hosts. How a client authenticates at a token endpoint is written
// down ([ClientAuth]) and never guessed. With an Issuer the endpoints are discovered;
// with DPoP tokens are bound to a key that never leaves the hub.
//
// Where a person must consent, [Tenant.AuthorizeURL] gives the URL for their browser, and the
// page that the server sends it back to calls [Tenant.CompleteAuthorization]; for a device
// without a browser there are [Tenant.StartDevice] and [Tenant.PollDevice]. ConnectAuth of a kind
// that fetches nothing succeeds once its credentials are set.
//
// # Secrets and binding
//
// [Tenant.SetSecret] seals a value and binds it to the connector's Hosts of that moment, or
// to fewer that its [Secret] declaration names, and to the declared Places in a request. At
// the moment of sending the hub holds the final URL against that binding. So whoever may
// edit a connector can point it at another host, but the secret does not go there: the call
// fails with [Forbidden], and Readiness says that the value must be set again. Tokens
// inherit the hosts of the secrets that fetched them.
//
// [Tenant.SetSecretRef] binds a value that is kept elsewhere, such as "vault:kv/crm#token".
// Options.Resolvers say who fetches it and what each tenant may name; calls use a value for
// Options.SecretLife before it is read again, so it can be rotated where it is kept.
//
// While a connector has no secret, the hosts that its URLs name join Hosts by themselves.
// From the first secret on, Hosts changes only by name.
//
// A value that is in a [secrets.Value] cannot be printed, logged or encoded by accident.
// Secrets that come back in an answer, raw, in base64, hexadecimal, percent-encoded or in
// JSON, are shown as [secret]; for that a secret should have at least 8 bytes.
//
// # Hosts and egress
//
// There is one way out of the process, for calls, tests and tokens alike. It speaks HTTPS to
// public addresses on port 443, uses no proxy from the environment and follows no redirect.
// The address is judged when the connection is made, on the IP address itself, so neither
// DNS nor a literal address in another notation leads elsewhere. [Egress] opens loopback,
// private networks, plain HTTP or ports; addresses of cloud metadata services stay shut
// whatever it says.
//
// Which hosts a connector may call is narrowed three times: by what the host application
// opens, by Template.AllowedHosts and by Connector.Hosts. [Tenant.RestrictTemplate] takes a
// host away from all connectors of a template at once.
//
// # Studio
//
// [Tenant.StudioProperties] gives what the check mark next to a connection puts into an
// action. [Tenant.ConnectAuth] and [Tenant.ConnectRequest] run one; [ActionResult.Variables]
// returns what the script finds afterwards, under names of its choice or the documented
// ones:
//
//	ConnectAuth     authBody, authErrorDetails, authHeadersList, authProxy
//	ConnectRequest  requestBody, requestErrorDetails, requestHeadersList, requestProxy
//	both            ERR, a short explanation
//
// Studio cuts dynamic objects at 32 KB. A payload that ends there in the middle gets an
// error that says so.
//
// # Events and traces
//
// Options.Observer hears of each call that ended and of each attempt in it, as an [Event]:
// who, what, how it ended, how long it took. Options.Logger gets the same at debug level, and
// as warnings what repeating does not mend. Neither learns payloads, answers, secrets or
// filled URLs: the path of an event is that of the definition, "/things/{{id}}".
//
// Options.Tracer follows calls through the process and to third parties. Package
// telemetry/hubotel makes OpenTelemetry's spans and metrics of them:
//
//	tel, err := hubotel.New(nil)
//	h, err := hub.New(store, keys, &hub.Options{Tracer: tel})
//
// # Testing
//
// Package hubtest has a hub in one line (hubtest.New) and a programmable third party on
// loopback (hubtest.NewServer) that answers, stalls and breaks off as it is told.
// [Tenant.TestRequest] runs a Studio request with its Sample as payload.
//
// # Tenants
//
// [Hub.Tenant] is the view of one customer. Tenants share nothing but the system templates,
// and each has its own bound of calls at once. A Hub is itself the tenant named "".
//
// # Choosing a store, many instances, backup
//
//	storage/memory     nothing outlives the process: for tests
//	storage/sqlite     one machine; several processes may share the file
//	storage/bolt       one process, one small file, no SQL; the fastest reads
//	storage/postgres   many instances; they tell each other of changes
//	storage/sqlstore   the host application's own *sql.DB: SQLite, PostgreSQL, MariaDB
//
// All keep one contract: a write is acknowledged when it is durable, and of two writers who
// saw the same revision one fails. Any number of hubs may share one store, if they share a
// keeper: an edit in one is used by the others within Limits.Freshness, a token is renewed
// once for all, and a request that was deactivated stops running everywhere within that
// bound. While the store does not answer, what is compiled runs on for Limits.Staleness.
//
// Definitions can be saved in a transaction of the host's own ([Tenant] methods of a hub made
// on sqlstore's InTx). The two embedded stores have Backup, which writes a snapshot while
// they are in use, and Restore, which makes a file where there was none; a server is backed
// up by its own tools. storage.Copy moves from any store to any other, checks what it wrote,
// and goes on where it was interrupted. Keep the keyset apart from backups: either is
// worthless without the other.
//
// # Writing a Store
//
// A store keeps records and knows nothing of what they mean: package storage has the
// contract and helpers for the rules that every store needs, and storagetest.Run turns each
// sentence of the contract into a check. A store that passes it can be handed to New. Over
// database/sql, start from storage/sqlstore.
//
// # Writing a Vault
//
// By default values of secrets are sealed in the store (package secrets/sealed).
// Options.Vault puts them elsewhere; the hub still seals the binding of each secret with its
// keeper. Package secrets has the contracts of Vault and Keeper, secretstest the suites.
//
// # Limits
//
// All bounds are in [Limits], with their defaults; negative means none. Templates,
// connectors and requests can only narrow them. The most important:
//
//	timeout of a connector           10 s, at most 120 s
//	attempts of a call               3
//	payload                          1 MiB, 64 levels deep
//	rendered request                 1 MiB; its files 64 MiB
//	answer                           8 MiB as it travels, 16 MiB decoded, 512 levels deep
//	answer that ExecuteTo passes on  1 GiB, 15 min
//	list that comes in pages         1,000 pages, 100,000 items
//	variables and secrets            100 per connector, 64 KiB each
//	calls at once                    100 per connector, 1,000 per tenant, 10,000; others queue
//	a definition is used unasked     1 s; while the store does not answer, 30 s
package hub
