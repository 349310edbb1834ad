package hub

import "slices"

// AuthFields proposes what a form asks for a kind of authentication: fields for a template,
// whose keys are those that the kind's credentials refer to when a connector leaves them
// empty. A client secret is among them as required: whoever authenticates clients by
// private_key_jwt, by mutual TLS or not at all leaves that field out. The list is the caller's; it is empty for AuthNone, AuthOAuth2 and AuthSession, whose
// authentication request decides.
func AuthFields(kind AuthKind) []Field {
	list := slices.Clone(authFields[kind])
	for i := range list {
		list[i].Order = i + 1
	}
	return list
}

var (
	fieldClientID     = Field{Key: "clientId", Title: "Client ID", Required: true}
	fieldClientSecret = Field{Key: "clientSecret", Title: "Client secret", Secret: true, Required: true}
	fieldUsername     = Field{Key: "username", Title: "User name", Required: true}
	fieldPassword     = Field{Key: "password", Title: "Password", Secret: true, Required: true}
	fieldPrivateKey   = Field{Key: "privateKey", Title: "Private key", Description: "One PEM block", Secret: true, Required: true}
)

// authFields :: kind → what it needs.
var authFields = map[AuthKind][]Field{
	AuthAPIKey:            {{Key: "apiKey", Title: "API key", Secret: true, Required: true}},
	AuthBasic:             {fieldUsername, fieldPassword},
	AuthBearer:            {{Key: "token", Title: "Token", Secret: true, Required: true}},
	AuthClientCredentials: {fieldClientID, fieldClientSecret},
	AuthRefreshToken:      {fieldClientID, fieldClientSecret, {Key: "refreshToken", Title: "Refresh token", Secret: true, Required: true}},
	AuthAuthorizationCode: {fieldClientID, fieldClientSecret},
	AuthDeviceCode:        {fieldClientID},
	AuthJWTBearer:         {fieldClientID, fieldPrivateKey},
	AuthTokenExchange:     {fieldClientID, fieldClientSecret, {Key: "subjectToken", Title: "Subject token", Secret: true, Required: true}},
	AuthPassword:          {fieldClientID, fieldClientSecret, fieldUsername, fieldPassword},
	AuthHMAC:              {{Key: "signingKey", Title: "Signing key", Secret: true, Required: true}},
	AuthAWS: {
		{Key: "accessKeyId", Title: "Access key ID", Required: true},
		{Key: "secretAccessKey", Title: "Secret access key", Secret: true, Required: true},
	},
}
