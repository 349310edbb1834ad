package hub

// The kinds of authentication beside AuthNone and AuthOAuth2. A client certificate is no
// kind of its own: [TLS] shows it to whichever server asks, with every kind.
const (
	// AuthAPIKey: a fixed key in a header, query parameter or cookie (Auth.APIKey).
	AuthAPIKey AuthKind = "api-key"
	// AuthBasic: user name and password (Auth.Basic; RFC 7617).
	AuthBasic AuthKind = "basic"
	// AuthBearer: a fixed token (Auth.Bearer; RFC 6750 section 2.1).
	AuthBearer AuthKind = "bearer"
	// AuthClientCredentials: OAuth 2.0 for the application itself (RFC 6749 section 4.4).
	AuthClientCredentials AuthKind = "oauth2-client-credentials"
	// AuthRefreshToken: OAuth 2.0 from a refresh token that its owner brings (RFC 6749
	// section 6).
	AuthRefreshToken AuthKind = "oauth2-refresh-token"
	// AuthAuthorizationCode: OAuth 2.0 with the consent of a person in a browser, always
	// with PKCE (RFC 6749 section 4.1, RFC 7636). See [Tenant.AuthorizeURL].
	AuthAuthorizationCode AuthKind = "oauth2-authorization-code"
	// AuthDeviceCode: OAuth 2.0 with the consent of a person on another device (RFC 8628).
	// See [Tenant.StartDevice].
	AuthDeviceCode AuthKind = "oauth2-device-code"
	// AuthJWTBearer: OAuth 2.0 from an assertion signed by the connector's own key (RFC
	// 7523 section 2.1).
	AuthJWTBearer AuthKind = "oauth2-jwt-bearer"
	// AuthTokenExchange: OAuth 2.0 from another token (RFC 8693).
	AuthTokenExchange AuthKind = "oauth2-token-exchange"
	// AuthPassword: OAuth 2.0 from a person's password (RFC 6749 section 4.3). It is
	// there for old applications: RFC 9700 section 2.4 forbids it, and Readiness warns.
	AuthPassword AuthKind = "oauth2-password"
	// AuthSession: any authentication request, whose answer carries a session or token in
	// its body, a header or a cookie (Auth.Request, Auth.Session).
	AuthSession AuthKind = "session"
	// AuthHMAC: every attempt is signed anew with a shared key (Auth.HMAC; RFC 2104).
	AuthHMAC AuthKind = "hmac"
	// AuthAWS: every attempt is signed anew with AWS Signature Version 4 (Auth.AWS).
	AuthAWS AuthKind = "aws-sigv4"
)

// authKinds lists all kinds.
var authKinds = []AuthKind{
	AuthNone, AuthOAuth2, AuthAPIKey, AuthBasic, AuthBearer, AuthClientCredentials, AuthRefreshToken,
	AuthAuthorizationCode, AuthDeviceCode, AuthJWTBearer, AuthTokenExchange, AuthPassword, AuthSession, AuthHMAC, AuthAWS,
}

// Auth is how a connector authenticates: its Kind, and the member that belongs to the kind.
//
// Texts of these members may refer to [[name]]. Where one is described as a credential, an
// empty text means the field that [AuthFields] proposes: of an APIKey's Value "[[apiKey]]".
// Secrets that Auth sends or signs with stand at the place "auth" of [Secret.Places] beside
// the place where they really stand; one that only signs never leaves, but signs only for
// hosts that it is bound to.
type Auth struct {
	// Kind is the template's AuthType, also if empty.
	Kind AuthKind `json:"kind,omitempty"`
	// Request is the authentication request of an AuthOAuth2 or AuthSession.
	Request *AuthRequest `json:"request,omitempty"`
	// Refused are answers that mean, beside status 401, that the token is no longer good:
	// it is renewed once, and the call sent again once. At most 20.
	Refused []AnswerMatch `json:"refused,omitempty"`
	// APIKey, Basic and Bearer belong to the kinds of their names.
	APIKey *APIKey `json:"apiKey,omitempty"`
	Basic  *Basic  `json:"basic,omitempty"`
	Bearer *Bearer `json:"bearer,omitempty"`
	// OAuth belongs to all kinds whose names begin with oauth2-.
	OAuth *OAuth `json:"oauth,omitempty"`
	// Session, HMAC and AWS belong to the kinds of their names.
	Session *Session `json:"session,omitempty"`
	HMAC    *HMAC    `json:"hmac,omitempty"`
	AWS     *AWS     `json:"aws,omitempty"`
}

// AuthRequest is the call that fetches a token. It may refer to [[name]], not to a payload.
//
// Of an AuthOAuth2, its answer must be JSON with a member access_token; token_type must be
// Bearer if it is present; expires_in is the token's life in seconds (RFC 6749 section 5.1).
// Of an AuthSession, [Session] says where the answer carries what.
type AuthRequest struct {
	URL       string   `json:"url"`
	Method    string   `json:"method,omitempty"` // POST if empty
	Headers   []Header `json:"headers,omitempty"`
	Query     []Param  `json:"query,omitempty"`
	MediaType string   `json:"mediaType,omitempty"` // application/x-www-form-urlencoded if empty
	Body      string   `json:"body,omitempty"`
}

// Carrier is the part of a request that carries a key or token.
type Carrier string

// The carriers.
const (
	InHeader Carrier = "header"
	InQuery  Carrier = "query"
	InCookie Carrier = "cookie"
)

// APIKey is a fixed key on every request.
type APIKey struct {
	// In is InHeader if empty. A query parameter ends up in logs of servers and proxies.
	In Carrier `json:"in,omitempty"`
	// Name is that of the header, parameter or cookie; X-Api-Key if empty.
	Name string `json:"name,omitempty"`
	// Value is the credential: "[[apiKey]]" if empty. "Token token=[[apiKey]]" is one, too.
	Value string `json:"value,omitempty"`
}

// Basic is user name and password, sent as RFC 7617 has it, in UTF-8.
type Basic struct {
	// Username and Password are credentials: "[[username]]" and "[[password]]" if empty.
	// A user name holds no colon.
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
}

// Bearer is a fixed token, sent as "Authorization: Bearer".
type Bearer struct {
	// Token is the credential: "[[token]]" if empty.
	Token string `json:"token,omitempty"`
}

// Session says where the answer to an authentication request carries a token, how calls
// carry it, and how long it lives.
type Session struct {
	// Path (gjson), AnswerHeader or AnswerCookie, one of the three, tells where the answer
	// carries the token.
	Path         string `json:"path,omitempty"`
	AnswerHeader string `json:"answerHeader,omitempty"`
	AnswerCookie string `json:"answerCookie,omitempty"`

	// In is InHeader if empty, or InCookie with AnswerCookie.
	In Carrier `json:"in,omitempty"`
	// Name is that of the header, parameter or cookie that calls carry the token in. Empty:
	// Authorization, or the AnswerCookie's name. Required in a query.
	Name string `json:"name,omitempty"`
	// Prefix stands before the token: "Bearer ". A header Authorization without a prefix
	// gets the bare token.
	Prefix string `json:"prefix,omitempty"`

	// Success says which answers carry a session; nil: any 2xx. A form that logs in often
	// answers 302.
	Success *Success `json:"success,omitempty"`
	// Expires tells when the session ends; nil: the exp of the token if that is a JSON Web
	// Token, else ten minutes. A session that ends earlier is renewed when it is refused.
	Expires *SessionExpiry `json:"expires,omitempty"`
}

// SessionExpiry tells when a session ends: Path with Form, or Fixed.
type SessionExpiry struct {
	// Path (gjson) leads to the field of the answer.
	Path string `json:"path,omitempty"`
	// Form is how the field is written: seconds, also if empty, or milliseconds, of a life;
	// unix or unix-milliseconds, for a moment; date, as RFC 3339 or HTTP writes it.
	Form string `json:"form,omitempty"`
	// Fixed is the life in seconds, where the answer does not tell.
	Fixed int `json:"fixed,omitempty"`
}

// HMAC signs each attempt with a shared key. In Canonical and in the values of Headers and
// Query these stand for the request as it is about to be sent: {method}, {scheme}, {host},
// {path} (encoded), {query} (as sent), {sorted-query}, {url}, {body}, {body-sha256} (hex),
// {body-sha256-base64}, {header:NAME}, {timestamp}, {nonce} (random, of the attempt); in
// Headers and Query also {signature}. Other text may refer to [[name]].
type HMAC struct {
	// Key is the credential: "[[signingKey]]" if empty.
	Key string `json:"key,omitempty"`
	// KeyEncoding is text, also if empty, hex, base64 or base64url.
	KeyEncoding string `json:"keyEncoding,omitempty"`
	// Algorithm is sha256, also if empty, sha384, sha512 or sha1.
	Algorithm string `json:"algorithm,omitempty"`
	// Encoding of the signature is hex, also if empty, base64 or base64url.
	Encoding string `json:"encoding,omitempty"`
	// Timestamp is unix (seconds), also if empty, unix-ms, rfc3339 or http.
	Timestamp string `json:"timestamp,omitempty"`
	// Canonical is the text that is signed: "{method}\n{path}\n{timestamp}\n{body-sha256}".
	Canonical string `json:"canonical"`
	// Headers and Query are set on the request, in this order: those without {signature}
	// before it is signed, the others after. At least one holds {signature}.
	Headers []Header `json:"headers,omitempty"`
	Query   []Param  `json:"query,omitempty"`
}

// AWS signs each attempt with AWS Signature Version 4.
type AWS struct {
	// AccessKeyID, SecretAccessKey and SessionToken are credentials: "[[accessKeyId]]",
	// "[[secretAccessKey]]" and none if empty.
	AccessKeyID     string `json:"accessKeyId,omitempty"`
	SecretAccessKey string `json:"secretAccessKey,omitempty"`
	SessionToken    string `json:"sessionToken,omitempty"`
	// Region and Service are the scope of the signature: eu-central-1, execute-api.
	Region  string `json:"region"`
	Service string `json:"service"`
}
