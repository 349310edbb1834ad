package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/integrationhub/hub"
)

// definition is a file with everything that a hub must know of an application. Template and
// connector are written as the hub encodes them; their URLs may begin with /, and then stand
// behind the URL given on the command line.
type definition struct {
	Template  hub.Template  `json:"template"`
	Connector hub.Connector `json:"connector"`
	// Run names requests, in order. The first gets the payload of the command line, each
	// other one the outputs of the one before it.
	Run []string `json:"run"`

	tag string // tells one definition from another; complete sets it
}

// parseDefinition decodes strictly: what is misspelt is an error with its path.
func parseDefinition(text []byte) (*definition, error) {
	var parts struct {
		Template, Connector json.RawMessage
		Run                 []string
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&parts); err != nil {
		return nil, fmt.Errorf("the definition%s: %w", place(text, err), err)
	}
	if len(parts.Template) == 0 || len(parts.Connector) == 0 || len(parts.Run) == 0 {
		return nil, errors.New(`the definition must have "template", "connector" and, in "run", the name of at least one request`)
	}
	def := definition{Run: parts.Run}
	if err := decode("template", parts.Template, &def.Template); err != nil {
		return nil, err
	}
	return &def, decode("connector", parts.Connector, &def.Connector)
}

// place says where in a text decoding failed, as editors count.
func place(text []byte, err error) string {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return ""
	}
	before := text[:min(int(syntax.Offset), len(text))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - 1 - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf(", line %d, column %d", line, max(1, column))
}

// decode decodes a part of a definition. The paths of its errors begin at the part.
func decode(name string, text []byte, part any) error {
	err := json.Unmarshal(text, part)
	var e *hub.Error
	if errors.As(err, &e) {
		for i := range e.Fields {
			e.Fields[i].Path = name + "." + e.Fields[i].Path
		}
	}
	return err
}

// complete puts base before the relative URLs, allows its host to template and connector,
// and tags the connector with what it was made from.
func (d *definition) complete(base string) error {
	all, relative := d.urls()
	if base == "" && len(relative) > 0 {
		return fmt.Errorf("the definition has relative URLs (%s): say with -url what stands before them", *relative[0])
	}
	if base != "" {
		u, err := url.Parse(base)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return errors.New("-url must be like https://api.example.com, without user, query and fragment")
		}
		for _, r := range relative {
			*r = strings.TrimSuffix(base, "/") + *r
		}
		d.Connector.Hosts = append(d.Connector.Hosts, u.Host)
		if len(relative) == all || len(d.Template.AllowedHosts) > 0 {
			d.Template.AllowedHosts = append(d.Template.AllowedHosts, u.Host)
		}
	}
	d.tag = d.digest()
	d.Connector.Tags = append(d.Connector.Tags, d.tag)
	return nil
}

// urls counts the URLs of the definition and returns those that begin with /.
func (d *definition) urls() (all int, relative []*string) {
	var list []*string
	if v := d.Template.Verify; v != nil {
		list = append(list, &v.URL)
	}
	if r := d.Connector.Auth.Request; r != nil {
		list = append(list, &r.URL)
	}
	for i := range d.Connector.Requests {
		list = append(list, &d.Connector.Requests[i].URL)
	}
	for _, u := range list {
		if strings.HasPrefix(*u, "/") {
			relative = append(relative, u)
		}
	}
	return len(list), relative
}

// digest is the tag by which a connector shows that it is up to date.
func (d *definition) digest() string {
	text, err := json.Marshal(d)
	if err != nil { // decoded from JSON: cannot happen
		return "definition-unknown"
	}
	sum := sha256.Sum256(text)
	return "definition-" + hex.EncodeToString(sum[:8])
}
