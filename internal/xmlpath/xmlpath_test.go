package xmlpath_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/integrationhub/hub/internal/xmlpath"
)

const tickets = `<?xml version="1.0" encoding="ISO-8859-1"?>
<!-- a comment --><t:tickets xmlns:t="urn:t" xmlns="urn:d" count="3" t:kind="open">
  <ticket id="1" state="open"><n>17</n><who><n>Ada &amp; <![CDATA[<Bob>]]></n></who></ticket>
  <ticket id="2" state="done"><n>18</n></ticket>
  <other id="9"/>
  <ticket id="3" state="open"><n>19&#x41;</n><empty/></ticket>
</t:tickets>`

func find(t testing.TB, doc, path string) ([]string, error) {
	t.Helper()
	var s xmlpath.Set
	i, err := s.Add(path, true)
	require.NoError(t, err)
	found, err := s.Find([]byte(doc), 64, 1<<20)
	if err != nil {
		return nil, err
	}
	return found[i], nil
}

func TestPathsFind(t *testing.T) {
	for path, want := range map[string][]string{
		"/tickets/@count":                           {"3"},
		"/tickets/@kind":                            {"open"},
		"/tickets/@xmlns":                           nil,
		"/tickets/@t":                               nil,
		"/tickets/ticket/n":                         {"17", "18", "19A"},
		"/tickets/ticket/@id":                       {"1", "2", "3"},
		"/tickets/ticket[2]/@id":                    {"2"},
		"/tickets/ticket[4]/@id":                    nil,
		"/tickets/*/@id":                            {"1", "2", "9", "3"},
		"/tickets/*[3]/@id":                         {"9"},
		"/tickets/ticket[@state='open']/n":          {"17", "19A"},
		`/tickets/ticket[@state="open"][2]/n`:       {"19A"},
		`/tickets/ticket[@state='open'][@id='3']/n`: {"19A"},
		"/tickets/ticket[@absent='']/n":             nil,
		"//n":                                       {"17", "Ada & <Bob>", "18", "19A"},
		"//n[1]":                                    {"17", "Ada & <Bob>", "18", "19A"},
		"//who//n":                                  {"Ada & <Bob>"},
		"/tickets/ticket[1]/who":                    {"Ada & <Bob>"},
		"/tickets/ticket[3]/empty":                  {""},
		"/ticket":                                   nil,
		"/tickets/n":                                nil,
		"//*[@id='9']":                              {""},
	} {
		got, err := find(t, tickets, path)
		require.NoError(t, err, path)
		assert.Equal(t, want, got, path)
	}
}

func TestPathsOfASetAreFoundTogether(t *testing.T) {
	var s xmlpath.Set
	assert.True(t, s.Empty())
	for i, path := range []string{"//n", "/tickets/ticket/@id", "/tickets/ticket[2]/n"} {
		at, err := s.Add(path, i == 1)
		require.NoError(t, err)
		assert.Equal(t, i, at)
	}
	found, err := s.Find([]byte(tickets), 64, 1<<20)
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"17"}, {"1", "2", "3"}, {"18"}}, found)
}

func TestPathsAreChecked(t *testing.T) {
	for _, path := range []string{
		"", "/", "a", "a/b", "//", "/a/", "/a//", "/a[", "/a[0]", "/a[x]", "/a[-1]", "/a[2", "/a[@b]", "/a[@b='c]", "/a[@b=c]", "/a[2][@b='c']",
		"/a[1][2]", "/@a", "//@a", "/a/@", "/a/@b/c", "/a/@b[1]", "/t:a", "/a/text()", "/a|/b", "/a/..", "/a b", "/a[999999999999999999999]",
		"/a\x00", "/\xff", "/a[b='c']", strings.Repeat("/a", 33), "/" + strings.Repeat("a", 256),
	} {
		var s xmlpath.Set
		_, err := s.Add(path, true)
		var e *xmlpath.Error
		assert.ErrorAs(t, err, &e, "%q", path)
	}
}

// What a hostile server answers is refused, and costs little.
func TestHostileDocuments(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	for name, tt := range map[string]struct {
		doc  string
		want error
	}{
		"as deep as allowed":    {deep(64), nil},
		"deeper":                {deep(65), xmlpath.ErrDeep},
		"a million levels":      {deep(1e6), xmlpath.ErrDeep},
		"a document type":       {`<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`, xmlpath.ErrSyntax},
		"an external one":       {`<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>`, xmlpath.ErrSyntax},
		"an unknown entity":     {`<a>&nbsp;</a>`, xmlpath.ErrSyntax},
		"cut off":               {`<a><b>`, xmlpath.ErrSyntax},
		"crossed":               {`<a><b></a></b>`, xmlpath.ErrSyntax},
		"two roots":             {`<a/><a/>`, xmlpath.ErrSyntax},
		"text beside the root":  {`<a/>x`, xmlpath.ErrSyntax},
		"nothing":               {``, xmlpath.ErrSyntax},
		"a comment alone":       {`<!-- -->`, xmlpath.ErrSyntax},
		"no XML":                {`{"a":1}`, xmlpath.ErrSyntax},
		"HTML":                  {`<html><br><p>x</html>`, xmlpath.ErrSyntax},
		"no UTF-8":              {"<a>\xff</a>", xmlpath.ErrSyntax},
		"a NUL":                 {"<a>\x00</a>", xmlpath.ErrSyntax},
		"a character not legal": {"<a>&#0;</a>", xmlpath.ErrSyntax},
		"as many elements":      {"<a>" + strings.Repeat("<b/>", xmlpath.MaxElements-1) + "</a>", nil},
		"more elements":         {"<a>" + strings.Repeat("<b/>", xmlpath.MaxElements) + "</a>", xmlpath.ErrLarge},
		"text within itself":    {strings.Repeat("<a>", 60) + strings.Repeat("x", 20_000) + strings.Repeat("</a>", 60), xmlpath.ErrLarge},
		"more than is wanted":   {"<a>" + strings.Repeat("x", 1<<20) + "</a>", xmlpath.ErrLarge},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := find(t, tt.doc, "//a")
			assert.ErrorIs(t, err, tt.want)
			if tt.want == nil {
				assert.NoError(t, err)
			}
		})
	}
}

// FuzzFind looks for paths and documents that panic, and for values that are not in the document.
func FuzzFind(f *testing.F) {
	f.Add(tickets, "//n")
	f.Add(tickets, "/tickets/ticket[@state='open'][2]/@id")
	f.Add(`<a><a b="c"/></a>`, "//a[1]/a/@b")
	f.Fuzz(func(t *testing.T, doc, path string) {
		var s xmlpath.Set
		if _, err := s.Add(path, true); err != nil {
			return
		}
		found, err := s.Find([]byte(doc), 16, 4096)
		if err != nil {
			return
		}
		size := 0
		for _, v := range found[0] {
			size += len(v)
		}
		assert.LessOrEqual(t, size, 4096)
	})
}

func BenchmarkFind(b *testing.B) {
	doc := []byte("<r>" + strings.Repeat(`<ticket id="12345" state="open"><number>INC0012345</number><text>No dial tone</text></ticket>`, 10_000) + "</r>")
	var s xmlpath.Set
	for range 100 {
		_, err := s.Add("//ticket[@state='open']/number", false)
		require.NoError(b, err)
	}
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if _, err := s.Find(doc, 64, 1<<24); err != nil {
			b.Fatal(err)
		}
	}
}
