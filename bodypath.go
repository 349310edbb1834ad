package hub

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/integrationhub/hub/internal/path"
	"github.com/integrationhub/hub/internal/scrub"
	"github.com/integrationhub/hub/internal/xmlpath"
)

// bodyPath leads into the body of an answer: into JSON by gjson, or into XML by XPath if it begins
// with a slash.
type bodyPath struct {
	text string
	set  *xmlpath.Set // nil: a gjson path
	at   int          // in the set
}

// bodyPath compiles a path; of an XPath, set becomes part. all asks for every value of an XPath.
func (p *problems) bodyPath(where, text string, set *xmlpath.Set, all bool) bodyPath {
	if !isXPath(text) {
		if err := path.Check(text, path.Result); err != nil {
			p.add(where, "path", "%v", err)
		}
		return bodyPath{text: text}
	}
	i, err := set.Add(text, all)
	if err != nil {
		p.add(where, "path", "%v", err)
	}
	return bodyPath{text, set, i}
}

func isXPath(text string) bool { return strings.HasPrefix(text, "/") }

// get returns the value at a path of a JSON body; one that does not exist if the body is not JSON.
func (a *reading) get(p bodyPath) gjson.Result {
	if !a.json || p.set != nil {
		return gjson.Result{}
	}
	return path.Get(a.text(), p.text)
}

// own returns the value that is shown at a path of a JSON body, with the secrets in it, for who hands it
// back to the third party.
func (a *reading) own(p bodyPath) gjson.Result {
	shown := a.get(p)
	if !shown.Exists() {
		return shown
	}
	if own := path.Get(a.Body, p.text); a.of.scrubbers().String(scalarText(own)) == scalarText(shown) {
		return own
	}
	return shown
}

// texts returns the values at a path as texts; of JSON there is one at most, numbers digit by digit.
func (a *reading) texts(p bodyPath) []string {
	if p.set != nil {
		return a.xpath(p)
	}
	if v := a.get(p); v.Exists() {
		return []string{scalarText(v)}
	}
	return nil
}

// xpath returns the values at an XPath of an XML body. All paths of a set are followed at once.
func (a *reading) xpath(p bodyPath) []string {
	found, done := a.found[p.set]
	if !done {
		found = a.findAll(p.set)
		if a.found == nil {
			a.found = map[*xmlpath.Set][][]string{}
		}
		a.found[p.set] = found
	}
	if found == nil {
		return nil
	}
	return found[p.at]
}

// findAll follows the paths of a set.
func (a *reading) findAll(set *xmlpath.Set) [][]string {
	if !a.isXML() {
		return nil
	}
	text := a.text()
	found, err := set.Find(text, a.depth, len(text)+xmlRoom)
	if err != nil {
		a.deep = a.deep || err != xmlpath.ErrSyntax
		return nil
	}
	if a.of != nil {
		maskAll(found, a.of.scrubbers())
	}
	return found
}

// maskAll masks what only shows once XML is decoded: &#115;ecret.
func maskAll(found [][]string, known scrub.Set) {
	for _, values := range found {
		for i := range values {
			values[i] = known.String(values[i])
		}
	}
}

// xmlRoom is what may be found in an XML body beyond its own size: paths may lead to the same.
const xmlRoom = 1 << 20

// isXML reports whether the body begins as XML does and JSON does not.
func (a *reading) isXML() bool {
	body := trimSpace(a.Body)
	return len(body) > 0 && body[0] == '<'
}
