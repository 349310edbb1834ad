package oauth_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/oauth"
)

func TestReadToken(t *testing.T) {
	for name, c := range map[string]struct {
		body, want string
		token      *oauth.Token
		err        error
	}{
		"whole":      {`{"access_token":"a","token_type":"bearer","refresh_token":"r","expires_in":3600}`, "Bearer", &oauth.Token{Access: "a", Type: "Bearer", Refresh: "r", ExpiresIn: "3600"}, nil},
		"least":      {`{"access_token":"a"}`, "Bearer", &oauth.Token{Access: "a", Type: "Bearer"}, nil},
		"text life":  {`{"access_token":"a","expires_in":"3600"}`, "Bearer", &oauth.Token{Access: "a", Type: "Bearer", ExpiresIn: "3600"}, nil},
		"bound":      {`{"access_token":"a","token_type":"dpop"}`, "DPoP", &oauth.Token{Access: "a", Type: "DPoP"}, nil},
		"not bound":  {`{"access_token":"a","token_type":"Bearer"}`, "DPoP", nil, oauth.ErrType},
		"bound, too": {`{"access_token":"a","token_type":"DPoP"}`, "Bearer", nil, oauth.ErrType},
		"odd":        {`{"access_token":"a","token_type":"mac"}`, "Bearer", nil, oauth.ErrType},
		"empty":      {`{"access_token":""}`, "Bearer", nil, oauth.ErrNoToken},
		"number":     {`{"access_token":1}`, "Bearer", nil, oauth.ErrNoToken},
		"no object":  {`[]`, "Bearer", nil, oauth.ErrNoToken},
		"no JSON":    {`access_token=a`, "Bearer", nil, oauth.ErrNoToken},
	} {
		token, err := oauth.ReadToken([]byte(c.body), c.want)
		require.ErrorIs(t, err, c.err, name)
		assert.Equal(t, c.token, token, name)
	}
}

func TestFormToJSON(t *testing.T) {
	got, ok := oauth.FormToJSON([]byte("access_token=a%20b&expires_in=5\n"))
	require.True(t, ok)
	assert.JSONEq(t, `{"access_token":"a b","expires_in":"5"}`, string(got))
	for _, body := range []string{"", "%zz", "error=x", `{"access_token":"a"}`} {
		_, ok := oauth.FormToJSON([]byte(body))
		assert.False(t, ok, body)
	}
}

func TestReadDevice(t *testing.T) {
	d, err := oauth.ReadDevice([]byte(`{"device_code":"d","user_code":"u","verification_uri":"v","expires_in":1e3}`))
	require.Error(t, err, "1e3 is no whole number")
	require.Nil(t, d)
	d, err = oauth.ReadDevice([]byte(`{"device_code":"d","user_code":"u","verification_uri":"v","expires_in":99999999,"interval":9999}`))
	require.NoError(t, err)
	assert.Equal(t, &oauth.Device{Code: "d", UserCode: "u", URL: "v", Expires: 86400, Interval: 300}, d)
	d, err = oauth.ReadDevice([]byte(`{"device_code":"d","user_code":"u","verification_uri":"v","expires_in":9}`))
	require.NoError(t, err)
	assert.EqualValues(t, 5, d.Interval)
	for _, body := range []string{`{}`, `[]`, `{"device_code":"d","user_code":"u","verification_uri":"v"}`, `{"user_code":"u","verification_uri":"v","expires_in":9}`} {
		_, err := oauth.ReadDevice([]byte(body))
		assert.Error(t, err, body)
	}
}

func TestEnd(t *testing.T) {
	asked := time.Unix(1_800_000_000, 0)
	day := time.Date(2027, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, c := range []struct {
		text, form string
		want       time.Time
	}{
		{"60", oauth.Seconds, asked.Add(time.Minute)},
		{" 1.5 ", oauth.Seconds, asked.Add(1500 * time.Millisecond)},
		{"60000", oauth.Milliseconds, asked.Add(time.Minute)},
		{"1800000060", oauth.Unix, asked.Add(time.Minute)},
		{"1800000060000", oauth.UnixMillis, asked.Add(time.Minute)},
		{"2027-02-03T04:05:06Z", oauth.Date, day},
		{"2027-02-03T05:05:06.000+01:00", oauth.Date, day},
		{"2027-02-03T05:05:06.000+0100", oauth.Date, day},
		{"2027-02-03T04:05:06", oauth.Date, day},
		{"2027-02-03 04:05:06", oauth.Date, day},
		{"Wed, 03 Feb 2027 04:05:06 GMT", oauth.Date, day},
	} {
		got, ok := oauth.End(c.text, c.form, asked)
		require.True(t, ok, c.text)
		assert.WithinDuration(t, c.want, got, time.Millisecond, c.text)
	}
	for _, c := range []struct{ text, form string }{
		{"", oauth.Seconds}, {"-1", oauth.Seconds}, {"0", oauth.Unix}, {"NaN", oauth.Seconds}, {"1e400", oauth.Seconds}, {"soon", oauth.Date},
		{"60 s", oauth.Seconds}, {"1e13", oauth.Unix}, {"Inf", oauth.Milliseconds},
	} {
		_, ok := oauth.End(c.text, c.form, asked)
		assert.False(t, ok, c.text)
	}
}

func TestExpOf(t *testing.T) {
	private := ecKey(t, p256)
	key, err := oauth.ParseKey(pkcs8(t, private), "", "")
	require.NoError(t, err)
	token, err := key.Sign(nil, map[string]any{"exp": 1_800_000_000})
	require.NoError(t, err)
	exp, ok := oauth.ExpOf(token)
	require.True(t, ok)
	assert.Equal(t, int64(1_800_000_000), exp.Unix())
	without, err := key.Sign(nil, map[string]any{})
	require.NoError(t, err)
	for _, text := range []string{"", "a.b.c", "..", without, strings.Repeat(".", 9), "e30.eyJleHAiOiJ4In0.", "opaque"} {
		_, ok := oauth.ExpOf(text)
		assert.False(t, ok, text)
	}
}

func TestMetadata(t *testing.T) {
	for issuer, want := range map[string][]string{
		"https://as.example.com":       {"https://as.example.com/.well-known/openid-configuration", "https://as.example.com/.well-known/oauth-authorization-server"},
		"https://as.example.com/":      {"https://as.example.com/.well-known/openid-configuration", "https://as.example.com/.well-known/oauth-authorization-server"},
		"https://as.example.com/a%20b": {"https://as.example.com/a%20b/.well-known/openid-configuration", "https://as.example.com/.well-known/oauth-authorization-server/a%20b"},
	} {
		u, err := url.Parse(issuer)
		require.NoError(t, err)
		var got []string
		for _, place := range oauth.Places(u) {
			got = append(got, place.String())
		}
		assert.Equal(t, want, got)
	}
	m, err := oauth.ReadMetadata([]byte(`{"issuer":"https://a","token_endpoint":"t","authorization_response_iss_parameter_supported":true}`), "https://a")
	require.NoError(t, err)
	assert.Equal(t, &oauth.Metadata{Issuer: "https://a", TokenEndpoint: "t", SaysIssuer: true}, m)
	_, err = oauth.ReadMetadata([]byte(`{"issuer":"https://a/"}`), "https://a")
	require.ErrorIs(t, err, oauth.ErrIssuer)
	_, err = oauth.ReadMetadata([]byte(`<html>`), "https://a")
	require.ErrorIs(t, err, oauth.ErrMetadata)
}

func TestAuthorizationURL(t *testing.T) {
	u, err := url.Parse("https://as.example.com/authorize?tenant=1")
	require.NoError(t, err)
	assert.Equal(t, "https://as.example.com/authorize?tenant=1&state=a+b", oauth.AuthorizationURL(u, url.Values{"state": {"a b"}}))
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"access_token":"a","expires_in":"9"}`))
	f.Add([]byte(`access_token=a`))
	f.Add([]byte(`{"issuer":"","device_code":"d","expires_in":-1}`))
	f.Add([]byte(`a.eyJleHAiOjF9.c`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if token, err := oauth.ReadToken(body, "Bearer"); err == nil {
			assert.NotEmpty(t, token.Access)
		}
		if d, err := oauth.ReadDevice(body); err == nil {
			assert.True(t, d.Expires > 0 && d.Interval > 0)
		}
		oauth.FormToJSON(body)
		oauth.ExpOf(string(body))
		_, _ = oauth.ReadMetadata(body, "")
		for _, form := range oauth.Forms {
			oauth.End(string(body), form, now)
		}
	})
}

func FuzzParseKey(f *testing.F) {
	f.Add(pkcs8(f, ecKey(f, p256)))
	f.Fuzz(func(t *testing.T, text string) {
		key, err := oauth.ParseKey(text, "", "")
		if err != nil {
			return
		}
		_, err = key.Sign(nil, map[string]any{"a": 1})
		assert.NoError(t, err)
	})
}
