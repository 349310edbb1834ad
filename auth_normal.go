package hub

import (
	"net/http"
	"slices"
)

// normalize gives an authentication its defaults. Of the kinds that need nothing but a
// credential the whole member may be left out, if the template asks for the credential.
func (a *Auth) normalize(tpl *Template) {
	if a.Kind == "" {
		a.Kind = tpl.AuthType
	}
	a.propose(tpl)
	if a.Request != nil {
		a.Request.normalize()
	}
	if k := a.APIKey; k != nil {
		or(&k.In, InHeader)
		or(&k.Name, "X-Api-Key")
		or(&k.Value, "[[apiKey]]")
	}
	if b := a.Basic; b != nil {
		or(&b.Username, "[[username]]")
		or(&b.Password, "[[password]]")
	}
	if b := a.Bearer; b != nil {
		or(&b.Token, "[[token]]")
	}
	if a.OAuth != nil {
		a.OAuth.normalize(a.Kind)
	}
	if a.Session != nil {
		a.Session.normalize()
	}
	if h := a.HMAC; h != nil {
		or(&h.Key, "[[signingKey]]")
		or(&h.KeyEncoding, "text")
		or(&h.Algorithm, "sha256")
		or(&h.Encoding, "hex")
		or(&h.Timestamp, "unix")
	}
	if s := a.AWS; s != nil {
		or(&s.AccessKeyID, "[[accessKeyId]]")
		or(&s.SecretAccessKey, "[[secretAccessKey]]")
	}
}

// propose adds the member of a kind whose credentials the template's fields ask for.
func (a *Auth) propose(tpl *Template) {
	for _, want := range authFields[a.Kind] {
		if !slices.ContainsFunc(tpl.Fields, func(f Field) bool { return f.Key == want.Key && f.Secret == want.Secret }) {
			return
		}
	}
	switch {
	case a.Kind == AuthAPIKey && a.APIKey == nil:
		a.APIKey = &APIKey{}
	case a.Kind == AuthBasic && a.Basic == nil:
		a.Basic = &Basic{}
	case a.Kind == AuthBearer && a.Bearer == nil:
		a.Bearer = &Bearer{}
	}
}

// or puts a default in place of an empty text.
func or[T ~string](v *T, otherwise T) {
	if *v == "" {
		*v = otherwise
	}
}

// normalize gives an authentication request its defaults.
func (r *AuthRequest) normalize() {
	or(&r.Method, http.MethodPost)
	if r.Body != "" {
		or(&r.MediaType, mediaForm)
	}
}

func (o *OAuth) normalize(kind AuthKind) {
	if kind != AuthJWTBearer || o.ClientAuth != ClientNone {
		or(&o.ClientID, "[[clientId]]")
	}
	if o.ClientAuth == ClientBasic || o.ClientAuth == ClientPost {
		or(&o.ClientSecret, "[[clientSecret]]")
	}
	if o.ClientAuth == ClientPrivateKeyJWT {
		if o.ClientKey == nil {
			o.ClientKey = &SigningKey{}
		}
		or(&o.ClientKey.Key, "[[privateKey]]")
	}
	switch kind {
	case AuthRefreshToken:
		or(&o.RefreshToken, "[[refreshToken]]")
	case AuthPassword:
		or(&o.Username, "[[username]]")
		or(&o.Password, "[[password]]")
	case AuthJWTBearer:
		if o.Assertion == nil {
			o.Assertion = &Assertion{}
		}
		or(&o.Assertion.Key.Key, "[[privateKey]]")
		or(&o.Assertion.Issuer, o.ClientID)
		or(&o.Assertion.Subject, o.Assertion.Issuer)
		if o.Assertion.Life == 0 {
			o.Assertion.Life = 300
		}
	case AuthTokenExchange:
		if o.Exchange == nil {
			o.Exchange = &Exchange{}
		}
		or(&o.Exchange.SubjectToken, "[[subjectToken]]")
		or(&o.Exchange.SubjectTokenType, "urn:ietf:params:oauth:token-type:access_token")
	}
}

func (s *Session) normalize() {
	if s.AnswerCookie != "" {
		or(&s.In, InCookie)
	}
	or(&s.In, InHeader)
	switch s.In {
	case InHeader:
		or(&s.Name, "Authorization")
	case InCookie:
		or(&s.Name, s.AnswerCookie)
	}
	if s.Expires != nil && s.Expires.Path != "" {
		or(&s.Expires.Form, "seconds")
	}
}
