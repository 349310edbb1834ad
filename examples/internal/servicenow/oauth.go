package servicenow

import (
	"crypto/rand"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/integrationhub/hub/hubtest"
)

// scope is what every token of an instance without scopes of its own may do.
const scope = "useraccount"

// tokens are the access tokens and the refresh token that are good.
type tokens struct {
	access  map[string]time.Time // :: access token → end of its life
	current string               // access token of the user, shared by all who ask
	refresh string               // refresh token of the user
}

// tokenAnswer is the token endpoint's answer.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
}

// token serves /oauth_token.do. Like the original it takes forms only, refuses everything
// with 401, and reads client credentials from the body.
func (s *Server) token(r *http.Request) hubtest.Answer {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if mediaType != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
		return s.refuseToken("server_error")
	}
	form := r.PostForm
	if form.Get("client_id") != s.options.ClientID || form.Get("client_secret") != s.options.ClientSecret {
		return s.refuseToken("invalid_client")
	}
	answer, ok := s.grant(form)
	if !ok {
		return s.refuseToken("server_error")
	}
	s.counts.Tokens++
	return hubtest.JSON(http.StatusOK, answer).Header("Cache-Control", "no-store")
}

// grant gives out what the form asks for. A client that acts for itself gets a new access
// token and no refresh token (RFC 6749 section 4.4.3). The user's access token is the
// current one for as long as it lives, and the refresh token does not rotate.
func (s *Server) grant(form url.Values) (tokenAnswer, bool) {
	switch form.Get("grant_type") {
	case "client_credentials":
		return s.describe(s.newAccess(), ""), true
	case "password":
		if form.Get("username") != s.options.Username || form.Get("password") != s.options.Password {
			return tokenAnswer{}, false
		}
		if s.tokens.refresh == "" {
			s.tokens.refresh = newToken()
		}
	case "refresh_token":
		if s.tokens.refresh == "" || form.Get("refresh_token") != s.tokens.refresh {
			return tokenAnswer{}, false
		}
	default:
		return tokenAnswer{}, false
	}
	if !s.valid(s.tokens.current) {
		s.tokens.current = s.newAccess()
	}
	return s.describe(s.tokens.current, s.tokens.refresh), true
}

func (s *Server) describe(access, refresh string) tokenAnswer {
	left := s.tokens.access[access].Sub(s.options.Now())
	return tokenAnswer{
		AccessToken:  access,
		RefreshToken: refresh,
		Scope:        scope,
		TokenType:    "Bearer",
		ExpiresIn:    int(left / time.Second),
	}
}

func (s *Server) newAccess() string {
	if s.tokens.access == nil {
		s.tokens.access = make(map[string]time.Time)
	}
	access := newToken()
	s.tokens.access[access] = s.options.Now().Add(s.options.TokenLife)
	return access
}

func (s *Server) refuseToken(code string) hubtest.Answer {
	s.counts.TokenRefused++
	return hubtest.JSON(http.StatusUnauthorized, map[string]string{
		"error":             code,
		"error_description": "access_denied",
	})
}

func (s *Server) valid(access string) bool {
	end, ok := s.tokens.access[access]
	return ok && s.options.Now().Before(end)
}

// authorized reports whether r carries a valid bearer token.
func (s *Server) authorized(r *http.Request) bool {
	scheme, access, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && s.valid(access)
}

// newToken is about as long as the original's.
func newToken() string { return rand.Text() + rand.Text() + rand.Text() }
