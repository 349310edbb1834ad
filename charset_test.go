package hub_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/unicode"

	"github.com/integrationhub/hub"
	"github.com/integrationhub/hub/hubtest"
)

func TestAnswersInOtherCharsetsAreReadAsUTF8(t *testing.T) {
	for name, tt := range map[string]struct{ mediaType, body, path, want string }{
		"ISO-8859-1":        {"application/json; charset=iso-8859-1", "{\"name\":\"Zo\xeb\"}", "name", "Zoë"},
		"windows-1252":      {"application/json; charset=windows-1252", "{\"price\":\"\x8010\"}", "price", "€10"},
		"UTF-16":            {"application/json; charset=utf-16", "\xff\xfe{\x00\"\x00a\x00\"\x00:\x001\x00}\x00", "a", "1"},
		"Shift_JIS":         {"application/json; charset=Shift_JIS", "{\"a\":\"\x93\xfa\x96\x7b\"}", "a", "日本"},
		"byte order mark":   {"application/json", "\xef\xbb\xbf{\"a\":1}", "a", "1"},
		"the name of UTF-8": {"application/json; charset=UTF8", `{"a":"ë"}`, "a", "ë"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := hubtest.NewServer(t)
			srv.Handle("/", hubtest.Bytes(200, tt.mediaType, []byte(tt.body)))
			h := open(t).Tenant("acme")
			connector(t, h, srv, manual("go", "GET", srv.URL, func(r *hub.Request) {
				r.Outputs = map[string]hub.Output{"out": {Path: tt.path}}
			}))
			res, err := execute(t, h, "go")
			require.NoError(t, err)
			assert.Equal(t, tt.want, res.Get(tt.path).String())
			assert.Equal(t, tt.want, plainText(res.Outputs["out"]))
			assert.Contains(t, []string{"", strconv.Itoa(len(res.Body))}, res.Header.Get("Content-Length"))
			var got strings.Builder
			res, err = streamed(t, h, &got, nil)
			require.NoError(t, err)
			assert.Contains(t, []string{"", strconv.Itoa(got.Len())}, res.Header.Get("Content-Length"))
			if strings.Contains(tt.mediaType, "charset") {
				assert.Contains(t, []string{"application/json; charset=utf-8", tt.mediaType}, res.Header.Get("Content-Type"))
			}
		})
	}
}

// plainText is an output as text.
func plainText(v any) any {
	if s, ok := v.(interface{ String() string }); ok {
		return s.String()
	}
	return v
}

// An answer in UTF-16 hides nothing from the masking.
func TestSecretsAreMaskedInOtherCharsets(t *testing.T) {
	const secret = "canary-of-the-key-äöü"
	srv := hubtest.NewServer(t)
	srv.Handle("/", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(`{"said":"` + secret + `"}`)
		if err == nil {
			hubtest.Bytes(200, "application/json; charset=utf-16", []byte(body)).ServeHTTP(w, r)
		}
	}))
	h := open(t).Tenant("acme")
	con := connector(t, h, srv, manual("go", "POST", srv.URL, func(r *hub.Request) { r.Body = `{"k":"[[key]]"}` }), func(c *hub.Connector) {
		c.Secrets = []hub.Secret{{Name: "key"}}
	})
	setSecret(t, h, con.ID, "key", secret)
	res, err := execute(t, h, "go")
	require.NoError(t, err)
	assert.Equal(t, "[secret]", res.Get("said").String())
}

func TestARequestInAnotherCharsetIsRefused(t *testing.T) {
	srv := hubtest.NewServer(t)
	h := open(t).Tenant("acme")
	bodies := map[string]string{"text/": "x", "appli": "<a/>"}
	for mediaType, ok := range map[string]bool{
		"text/plain": true, "text/plain; charset=utf-8": true, "application/xml; charset=UTF-8": true,
		"text/plain; charset=iso-8859-1": false, "application/xml; charset=utf-16": false,
	} {
		tpl := template(t, h, func(tpl *hub.Template) { tpl.Name = mediaType })
		con := hub.Connector{Template: tpl.ID, Name: mediaType, Hosts: []string{srv.Host()}}
		manual("go", "POST", srv.URL, func(r *hub.Request) { r.MediaType, r.Body = mediaType, bodies[mediaType[:len("text/")]] })(&con)
		_, err := h.CreateConnector(t.Context(), con)
		if ok {
			require.NoError(t, err, mediaType)
			continue
		}
		e := failed(t, err, hub.Invalid)
		assert.Equal(t, "requests[0].mediaType", e.Fields[0].Path)
		assert.Equal(t, "bad-charset", e.Fields[0].Rule)
	}
}
