package render

import (
	"mime"
	"strings"
)

// A body is the compiled body of a request.
type body interface {
	// slots returns the places of the body, in order.
	slots() []slot
	// render writes the body into w's empty buffer and returns its content type.
	render(w *writer) (contentType string, err error)
}

// body writes a body. Every kind is named here, so that the compiler knows where a writer goes: it stays on the stack.
func (w *writer) body(b body) (contentType string, err error) {
	switch b := b.(type) {
	case *slotBody:
		return b.render(w)
	case *multipartBody:
		return b.render(w)
	case *uploadBody:
		return b.render(w)
	default:
		return b.(*fileBody).render(w)
	}
}

// A slotBody is a body that is written from front to back.
type slotBody struct {
	contentType string
	parts       []slot
}

func (b *slotBody) slots() []slot { return b.parts }

func (b *slotBody) render(w *writer) (string, error) {
	for i := range b.parts {
		s := &b.parts[i]
		if s.place == "" || s.place == "body" {
			if err := w.slot(s); err != nil {
				return "", err
			}
			w.trace.join()
			continue
		}
		if err := w.place(s); err != nil {
			return "", err
		}
	}
	return b.contentType, nil
}

// A format is how a body is read and its values are escaped.
type format uint8

const (
	textFormat format = iota
	jsonFormat
	xmlFormat
	formFormat
	multipartFormat
)

const (
	jsonType      = "application/json"
	formType      = "application/x-www-form-urlencoded"
	multipartType = "multipart/form-data"
)

func formatOf(mediaType string) format {
	switch {
	case mediaType == jsonType, strings.HasSuffix(mediaType, "+json"):
		return jsonFormat
	case mediaType == "application/xml", mediaType == "text/xml", strings.HasSuffix(mediaType, "+xml"):
		return xmlFormat
	case mediaType == formType:
		return formFormat
	case mediaType == multipartType:
		return multipartFormat
	}
	return textFormat
}

// content compiles the body of a definition.
func (c *compiler) content(d Definition) {
	if d.BodyFile != "" {
		c.wholeFile(d)
		return
	}
	format, contentType, ok := c.mediaType("mediaType", defaultType(d))
	if !ok || d.Body == "" && len(d.Form) == 0 {
		return
	}
	if len(d.Body) > c.program.max {
		c.report("body", "too-large", "the body is larger than a request may be")
		return
	}
	if c.program.method == "HEAD" {
		c.report("body", "body-not-allowed", "a HEAD request has no body")
		return
	}
	if len(d.Form) > 0 {
		c.form(d, format, contentType)
		return
	}
	switch format {
	case jsonFormat:
		c.json(contentType, d.Body)
	case xmlFormat:
		c.xml(contentType, d.Body)
	case formFormat:
		c.formText(contentType, d.Body)
	case multipartFormat:
		c.report("body", "body-not-allowed", "a multipart body is written as form fields")
	default:
		c.text(contentType, d.Body)
	}
}

func defaultType(d Definition) string {
	if d.MediaType != "" || len(d.Form) == 0 {
		return d.MediaType
	}
	for _, f := range d.Form {
		if f.FileName != "" || f.MediaType != "" || f.File != "" {
			return multipartType
		}
	}
	return formType
}

// mediaType checks the media type at a path and returns how it goes into Content-Type; empty means JSON.
func (c *compiler) mediaType(at, source string) (format, string, bool) {
	if source == "" {
		return jsonFormat, jsonType, true
	}
	text, ok := c.name(at, source)
	if !ok {
		return 0, "", false
	}
	name, params, err := mime.ParseMediaType(text)
	contentType := mime.FormatMediaType(name, params)
	if err != nil || contentType == "" || !strings.Contains(name, "/") || headerRefuses(contentType) {
		c.report(at, "bad-media-type", "a media type is written as type/subtype, with parameters after a semicolon")
		return 0, "", false
	}
	f := formatOf(name)
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		c.report(at, "bad-charset", "bodies are sent in UTF-8")
		return 0, "", false
	}
	if f == multipartFormat && params["boundary"] != "" {
		c.report(at, "bad-media-type", "the boundary of a multipart body is chosen when it is sent")
		return 0, "", false
	}
	if strings.HasPrefix(name, "text/") && params["charset"] == "" {
		contentType += "; charset=utf-8"
	}
	return f, contentType, true
}

func headerRefuses(text string) bool {
	_, r := headerText(nil, text)
	return r != nil
}

// text compiles a body without structure.
func (c *compiler) text(contentType, source string) {
	segments, ok := c.parse("body", source)
	if !ok {
		return
	}
	c.program.body = &slotBody{contentType, []slot{c.slot("body", "body", segments, plain)}}
}
