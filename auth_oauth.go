package hub

// ClientAuth is how a client authenticates at the token endpoint. It is always written down
// and never guessed: trying one after the other would send credentials twice.
type ClientAuth string

// The ways, in the words of their registry.
const (
	ClientNone          ClientAuth = "none"                // a public client: the client id alone
	ClientBasic         ClientAuth = "client_secret_basic" // RFC 6749 section 2.3.1
	ClientPost          ClientAuth = "client_secret_post"  // RFC 6749 section 2.3.1
	ClientPrivateKeyJWT ClientAuth = "private_key_jwt"     // RFC 7523 section 2.2
	ClientTLS           ClientAuth = "tls_client_auth"     // RFC 8705 section 2: the connector's client certificate
)

// OAuth is a connector's part in an OAuth 2.0 grant. Which of the fields a kind uses is said
// on them; the others must be empty.
type OAuth struct {
	// Issuer names the authorization server by its https URL. The endpoints that are left
	// empty are then discovered (OpenID Connect Discovery, RFC 8414), kept for an hour, and
	// called only if the connector's Hosts allow them.
	Issuer string `json:"issuer,omitempty"`
	// TokenURL is the token endpoint. Its host is one of the connector's Hosts.
	TokenURL string `json:"tokenUrl,omitempty"`
	// AuthorizationURL is where a browser is sent (AuthAuthorizationCode). The hub itself
	// does not call it.
	AuthorizationURL string `json:"authorizationUrl,omitempty"`
	// DeviceURL is the device authorization endpoint (AuthDeviceCode).
	DeviceURL string `json:"deviceUrl,omitempty"`
	// RedirectURL is where the server sends the browser back to (AuthAuthorizationCode): a
	// page of the host application, registered with the server.
	RedirectURL string `json:"redirectUrl,omitempty"`

	// Headers are sent to the token and device endpoints: the template's custom headers
	// for the authentication get their values here.
	Headers []Header `json:"headers,omitempty"`

	// ClientID is a credential: "[[clientId]]" if empty, unless ClientAuth is ClientNone.
	ClientID string `json:"clientId,omitempty"`
	// ClientAuth must be given.
	ClientAuth ClientAuth `json:"clientAuth,omitempty"`
	// ClientSecret is the credential of ClientBasic and ClientPost: "[[clientSecret]]" if
	// empty.
	ClientSecret string `json:"clientSecret,omitempty"`
	// ClientKey signs the assertion of ClientPrivateKeyJWT, whose aud is ClientAudience.
	ClientKey *SigningKey `json:"clientKey,omitempty"`
	// ClientAudience is the Issuer if empty, or without one the token endpoint.
	ClientAudience string `json:"clientAudience,omitempty"`

	// Scope is the list of scopes, separated by spaces.
	Scope string `json:"scope,omitempty"`
	// Audience and Resource name what the token is for (RFC 8693, RFC 8707).
	Audience []string `json:"audience,omitempty"`
	Resource []string `json:"resource,omitempty"`
	// AuthorizationParams and TokenParams are sent beside the standard's own parameters.
	AuthorizationParams []Param `json:"authorizationParams,omitempty"`
	TokenParams         []Param `json:"tokenParams,omitempty"`

	// RefreshToken is the credential of AuthRefreshToken, used for the first token:
	// "[[refreshToken]]" if empty.
	RefreshToken string `json:"refreshToken,omitempty"`
	// Username and Password are the credentials of AuthPassword: "[[username]]" and
	// "[[password]]" if empty.
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
	// Assertion is what an AuthJWTBearer signs.
	Assertion *Assertion `json:"assertion,omitempty"`
	// Exchange is what an AuthTokenExchange gives for the token.
	Exchange *Exchange `json:"exchange,omitempty"`

	// DPoP binds tokens to a key that the hub makes for each grant (RFC 9449): whoever
	// steals a token cannot use it.
	DPoP bool `json:"dpop,omitempty"`

	// KeepsRefreshToken declares that the server accepts a refresh token again after its
	// use. Otherwise each use is taken to replace it, and a renewal whose outcome is
	// unknown is not repeated, unless within Grace.
	KeepsRefreshToken bool `json:"keepsRefreshToken,omitempty"`
	// Grace is how long after its use the server still accepts a replaced refresh token,
	// in seconds, as it documents it; zero: not at all.
	Grace int `json:"grace,omitempty"`
}

// SigningKey is a private key that signs JSON Web Tokens.
type SigningKey struct {
	// Key is the credential, a PEM block (PKCS #8, PKCS #1 or SEC 1): "[[privateKey]]" if
	// empty.
	Key string `json:"key,omitempty"`
	// ID is the kid that the server knows the key by; empty: none is sent.
	ID string `json:"id,omitempty"`
	// Algorithm is a name of RFC 7518. Empty: RS256, ES256, ES384, ES512 or EdDSA, as the
	// key allows.
	Algorithm string `json:"algorithm,omitempty"`
}

// Assertion is a JSON Web Token that is exchanged for an access token (RFC 7523 section 3).
type Assertion struct {
	Key SigningKey `json:"key,omitzero"`
	// Issuer is the client id if empty, Subject the Issuer, Audience the [OAuth]'s Issuer
	// or else the token endpoint.
	Issuer   string `json:"issuer,omitempty"`
	Subject  string `json:"subject,omitempty"`
	Audience string `json:"audience,omitempty"`
	// Life is from when it is signed until it ends, in seconds: 300 if zero, at most 3,600.
	Life int `json:"life,omitempty"`
	// Claims are further ones; their values are texts that may refer to [[name]].
	Claims map[string]string `json:"claims,omitempty"`
}

// Exchange is the token that is exchanged for another one (RFC 8693 section 2.1).
type Exchange struct {
	// SubjectToken is a credential: "[[subjectToken]]" if empty.
	SubjectToken string `json:"subjectToken,omitempty"`
	// SubjectTokenType is urn:ietf:params:oauth:token-type:access_token if empty.
	SubjectTokenType string `json:"subjectTokenType,omitempty"`
	// ActorToken is a credential; empty: there is none, nor an ActorTokenType.
	ActorToken         string `json:"actorToken,omitempty"`
	ActorTokenType     string `json:"actorTokenType,omitempty"`
	RequestedTokenType string `json:"requestedTokenType,omitempty"`
}
