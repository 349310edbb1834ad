package oauth

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
)

// Token is the answer of a token endpoint (RFC 6749 section 5.1).
type Token struct {
	Access, Type, Refresh string
	// ExpiresIn is the text of expires_in, empty if there is none.
	ExpiresIn string
}

// Errors of ReadToken.
var (
	ErrNoToken = errors.New("the authentication's answer has no access_token")
	ErrType    = errors.New("the authentication's answer has a token_type other than the one expected")
)

// ReadToken reads a token answer. The type must be the wanted one, Bearer or DPoP, or absent
// if that is Bearer.
func ReadToken(body []byte, want string) (*Token, error) {
	var raw struct {
		Access  string          `json:"access_token"`
		Type    *string         `json:"token_type"`
		Refresh string          `json:"refresh_token"`
		Expires json.RawMessage `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &raw); err != nil || raw.Access == "" {
		return nil, ErrNoToken
	}
	t := &Token{Access: raw.Access, Type: "Bearer", Refresh: raw.Refresh, ExpiresIn: strings.Trim(string(raw.Expires), `"`)}
	if raw.Type != nil {
		t.Type = *raw.Type
	}
	if !strings.EqualFold(t.Type, want) {
		return nil, ErrType
	}
	t.Type = want
	return t, nil
}

// FormToJSON turns an answer that is a form, as some old servers write it, into JSON.
func FormToJSON(body []byte) ([]byte, bool) {
	form, err := url.ParseQuery(strings.TrimSpace(string(body)))
	if err != nil || form.Get("access_token") == "" {
		return nil, false
	}
	members := map[string]string{}
	for name := range form {
		members[name] = form.Get(name)
	}
	data, err := json.Marshal(members)
	return data, err == nil
}

// Device is the answer of a device authorization endpoint (RFC 8628 section 3.2).
type Device struct {
	Code     string `json:"device_code"`
	UserCode string `json:"user_code"`
	URL      string `json:"verification_uri"`
	Complete string `json:"verification_uri_complete"`
	Expires  int64  `json:"expires_in"`
	Interval int64  `json:"interval"`
}

// Bounds of a device authorization, in seconds.
const (
	defaultInterval = 5 // RFC 8628 section 3.2
	longestInterval = 300
	longestDevice   = 24 * 3600
)

// ReadDevice reads a device authorization answer.
func ReadDevice(body []byte) (*Device, error) {
	d := &Device{}
	if err := json.Unmarshal(body, d); err != nil || d.Code == "" || d.UserCode == "" || d.URL == "" || d.Expires <= 0 {
		return nil, errors.New("the device authorization's answer lacks device_code, user_code, verification_uri or expires_in")
	}
	if d.Interval <= 0 {
		d.Interval = defaultInterval
	}
	d.Interval, d.Expires = min(d.Interval, longestInterval), min(d.Expires, longestDevice)
	return d, nil
}
